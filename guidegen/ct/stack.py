"""The geometry of a stack of slices, from their positions projected on the slice normal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from guidegen.ct.headers import SliceHeader
from guidegen.errors import IncompleteSeries, UnsupportedScan
from guidegen.model.arrays import Floats

PLACE_TOLERANCE_MM = 0.1
"""How far a slice may lie off the regular grid; engineering choice: half of the guide's fit gap,
and above what positions rounded to 0.1 mm give."""

GAP_TOLERANCE = 0.25
"""How far one gap may differ from the usual gap, as a share; engineering choice: a missing slice
makes 1.0, positions rounded to 0.1 mm at 0.625 mm spacing make 0.17."""

MAX_TILT_DEG = 40.0
"""Largest tilt that is resampled; engineering choice: gantries tilt up to 30 degrees."""


@dataclass(frozen=True, eq=False)
class Stack:
    """Slices in order on a regular grid, perhaps sheared by a tilted gantry.

    Args:
        order: Places in the given sequence, along the slice normal.
        matrix: (4, 4) patient_from_kji of the first slice's pixels; k runs along the normal.
        shear_ji_px: Shift of each slice against the one before, in pixels along j and i.
        tilt_deg: Angle between the normal and the line through the slices' corners.
    """

    order: tuple[int, ...]
    matrix: Floats
    shear_ji_px: tuple[float, float]
    tilt_deg: float


def along_normal(slices: Sequence[SliceHeader]) -> tuple[Floats, Floats, Floats]:
    """Axes and heights of slices that share one orientation.

    Returns:
        (3, 3) unit axes k, j, i as columns in LPS, (N, 3) positions, (N,) heights along k.

    Raises:
        UnsupportedScan: The direction cosines are not two unit vectors at right angles.
    """
    cosines = np.array([s.orientation for s in slices], dtype=np.float64).mean(axis=0).reshape(2, 3)
    lengths = np.linalg.norm(cosines, axis=1)
    if np.abs(lengths - 1).max() > 0.01 or abs(cosines[0] @ cosines[1]) > 0.01:
        raise UnsupportedScan(
            "the orientation in the headers is not two directions at right angles: "
            "the export is damaged; export it again from the PACS"
        )
    row = cosines[0] / lengths[0]
    normal = np.cross(row, cosines[1])
    normal /= np.linalg.norm(normal)
    axes = np.stack([normal, np.cross(normal, row), row], axis=1)
    positions = np.array([s.position for s in slices], dtype=np.float64)
    return axes, positions, positions @ normal


def sorted_places(slices: Sequence[SliceHeader], heights: Floats) -> list[int]:
    """Places of slices from the lowest to the highest along the normal."""
    keys = [(round(float(h), 3), s.instance, s.file) for h, s in zip(heights, slices, strict=True)]
    return sorted(range(len(slices)), key=lambda n: (keys[n], n))


def stack_slices(slices: Sequence[SliceHeader]) -> Stack:
    """Check the positions and lay the slices on a grid.

    Args:
        slices: One orientation, size and pixel spacing; every slice with a position.

    Raises:
        IncompleteSeries: Slices are missing, doubled or uneven.
        UnsupportedScan: One slice only, or shifted sideways in a way that no tilt explains.
    """
    if len(slices) < 2:
        raise UnsupportedScan(
            "the series is a single slice, a volume is needed: name the folder with all slices"
        )
    axes, positions, heights = along_normal(slices)
    order = sorted_places(slices, heights)
    numbers = _numbers([slices[n] for n in order])
    step = _require_even(heights[order], numbers)
    origin, drift = _drift(positions[order], axes, step, numbers)
    spacing = slices[0].spacing
    assert spacing is not None  # the caller's promise
    matrix = np.eye(4)
    matrix[:3, :3] = axes * np.array([step, spacing[0], spacing[1]])
    matrix[:3, 3] = origin
    in_plane = drift @ axes[:, 1:]
    tilt = float(np.degrees(np.arctan2(np.linalg.norm(in_plane), step)))
    if tilt > MAX_TILT_DEG:
        raise UnsupportedScan(
            f"the slices are sheared by {tilt:.0f} deg, at most {MAX_TILT_DEG:.0f} can be put "
            "straight: export an axial series"
        )
    pixels = np.where(np.abs(in_plane) * (len(order) - 1) < 0.01, 0.0, in_plane / spacing)
    return Stack(tuple(order), matrix, (float(pixels[0]), float(pixels[1])), tilt)


def _numbers(ordered: Sequence[SliceHeader]) -> list[int]:
    """Number slices from 1 in the direction in which the scanner counted them."""
    n = len(ordered)
    upwards = ordered[0].instance <= ordered[-1].instance
    return list(range(1, n + 1)) if upwards else list(range(n, 0, -1))


def _require_even(heights: Floats, numbers: list[int]) -> float:
    """The step of evenly spaced, sorted heights."""
    gaps = np.diff(heights)
    expected = float(np.median(gaps[gaps > 1e-3])) if (gaps > 1e-3).any() else 0.0
    if (gaps <= 1e-3).any():
        first = int(np.argmax(gaps <= 1e-3))
        raise IncompleteSeries(
            f"slices {_pair(numbers, first)} lie at the same position with different pixels, "
            f"and so at {int((gaps <= 1e-3).sum())} places: the series mixes several "
            "reconstructions or times; export one alone"
        )
    off = np.abs(gaps - expected)
    worst = int(np.argmax(off))
    if off[worst] > GAP_TOLERANCE * expected:
        others = int((off > GAP_TOLERANCE * expected).sum()) - 1
        more = f" (and {others} more such places)" if others else ""
        kind = "incomplete" if gaps[worst] > expected else "uneven"
        raise IncompleteSeries(
            f"slices {_pair(numbers, worst)} are {_mm(gaps[worst])} mm apart, expected "
            f"{_mm(expected)} mm{more}: the series is {kind}; export it again"
        )
    places = np.arange(len(heights))
    step, start = np.polyfit(places, heights, 1)
    stray = np.abs(heights - (start + step * places))
    worst = int(np.argmax(stray))
    if stray[worst] > PLACE_TOLERANCE_MM:
        raise IncompleteSeries(
            f"the gaps between slices run from {_mm(gaps.min())} to {_mm(gaps.max())} mm, slice "
            f"{numbers[worst]} lies {stray[worst]:.2f} mm off an even spacing of {_mm(step)} mm: "
            "the series is uneven; export one even reconstruction"
        )
    return float(step)


def _drift(
    positions: Floats, axes: Floats, step: float, numbers: list[int]
) -> tuple[Floats, Floats]:
    """Position of the first corner, and sideways shift a slice (3,), both fitted to all."""
    places = np.arange(len(positions), dtype=np.float64)
    corners = positions - places[:, None] * step * axes[:, 0]
    fit = np.polyfit(places, corners, 1)
    drift, origin = fit[0], fit[1]
    drift = drift - (drift @ axes[:, 0]) * axes[:, 0]
    stray = np.linalg.norm(corners - origin - places[:, None] * drift, axis=1)
    worst = int(np.argmax(stray))
    if stray[worst] > 2 * PLACE_TOLERANCE_MM:
        raise UnsupportedScan(
            f"slice {numbers[worst]} is shifted sideways by {stray[worst]:.2f} mm against a "
            "straight stack, which no constant gantry tilt explains: export one even "
            "reconstruction"
        )
    if float(np.linalg.norm(drift)) * (len(positions) - 1) < PLACE_TOLERANCE_MM:
        return corners.mean(axis=0), np.zeros(3)
    return origin, drift


def _pair(numbers: list[int], place: int) -> str:
    low, high = sorted((numbers[place], numbers[place + 1]))
    return f"{low} and {high}"


def _mm(value: float) -> str:
    return f"{float(value):.2f}".rstrip("0").rstrip(".")
