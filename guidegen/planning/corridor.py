"""The widest straight corridor through a pedicle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import optimize

from guidegen.mesh.field import DistanceField
from guidegen.model.arrays import Floats
from guidegen.planning.coarse import LIMIT_WEIGHT, Task, coarse_lines
from guidegen.planning.line import Line
from guidegen.planning.wall import Span, aimed_tip, choose_tip, fits

_SHORT_WEIGHT = 0.1
"""What 1 mm too little depth in the body weighs in mm of corridor radius."""
_DEPTH_COST_MM = 0.4
_TOLERATED_MM = 0.05
_SHORT_CLIMB = 6
_N_FOLLOWED = 3
"""After the first steps only the best starts are followed further."""
_BLEND_MM = 0.45
"""Walls this much farther than the nearest still count a third, where the corridor is over 8 mm
(radius 4); down to 6 mm it falls to nothing, so that a narrow pedicle keeps its widest line."""
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


def _bias(task: Task, line: Line, places: Floats, outwards: Floats, bias_mm: float) -> Floats:
    """How much nearer the canal's wall counts: points facing the midline beside the canal."""
    y = line.point[1] + places * line.direction[1]
    medial = (-task.start.side * outwards[:, 0] > 0.5) & (y > task.wall.body_back_mm - 1.0)
    return np.where(medial, bias_mm, 0.0)


@dataclass(frozen=True, eq=False)
class _Tried:
    """A line with what limits it."""

    line: Line
    span: Span
    end: float
    value: float


def _counted(
    task: Task, line: Line, span: Span, end: float, bias_mm: float
) -> tuple[Floats, Floats, Floats, Floats]:
    """What limits a line: (M,) counted gaps, places, (M, 3) outwards, and (M,) weights.

    The entry's face is no wall of the corridor, but the screw must be inside it: its points count
    as the corridor that would allow a screw of their radius, and not at all beyond the thickest.
    """
    limits = task.limits
    radii, places, outwards = task.wall.radii(line, span.entry + limits.cap_mm, end)
    face = radii > places - span.entry
    keep = ~face | (radii < limits.max_diameter_mm / 2)
    radii, places, outwards, face = radii[keep], places[keep], outwards[keep], face[keep]
    weights = np.where(face, 1.0 / limits.corridor_share, 1.0)
    gaps = radii * weights - _bias(task, line, places, outwards, bias_mm)
    return gaps, places, outwards, weights


def _try(task: Task, line: Line, bias_mm: float) -> _Tried | None:
    """Measure a line; the value is its radius less the penalty for a blocked approach."""
    span = task.wall.span(line)
    if span is None:
        return None
    end = aimed_tip(span, task.limits)
    counted, _, _, _ = _counted(task, line, span, end, bias_mm)
    if not len(counted):
        return None
    free = min(task.obstacles.free(line, span.entry, task.limits), 0.0)
    high = max(_too_high(task, line, span), 0.0)
    short = max(span.shallowest(task.limits) - end, 0.0)
    value = float(counted.min()) + LIMIT_WEIGHT * (free - high)
    value -= _SHORT_WEIGHT * short + task.limits.run_weight * -span.entry
    if task.limits.tip_weight > 0:
        ahead = task.wall.front_clearance(line, end)
        value -= task.limits.tip_weight * max(task.limits.front_margin_mm - ahead, 0.0)
    return _Tried(line, span, end, value)


def _too_high(task: Task, line: Line, span: Span) -> float:
    """How far the entry lies above the highest place allowed, mm; negative is allowed."""
    entry = line.point + span.entry * line.direction
    return float(entry[2] - task.start.point[2] - task.limits.entry_height_mm)


def _thin(gaps: Floats, places: Floats, outwards: Floats) -> Floats:
    """Keep the nearest point in each cell of 15 deg x 2 mm: indices."""
    angle = np.floor(np.degrees(np.arctan2(outwards[:, 2], outwards[:, 0])) / 15.0)
    cell = (angle * 1000 + np.floor(places / 2.0)).astype(np.int64)
    order = np.lexsort((gaps, cell))
    first = np.append(True, np.diff(cell[order]) != 0)
    return np.asarray(order[first])


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
    gaps, places, outwards, weights = _counted(task, line, tried.span, tried.end, bias_mm)
    near = np.flatnonzero(gaps < gaps.min() + 3.0 * trust_mm + 0.3)
    near = near[_thin(gaps[near], places[near], outwards[near])]
    rows, room = _rows(line, gaps[near], places[near], outwards[near])
    rows = rows * weights[near, None]
    free, at, away = task.obstacles.clearances(line, tried.span.entry, limits)
    close = np.flatnonzero(free < 4.0 * trust_mm)
    close = close[_thin(free[close], at[close], away[close])] if len(close) else close
    rows_b, room_b = _rows(line, free[close], at[close], away[close])
    head, entry = np.array([[0.0, 0.0, 1.0]]), np.array([tried.span.entry])
    row_h, room_h = _rows(line, np.array([-_too_high(task, line, tried.span)]), entry, head)
    rows_b, room_b = np.concatenate([rows_b, row_h]), np.append(room_b, room_h)
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


def _evenness(task: Task, line: Line, bias_mm: float, blend_mm: float) -> float:
    """Smooth minimum of all gaps to the wall (log-sum-exp), less what limits are overstepped by.

    Every wall counts, the nearest most: unlike the smallest gap alone it has one clear summit
    also where a pedicle is higher than wide, and noise in one place hardly moves it.
    """
    span = task.wall.span(line)
    if span is None:
        return -np.inf
    end = span.shallowest(task.limits)
    gaps, places, outwards, _ = _counted(task, line, span, end, bias_mm)
    if not len(gaps):
        return -np.inf
    gaps = gaps[_thin(gaps, places, outwards)]
    least = float(gaps.min())
    value = least - blend_mm * float(np.log(np.exp(-(gaps - least) / blend_mm).sum()))
    free = min(task.obstacles.free(line, span.entry, task.limits), 0.0)
    value += LIMIT_WEIGHT * (free - max(_too_high(task, line, span), 0.0))
    pairs = ((line.axial_deg, task.limits.axial_deg), (line.sagittal_deg, task.limits.sagittal_deg))
    return value - sum(max(low - v, v - high, 0.0) for v, (low, high) in pairs)


def _steadied(task: Task, start: Line, bias_mm: float, blend_mm: float) -> Line:
    """Move a line to the summit of ``_evenness`` near it."""

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
        lambda x: -_evenness(task, moved(x), bias_mm, blend_mm),
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
    sampled distance field; the best eight that differ are refined on the surface itself. The
    refinement maximises the radius of the largest cylinder about the axis that stays inside the
    bone from ``cap_mm`` under the entry to the shallowest tip allowed: the smallest of many
    smooth distances, so a sequence of small linear programs with a trust region climbs to the
    maximum. Drill and sleeve colliding with bone, or an entry too high, cost three times their
    amount. Where the corridor is wide, the canal's wall then counts ``canal_bias_mm`` nearer than
    it is, and all walls, not the nearest alone, steady the line; other summits are then not asked
    for.

    Args:
        task: The pedicle.
        starts: Lines to climb from, as ``coarse_lines`` finds them.

    Returns:
        The widest, then the other summits that the climbs ended on; empty where no line runs
        inside the bone from the arch into the body.
    """
    found: list[Corridor] = []
    for tried in _climbed(task, starts, _N_FOLLOWED):
        room = float(np.clip(tried.value - 3.0, 0.0, 1.0))
        bias = task.limits.canal_bias_mm * room
        best = (_refine(task, tried.line, bias) if bias > 0 else None) or tried
        line = _steadied(task, best.line, bias, _BLEND_MM * room) if room > 0.1 else best.line
        corridor = measure_corridor(task, line)
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
    return free > -_TOLERATED_MM and _too_high(task, tried.line, tried.span) < _TOLERATED_MM


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
                if _too_high(task, turned, span) > _TOLERATED_MM:
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
