"""The widest straight corridor through a pedicle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import optimize

from guidegen.mesh.field import DistanceField
from guidegen.model.arrays import Floats
from guidegen.planning.coarse import LIMIT_WEIGHT, Task, coarse_lines
from guidegen.planning.gaps import counted_gaps, nearest_each, tip_room, too_high_mm
from guidegen.planning.line import Line
from guidegen.planning.steady import room_of, steadied
from guidegen.planning.wall import Span, aimed_tip, choose_tip, fits

_SHORT_WEIGHT = 0.1
"""What 1 mm too little depth in the body weighs in mm of corridor radius."""
_DEPTH_COST_MM = 0.4
_TOLERATED_MM = 0.05
_SHORT_CLIMB = 6
_N_FOLLOWED = 3
"""After the first steps only the best starts are followed further."""
_LEVER_MM = 15.0
"""A turn of 1 rad weighs like this shift: half the length of a corridor."""


@dataclass(frozen=True, eq=False)
class Corridor:
    """A straight corridor; places along the line in mm, zero at the line's point.

    Args:
        line: The axis.
        entry: Where it meets the surface.
        body: Where it enters the body.
        tip: The deepest point.
        front: Where it would leave through the front cortex.
        diameter_mm: Twice the axis's smallest distance to the wall from ``cap_mm`` under the entry
            to the tip; the face through which it enters is no wall (``Wall.corridor_radius``).
        cylinder_mm: Diameter of the largest cylinder about the axis that stays inside from
            ``cap_mm`` under the entry to the tip; the entry's face counts.
        deep_enough: The tip lies within the depth limits.
        approach_mm: Smallest clearance of drill and sleeve from bone; negative is blocked.
    """

    line: Line
    entry: float
    body: float
    tip: float
    front: float
    diameter_mm: float
    cylinder_mm: float
    deep_enough: bool
    approach_mm: float

    def at(self, place: float) -> Floats:
        """(3,): the point of the axis at a place along it."""
        return np.asarray(self.line.point + place * self.line.direction)

    @property
    def depth_share(self) -> float:
        """Depth of the tip in the body, as a share of the body's depth along the axis."""
        return (self.tip - self.body) / (self.front - self.body)


@dataclass(frozen=True, eq=False)
class _Tried:
    """A line with what limits it."""

    line: Line
    span: Span
    end: float
    value: float


def _try(task: Task, line: Line, bias_mm: float) -> _Tried | None:
    """Measure a line; the value is its radius less the penalty for a blocked approach."""
    span = task.wall.span(line)
    if span is None:
        return None
    end = aimed_tip(span, task.limits)
    counted, _, _, _ = counted_gaps(task, line, span, end, bias_mm)
    if not len(counted):
        return None
    free = min(task.obstacles.free(line, span.entry, task.limits), 0.0)
    high = max(too_high_mm(task, line, span), 0.0)
    short = max(span.shallowest(task.limits) - end, 0.0)
    beyond = float(tip_room(task, line, end)[0].min(initial=0.0))
    value = float(counted.min()) + LIMIT_WEIGHT * (free + beyond - high)
    value -= _SHORT_WEIGHT * short + task.limits.run_weight * -span.entry
    if task.limits.tip_weight > 0:
        ahead = task.wall.front_clearance(line, end)
        value -= task.limits.tip_weight * max(task.limits.front_margin_mm - ahead, 0.0)
    return _Tried(line, span, end, value)


def _rows(line: Line, gaps: Floats, places: Floats, outwards: Floats) -> tuple[Floats, Floats]:
    """Linearise: the loss of each gap per shift across, shift up, turn axial, turn sagittal."""
    norm = np.linalg.norm(
        [np.tan(np.radians(line.axial_deg)), 1.0, np.tan(np.radians(line.sagittal_deg))]
    )
    lever = places / _LEVER_MM / norm
    across, up = outwards[:, 0], outwards[:, 2]
    rows = np.stack([across, up, -line.side * across * lever, up * lever], axis=1)
    return rows, gaps


def _step(task: Task, tried: _Tried, bias_mm: float, trust_mm: float) -> Line | None:
    """Solve the linearised problem within a trust region; the line it proposes."""
    line, limits = tried.line, task.limits
    gaps, places, outwards, weights = counted_gaps(task, line, tried.span, tried.end, bias_mm)
    near = np.flatnonzero(gaps < gaps.min() + 3.0 * trust_mm + 0.3)
    near = near[nearest_each(gaps[near], places[near], outwards[near])]
    rows, room = _rows(line, gaps[near], places[near], outwards[near])
    rows = rows * weights[near, None]
    free, at, away = task.obstacles.clearances(line, tried.span.entry, limits)
    close = np.flatnonzero(free < 4.0 * trust_mm)
    close = close[nearest_each(free[close], at[close], away[close])] if len(close) else close
    rows_b, room_b = _rows(line, free[close], at[close], away[close])
    head, entry = np.array([[0.0, 0.0, 1.0]]), np.array([tried.span.entry])
    row_h, room_h = _rows(line, np.array([-too_high_mm(task, line, tried.span)]), entry, head)
    room_t, sides = tip_room(task, line, tried.end)
    row_t, _ = _rows(line, room_t, np.full(len(room_t), tried.end), sides)
    rows_b = np.concatenate([rows_b, row_h, row_t])
    room_b = np.concatenate([room_b, room_h, room_t])
    n, m = len(near), len(rows_b)
    # Unknowns: shift across, shift up, turn axial, turn sagittal, radius, limit exceeded.
    matrix = np.block(
        [
            [rows, np.ones((n, 1)), np.zeros((n, 1))],
            [rows_b, np.zeros((m, 1)), -np.ones((m, 1))],
        ]
    )
    slopes = [np.tan(np.radians(v)) for v in (line.axial_deg, line.sagittal_deg)]
    bounds: list[tuple[float | None, float | None]] = [(-trust_mm, trust_mm)] * 2
    for slope, (low, high) in zip(slopes, (limits.axial_deg, limits.sagittal_deg), strict=True):
        least, most = ((np.tan(np.radians(v)) - slope) * _LEVER_MM for v in (low, high))
        bounds.append((min(max(-trust_mm, least), 0.0), max(min(trust_mm, most), 0.0)))
    found = optimize.linprog(
        [0, 0, 0, 0, -1.0, LIMIT_WEIGHT],
        A_ub=matrix,
        b_ub=np.concatenate([room, room_b]),
        bounds=[*bounds, (None, None), (0.0, None)],
        method="highs",
    )
    if not found.success:
        return None
    x = found.x
    turned = [np.degrees(np.arctan(s + d / _LEVER_MM)) for s, d in zip(slopes, x[2:4], strict=True)]
    point = line.point + np.array([x[0], 0.0, x[1]])
    return replace(line, point=point, axial_deg=float(turned[0]), sagittal_deg=float(turned[1]))


def _refine(task: Task, start: Line, bias_mm: float, n_steps: int = 40) -> _Tried | None:
    """Climb from a line by sequential linear programming until the steps are below 0.02 mm."""
    best, trust = _try(task, start, bias_mm), 1.0
    for _ in range(n_steps):
        if best is None or trust < 0.02:
            break
        line = _step(task, best, bias_mm, trust)
        tried = None if line is None else _try(task, line, bias_mm)
        if tried is not None and tried.value > best.value + 1e-3:
            best = tried
        else:
            trust *= 0.4
    return best


def _climbed(task: Task, starts: Sequence[Line], n_followed: int) -> list[_Tried]:
    """Climb from the starts and from the isthmus' axis: the best ends, best first."""
    lines = [*starts, task.start]
    quick = replace(task, wall=task.wall.thinned())
    short = [r for r in (_refine(quick, line, 0.0, _SHORT_CLIMB) for line in lines) if r]
    short = sorted(short, key=lambda tried: -tried.value)[:n_followed]
    ends = [r for r in (_refine(task, tried.line, 0.0) for tried in short) if r]
    return sorted(ends, key=lambda tried: -tried.value)


def widest_corridors(task: Task, starts: Sequence[Line]) -> tuple[Corridor, ...]:
    """Find the widest straight corridors through a pedicle within the limits.

    A lattice of lines (9 x 9 points on the isthmus' plane, directions 5 deg apart) is scored on the
    sampled distance field; the best eight that differ climb a few steps on a thinned surface, and
    the best three of them go on to the summit on the surface itself. What is maximised is the
    radius of the largest cylinder about the axis that stays inside the bone from ``cap_mm`` under
    the entry to the shallowest tip allowed: the smallest of many smooth distances, so a sequence of
    small linear programs with a trust region climbs to the maximum. Drill and sleeve colliding with
    bone, or an entry too high, cost three times their amount. Where the corridor is wide, the
    canal's wall then counts ``canal_bias_mm`` nearer than it is, and all walls, not the nearest
    alone, steady the line; other summits are then not asked for.

    Args:
        task: The pedicle.
        starts: Lines to climb from, as ``coarse_lines`` finds them.

    Returns:
        The widest, then the other summits that the climbs ended on; empty where no line runs
        inside the bone from the arch into the body.
    """
    found: list[Corridor] = []
    for tried in _climbed(task, starts, _N_FOLLOWED):
        room = room_of(tried.value)
        bias = task.limits.canal_bias_mm * room
        best = (_refine(task, tried.line, bias) if bias > 0 else None) or tried
        corridor = measure_corridor(task, steadied(task, best.line, bias, room))
        if corridor is not None:
            found.append(corridor if corridor.deep_enough else _deeper(task, corridor))
            if room == 1.0 and corridor.deep_enough and corridor.approach_mm > -_TOLERATED_MM:
                break
    return tuple(found)


def widest_corridor(field: DistanceField, task: Task) -> Corridor | None:
    """Find the widest straight corridor; see ``widest_corridors``."""
    return next(iter(widest_corridors(task, coarse_lines(field, task))), None)


def widest_width(task: Task, starts: Sequence[Line]) -> tuple[float, Line] | None:
    """Find how wide a pedicle is: the diameter of its widest corridor to the shallowest tip.

    Like ``widest_corridors``, but width alone counts: neither a short run nor the canal's side is
    preferred, and nothing is given up for a longer screw.

    Returns:
        mm, and the line; None where no line runs inside the bone.
    """
    width_alone = replace(task.limits, run_weight=0.0, tip_weight=0.0, canal_bias_mm=0.0)
    wide = replace(task, limits=width_alone)
    ends = _climbed(wide, starts, 2 * _N_FOLLOWED)
    widths = [(width_along(wide, tried.line), tried.line) for tried in ends]
    free = [pair for pair, tried in zip(widths, ends, strict=True) if _reachable(wide, tried)]
    return max(free or widths[:1], key=lambda pair: pair[0], default=None)


def _reachable(task: Task, tried: _Tried) -> bool:
    """Tell whether drill and sleeve can come in and the entry is not too high."""
    free = task.obstacles.free(tried.line, tried.span.entry, task.limits)
    return free > -_TOLERATED_MM and too_high_mm(task, tried.line, tried.span) < _TOLERATED_MM


def width_along(task: Task, line: Line) -> float:
    """Diameter of the corridor about a line to the shallowest tip, mm; 0 if it is not inside."""
    span = task.wall.span(line)
    if span is None:
        return 0.0
    end = aimed_tip(span, task.limits)
    return 2.0 * task.wall.corridor_radius(line, span.entry, end, task.limits.cap_mm)


def _deeper(task: Task, found: Corridor) -> Corridor:
    """Look beside a corridor for one on which a length of the set ends within the depth limits.

    The widest of the neighbouring lines is taken if it costs at most 0.4 mm of corridor and has no
    worse approach; else the corridor stays as it is, too short.
    """
    line, limits = found.line, task.limits
    best, least = found, found.diameter_mm - _DEPTH_COST_MM
    for axial in np.arange(-6.0, 6.1, 2.0):
        for sagittal in np.arange(-6.0, 6.1, 3.0):
            for shift in (-0.5, 0.0, 0.5):
                turned = replace(
                    line,
                    point=line.point + np.array([shift, 0.0, 0.0]),
                    axial_deg=float(np.clip(line.axial_deg + axial, *limits.axial_deg)),
                    sagittal_deg=float(np.clip(line.sagittal_deg + sagittal, *limits.sagittal_deg)),
                )
                span = task.wall.span(turned)
                if span is None or not fits(span, limits):
                    continue
                other = measure_corridor(task, turned)
                if other is None or not other.deep_enough or other.diameter_mm < least:
                    continue
                if too_high_mm(task, turned, span) > _TOLERATED_MM:
                    continue
                if other.approach_mm >= min(found.approach_mm, 0.0):
                    best, least = other, other.diameter_mm
    return best


def measure_corridor(task: Task, line: Line) -> Corridor | None:
    """Measure a given line: entry, tip, corridor, approach; None if it is not inside the bone."""
    span = task.wall.span(line)
    if span is None:
        return None
    tip, deep = choose_tip(task.wall, line, span, task.limits)
    return Corridor(
        line=line,
        entry=span.entry,
        body=span.body,
        tip=tip,
        front=span.front,
        diameter_mm=2.0 * task.wall.corridor_radius(line, span.entry, tip, task.limits.cap_mm),
        cylinder_mm=2.0 * task.wall.cylinder_radius(line, span.entry + task.limits.cap_mm, tip),
        deep_enough=deep,
        approach_mm=task.obstacles.free(line, span.entry, task.limits),
    )
