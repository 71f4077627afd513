"""The line that noise does not move: in the middle between all walls of a wide pedicle."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import optimize

from guidegen.model.arrays import Floats
from guidegen.planning.coarse import LIMIT_WEIGHT, Task
from guidegen.planning.gaps import counted_gaps, nearest_each, tip_room, too_high_mm
from guidegen.planning.line import Line

_BLEND_MM = 0.45
"""Walls this much farther than the nearest still count a third where there is all room."""
_LEAST_ROOM = 0.1


def room_of(radius_mm: float) -> float:
    """How far a corridor's width lets its line leave the widest place: 0 to 6 mm, 1 from 8 mm."""
    return float(np.clip(radius_mm - 3.0, 0.0, 1.0))


def steadied(task: Task, start: Line, bias_mm: float, room: float) -> Line:
    """Move a line to the summit of ``evenness`` near it.

    The widest place of a pedicle that is higher than wide is a ridge, and noise decides where on
    it the widest line lies. It does not hold for a narrow pedicle, which keeps the line it has.

    Args:
        task: The pedicle.
        start: Its widest line.
        bias_mm: The canal's wall counts this much nearer.
        room: As of ``room_of``: the more, the more the farther walls count.
    """
    if room <= _LEAST_ROOM:
        return start
    blend_mm = _BLEND_MM * room

    def moved(x: Floats) -> Line:
        point = start.point + np.array([x[0], 0.0, x[1]])
        return replace(
            start,
            point=point,
            axial_deg=start.axial_deg + 3.0 * float(x[2]),
            sagittal_deg=start.sagittal_deg + 3.0 * float(x[3]),
        )

    simplex = np.vstack([np.zeros(4), 0.7 * np.eye(4)])
    options = {"initial_simplex": simplex, "maxiter": 200, "xatol": 5e-3, "fatol": 3e-4}
    found = optimize.minimize(
        lambda x: -evenness(task, moved(x), bias_mm, blend_mm),
        simplex[0],
        method="Nelder-Mead",
        options=options,
    )
    line = moved(found.x)
    axial, sagittal = task.limits.axial_deg, task.limits.sagittal_deg
    return replace(
        line,
        axial_deg=float(np.clip(line.axial_deg, *axial)),
        sagittal_deg=float(np.clip(line.sagittal_deg, *sagittal)),
    )


def evenness(task: Task, line: Line, bias_mm: float, blend_mm: float) -> float:
    """Smooth minimum of all gaps to the wall (log-sum-exp), less what limits are overstepped by.

    Every wall counts, the nearest most: unlike the smallest gap alone it has one clear summit
    also where a pedicle is higher than wide, and noise in one place hardly moves it.
    """
    span = task.wall.span(line)
    if span is None:
        return -np.inf
    end = span.shallowest(task.limits)
    gaps, places, outwards, _ = counted_gaps(task, line, span, end, bias_mm)
    if not len(gaps):
        return -np.inf
    gaps = gaps[nearest_each(gaps, places, outwards)]
    least = float(gaps.min())
    value = least - blend_mm * float(np.log(np.exp(-(gaps - least) / blend_mm).sum()))
    free = min(task.obstacles.free(line, span.entry, task.limits), 0.0)
    beyond = float(tip_room(task, line, end)[0].min(initial=0.0))
    value += LIMIT_WEIGHT * (free + beyond - max(too_high_mm(task, line, span), 0.0))
    pairs = ((line.axial_deg, task.limits.axial_deg), (line.sagittal_deg, task.limits.sagittal_deg))
    return value - sum(max(low - v, v - high, 0.0) for v, (low, high) in pairs)
