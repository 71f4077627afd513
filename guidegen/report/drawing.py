"""Vector drawings over pictures: lines in the report's own drawing units, y down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from guidegen.model.arrays import Floats

UNITS_PER_MM = 20


@dataclass(frozen=True)
class Stroke:
    """A line or area; ``style`` is its class in the style sheet."""

    style: str
    d: str


@dataclass(frozen=True)
class Circle:
    """A circle in drawing units; ``style`` is its class in the style sheet."""

    style: str
    x: float
    y: float
    radius: float


@dataclass(frozen=True)
class Note:
    """A short text at a place in drawing units."""

    text: str
    x: float
    y: float
    style: str = ""


@dataclass(frozen=True)
class Figure:
    """A picture with a drawing on it.

    Args:
        caption: Below the picture.
        width: Drawing units across.
        height: Drawing units down.
        image: Data URI, or "" for none.
        marks: Patient's side at ``left``, ``right``, ``top`` and ``bottom``.
        bar: Length of the scale bar in drawing units.
        bar_text: What the bar stands for.
        text: Height of letters in drawing units.
        dark: Light letters on a dark picture.
    """

    caption: str
    width: float
    height: float
    image: str = ""
    marks: dict[str, str] = field(default_factory=dict)
    strokes: tuple[Stroke, ...] = ()
    circles: tuple[Circle, ...] = ()
    notes: tuple[Note, ...] = ()
    bar: float = 0.0
    bar_text: str = ""
    text: float = 60.0
    dark: bool = False


def line(points: Floats, field_mm: float, closed: bool = False) -> str:
    """Write points (N, 2), mm right and up from the middle of a square picture, as a path."""
    scaled = np.rint((np.asarray(points) * (1, -1) + field_mm / 2) * UNITS_PER_MM).astype(np.int64)
    text = "M" + "L".join(f"{x} {y}" for x, y in scaled.tolist())
    return text + "Z" if closed else text


def loops(curves: Sequence[Floats], field_mm: float) -> str:
    """Write closed curves as one path."""
    return "".join(line(curve[:-1], field_mm, closed=True) for curve in curves)


def rectangle(start: Floats, end: Floats, width_mm: float) -> Floats:
    """Corners (4, 2) of the rectangle along a segment."""
    along = (end - start) / max(float(np.linalg.norm(end - start)), 1e-9)
    side = np.array([-along[1], along[0]]) * width_mm / 2
    return np.array([start + side, end + side, end - side, start - side])


def bar_mm(width_mm: float) -> float:
    """A round length for a scale bar, about a fifth of the picture."""
    fits = [b for b in (1, 2, 5, 10, 20, 50, 100, 200) if b <= width_mm * 0.25]
    return float(fits[-1]) if fits else 1.0
