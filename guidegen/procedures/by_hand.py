"""What a path that somebody drew is warned of, beyond what the planner says of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from guidegen.model.notice import Notice
from guidegen.model.plan import Path
from guidegen.planning.given import Given
from guidegen.planning.grade import gertzbein_robbins
from guidegen.planning.pedicle import BLOCKED_MM
from guidegen.procedures.edits import is_edited

MEETING = "paths_meet"
_APART_MM = 0.5
"""Bone that has to stay between two instruments in one vertebra (engineering choice)."""
_SEEN_MM = 0.05
_OFF_MM, _OFF_DEG = 0.3, 0.1
_OF_INSIDE = ("depth_share", "front_mm", "wall_seen_share")
"""Numbers that mean nothing where the axis is not in the bone."""


def as_given(path: Path, given: Given, outside: tuple[str, ...] = ()) -> Path:
    """Make a path of the planner's one that was drawn: its ends, its grade, its breach.

    Args:
        path: As the planner describes an instrument on the drawn axis.
        given: The measurement.
        outside: Warnings that keep their meaning where the axis is not in the bone.
    """
    drawn = replace(
        path,
        entry_mm=given.entry_mm,
        tip_mm=given.tip_mm,
        grade=gertzbein_robbins(given.breach_mm),
        breach_mm=given.breach_mm,
        breach_wall=given.wall,
    )
    if given.through:
        return drawn
    extra = {key: value for key, value in path.extra.items() if key not in _OF_INSIDE}
    return replace(
        drawn,
        corridor_diameter_mm=0.0,
        clearance_mm=-path.diameter_mm / 2,
        warnings=tuple(code for code in path.warnings if code in outside),
        extra={**extra, "half_maximum_on_axis_mm": 0.0},
    )


def hand_notices(path: Path, given: Given, min_corridor_mm: float, worst: str) -> Iterator[Notice]:
    """Warn of what the planner would not have planned.

    Args:
        path: As measured.
        given: The measurement.
        min_corridor_mm: A pedicle narrower than this gets no path from the planner.
        worst: The worst grade that it takes.
    """
    for code, text in _red(path, given, min_corridor_mm, worst):
        yield Notice(code, f"{path.name.replace('_', ' ')}: {text}", path.name, red=True)
    for code, text in _plain(path, given):
        yield Notice(code, f"{path.name.replace('_', ' ')}: {text}", path.name)


def _red(path: Path, given: Given, min_corridor_mm: float, worst: str) -> Iterator[tuple[str, str]]:
    limits, half = given.pedicle.task.limits, given.pedicle.half_maximum_mm
    if path.grade is not None and path.grade > worst:
        yield (
            "poor_grade",
            f"drawn by hand it leaves the bone by {given.breach_mm:.1f} mm ({given.wall} wall, "
            f"grade {path.grade}): move it, take a thinner one or leave it out",
        )
    into = max(given.canal_mm, given.breach_mm if given.wall == "medial" else 0.0)
    if into >= _SEEN_MM:
        yield "canal_breach", f"drawn by hand it reaches {into:.1f} mm into the canal: move it away"
    if not given.through:
        yield (
            "outside_pedicle",
            "its axis does not stay in the bone through the pedicle, so its corridor counts as "
            "0: move entry or tip",
        )
    at_front = given.through or given.wall == "anterior"
    if at_front and given.front_mm < limits.front_margin_mm - 1e-3:
        yield (
            "front_margin",
            f"the tip is {_to_front(given)}, at least "
            f"{limits.front_margin_mm:.1f} mm must stay: shorten it",
        )
    if given.pedicle.corridor.approach_mm < -BLOCKED_MM:
        yield (
            "approach_blocked",
            f"bone stands {-given.pedicle.corridor.approach_mm:.1f} mm in the way of instrument "
            "or sleeve: turn it",
        )
    if half < min_corridor_mm:
        yield (
            "narrow_pedicle",
            f"the pedicle's half-maximum corridor is {half:.2f} mm wide, {min_corridor_mm:.2f} mm "
            "is asked for, and it was planned by hand all the same",
        )


def _to_front(given: Given) -> str:
    """How far a tip is from the front, nearest and, where it differs, straight ahead.

    The path's own ``front_mm`` is straight ahead.
    """
    if given.front_mm < 0:
        return f"{-given.front_mm:.1f} mm beyond the front cortex"
    ahead = given.pedicle.corridor.front - given.pedicle.corridor.tip
    slanting = np.isfinite(ahead) and ahead - given.front_mm >= _SEEN_MM
    straight = f" ({ahead:.1f} mm straight ahead, nearer at a slant)" if slanting else ""
    return f"{given.front_mm:.1f} mm from the front cortex{straight}"


def _plain(path: Path, given: Given) -> Iterator[tuple[str, str]]:
    limits = given.pedicle.task.limits
    for what, angle, (low, high) in (
        ("axial", path.axial_angle_deg, limits.axial_deg),
        ("sagittal", path.sagittal_angle_deg, limits.sagittal_deg),
    ):
        if angle is not None and not low - _OFF_DEG <= angle <= high + _OFF_DEG:
            yield (
                f"{what}_angle_out_of_range",
                f"{what} angle {angle:.1f} deg, {low:g} to {high:g} are planned at this level",
            )
    if given.high_mm > _OFF_MM:
        yield (
            "high_entry",
            f"the entry lies {given.high_mm:.1f} mm higher than is planned at this level: the "
            "joint above may be hurt",
        )


def meeting_notices(paths: Sequence[Path]) -> Iterator[Notice]:
    """Warn of drawn paths that come too near to another one in the same bone; red."""
    for one, other in combinations(paths, 2):
        if one.bone != other.bone or not (is_edited(one) or is_edited(other)):
            continue
        between = _gap_mm(one, other) - (one.diameter_mm + other.diameter_mm) / 2
        if between < _APART_MM:
            drawn, beside = (one, other) if is_edited(one) else (other, one)
            how = "run into each other" if between < 0 else f"come within {between:.1f} mm"
            text = (
                f"{drawn.name.replace('_', ' ')}: it and {beside.name.replace('_', ' ')} {how} in "
                f"the bone, {_APART_MM} mm must stay between them: move one"
            )
            yield Notice(MEETING, text, drawn.name, red=True)


def _gap_mm(one: Path, other: Path) -> float:
    """Smallest distance of two axes, entry to tip, to about 0.1 mm."""
    share = np.linspace(0.0, 1.0, 120)[:, None]
    a = one.entry_mm + share * (one.tip_mm - one.entry_mm)
    b = other.entry_mm + share * (other.tip_mm - other.entry_mm)
    return float(np.linalg.norm(a[:, None] - b[None], axis=2).min())
