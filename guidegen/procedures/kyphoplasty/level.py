"""One level: a needle or the reason for none, by the approach that was asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from guidegen.model.landmarks import Landmark
from guidegen.model.plan import Path, Skipped
from guidegen.planning.limits import PathLimits
from guidegen.planning.pedicle import SIDES, Pedicle
from guidegen.procedures.kyphoplasty.extrapedicular import plan_beside
from guidegen.procedures.kyphoplasty.needle import (
    BodySize,
    decide,
    nearer_the_midline,
    needle_limits,
)
from guidegen.procedures.kyphoplasty.settings import NeedleSettings
from guidegen.procedures.levels import Site, best_pedicles

_FARTHER_MM = (2.0, 4.0, 7.0, 11.0)
"""How much farther from the midline a one-sided tip is tried, to say how near it comes."""


def plan_level(
    site: Site, approach: str, side: str, needle: NeedleSettings
) -> list[Path | Skipped]:
    """Plan one vertebra's needles.

    Args:
        site: The vertebra.
        approach: ``two-sided``, ``one-sided`` or ``extrapedicular``.
        side: ``left``, ``right`` or ``both``; one-sided takes the better of both.
        needle: Settings.

    Returns:
        A path or a reason for each side asked for; one path only if one-sided is feasible.
    """
    sides = [one for one in SIDES if side in (one[0], "both")]
    if approach == "extrapedicular":
        return [plan_beside(site, one, needle) for one in sides]
    answers = list(_through_pedicles(site, sides, approach, needle, 0.0))
    if approach == "two-sided":
        return answers
    paths = [answer for answer in answers if isinstance(answer, Path)]
    if paths:
        return [max(paths, key=lambda path: path.clearance_mm or 0.0)]
    return [_refused(site, answer, needle) for answer in answers if isinstance(answer, Skipped)]


def _through_pedicles(
    site: Site, sides: list[tuple[str, float]], approach: str, needle: NeedleSettings, beyond: float
) -> Iterator[Path | Skipped]:
    """Answer each side; a one-sided tip may lie ``beyond`` mm farther from the midline."""
    size = BodySize.of(site.landmarks)

    def limits_of(mark: Landmark) -> PathLimits:
        limits = needle_limits(site.bone.name, size, mark, approach, needle)
        return nearer_the_midline(limits, beyond)

    for found in best_pedicles(site, sides, limits_of, needle.min_diameter_mm):
        if isinstance(found, Pedicle):
            yield decide(site.volume, found, approach, needle)
        else:
            yield found


def _refused(site: Site, answer: Skipped, needle: NeedleSettings) -> Skipped:
    """Say how near the midline a straight path comes that keeps the pedicle's walls."""
    third = BodySize.of(site.landmarks).width_mm * needle.one_sided_midline_share
    sides = [one for one in SIDES if one[0] == answer.side]
    reached = ""
    for beyond in _FARTHER_MM:
        (found,) = _through_pedicles(site, sides, "one-sided", needle, beyond)
        if isinstance(found, Path):
            off = float(found.extra["tip_to_midline_mm"])
            reached = f"the nearest ends {off:.1f} mm from it; plan it two-sided"
            break
        why = found.message
        reached = f"nor farther from it ({why}); see whether two-sided is possible"
    text = (
        f"one-sided is not possible from the {answer.side}: a straight path that keeps the "
        f"pedicle's medial wall can't reach the middle third ({third:.1f} mm from the midline); "
        f"{reached}"
    )
    return replace(answer, code="one_sided_infeasible", message=text)
