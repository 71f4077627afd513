"""Needles of neighbouring levels that meet over the skin, and planning them apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np

from guidegen.model.plan import Path, Skipped
from guidegen.procedures.kyphoplasty.settings import KyphoplastySettings

_OVER_MM = 60.0
"""Part of a needle over its sleeve that must come past the other one."""
_FREE_MM = 0.8
_STEPS = 80
Answers = list[Path | Skipped]


def meeting(paths: Sequence[Path], settings: KyphoplastySettings) -> tuple[tuple[str, str], ...]:
    """Find pairs of needles whose sleeves and hubs have no room beside each other over the skin.

    Args:
        paths: Needles with their skin entries; those without one are left out.
        settings: Of the procedure.

    Returns:
        Names of both needles of each pair.
    """
    own = settings.template
    reach = np.linspace(0.0, own.sleeve_length_mm + _OVER_MM, _STEPS)[:, None]
    ways = {p.name: p.skin_mm - reach * p.direction for p in paths if p.skin_mm is not None}
    sizes = {p.name: p.pilot_diameter_mm + own.bore_clearance_mm for p in paths}
    found = []
    for one, other in combinations(ways, 2):
        gap = np.linalg.norm(ways[one][:, None] - ways[other][None], axis=2).min()
        if gap < (sizes[one] + sizes[other]) / 2 + 2 * own.bore_wall_mm + _FREE_MM:
            found.append((one, other))
    return tuple(found)


def planned_apart(
    answers: Answers,
    carried: Callable[[Answers], tuple[Path, ...]],
    again: Callable[[tuple[str, ...]], Answers],
    settings: KyphoplastySettings,
) -> Answers:
    """Plan levels whose needles meet once more, level with their endplates.

    Args:
        answers: Of all levels.
        carried: Carries the paths among answers on to the skin.
        again: Plans the named levels within the narrower limits.
        settings: Of the procedure.

    Returns:
        The answers with those of a level replaced where none of its needles is lost by it.
    """
    levels = {
        name.rsplit("_", 1)[0] for pair in meeting(carried(answers), settings) for name in pair
    }
    order = tuple(dict.fromkeys(a.bone for a in answers if a.bone in levels))
    if not order:
        return answers
    new = again(order)
    kept = {level for level in order if _n_paths(new, level) >= _n_paths(answers, level)}
    replaced = [a for a in new if a.bone in kept]
    place = {name: n for n, name in enumerate(dict.fromkeys(a.bone for a in answers))}
    rest = [a for a in answers if a.bone not in kept]
    return sorted([*rest, *replaced], key=lambda a: place[a.bone])


def _n_paths(answers: Answers, level: str) -> int:
    return sum(isinstance(a, Path) and a.bone == level for a in answers)
