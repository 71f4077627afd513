"""What limits a line through a pedicle: gaps to the wall, and the height of the entry."""

from __future__ import annotations

import numpy as np

from guidegen.model.arrays import Floats, Ints
from guidegen.planning.coarse import Task
from guidegen.planning.line import Line
from guidegen.planning.wall import Span


def counted_gaps(
    task: Task, line: Line, span: Span, end: float, bias_mm: float
) -> tuple[Floats, Floats, Floats, Floats]:
    """Measure what limits a line from ``cap_mm`` under the entry to its end.

    The entry's face is no wall of the corridor, but the screw must be inside it: its points count
    as the corridor that would allow a screw of their radius, and not at all beyond the thickest.

    Args:
        task: The pedicle.
        line: In the vertebra's frame.
        span: Where it enters and leaves the bone.
        end: Place of the tip along the line, mm.
        bias_mm: The canal's wall counts this much nearer.

    Returns:
        (M,) gaps in mm as they count, (M,) places along the line, (M, 3) unit vectors outwards,
        and (M,) what 1 mm of distance weighs in each gap.
    """
    limits = task.limits
    radii, places, outwards = task.wall.radii(line, span.entry + limits.cap_mm, end)
    face = radii > places - span.entry
    keep = ~face | (radii < limits.max_diameter_mm / 2)
    radii, places, outwards, face = radii[keep], places[keep], outwards[keep], face[keep]
    weights = np.where(face, 1.0 / limits.corridor_share, 1.0)
    gaps = radii * weights - _bias(task, line, places, outwards, bias_mm)
    return gaps, places, outwards, weights


def too_high_mm(task: Task, line: Line, span: Span) -> float:
    """How far the entry lies above the highest place allowed, mm; negative is allowed."""
    entry = line.point + span.entry * line.direction
    return float(entry[2] - task.start.point[2] - task.limits.entry_height_mm)


def tip_room(task: Task, line: Line, end: float) -> tuple[Floats, Floats]:
    """How far a tip is from where it may not go across.

    Args:
        task: The pedicle.
        line: In the vertebra's frame.
        end: Place of the tip along the line, mm.

    Returns:
        (K,) mm to the limit on its own side and to that on the other (negative: beyond it), and
        (K, 3) unit vectors to them; K is 0 where the tip may lie anywhere.
    """
    low, high = task.limits.tip_lateral_mm
    if not np.isfinite([low, high]).all():
        return np.zeros(0), np.zeros((0, 3))
    lateral, own = line.lateral(end), np.array([line.side, 0.0, 0.0])
    return np.array([high - lateral, lateral - low]), np.stack([own, -own])


def nearest_each(gaps: Floats, places: Floats, outwards: Floats) -> Ints:
    """Keep the nearest point in each cell of 15 deg x 2 mm: indices."""
    angle = np.floor(np.degrees(np.arctan2(outwards[:, 2], outwards[:, 0])) / 15.0)
    cell = (angle * 1000 + np.floor(places / 2.0)).astype(np.int64)
    order = np.lexsort((gaps, cell))
    first = np.append(True, np.diff(cell[order]) != 0)
    return np.asarray(order[first])


def _bias(task: Task, line: Line, places: Floats, outwards: Floats, bias_mm: float) -> Floats:
    """How much nearer the canal's wall counts: points facing the midline beside the canal."""
    y = line.point[1] + places * line.direction[1]
    medial = (-task.start.side * outwards[:, 0] > 0.5) & (y > task.wall.body_back_mm - 1.0)
    return np.where(medial, bias_mm, 0.0)
