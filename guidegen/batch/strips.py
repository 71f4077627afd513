"""Distributions as strips of dots: every value is seen, and what it is said of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from guidegen.batch.result import Row

WIDTH = 520.0
BINS = 65
ROOM = 1.05
MOST = 2.0
"""Shares beyond this are drawn at it."""


@dataclass(frozen=True)
class Dot:
    """A value: where it is drawn, what it is, whether it is beyond its limit."""

    x: float
    y: float
    text: str
    beyond: bool


@dataclass(frozen=True)
class Strip:
    """One line of dots.

    Args:
        title: Of what.
        dots: In drawing units; x from 0 to 520, y upwards from 0 in steps of one dot.
        mark: Where the limit is; None where there is none.
        ends: What stands at both ends.
        height: How many dots stand on each other at most.
    """

    title: str
    dots: tuple[Dot, ...]
    mark: float | None
    ends: tuple[str, str]
    height: int


def error_strips(rows: Sequence[Row]) -> list[Strip]:
    """A strip for each quantity: error as a share of its limit, 1 is the limit."""
    found: dict[str, list[tuple[float, str, bool]]] = {}
    for row in rows:
        for error in row.result.errors:
            text = f"{row.case.name} {error.subject} {error.value:+.2f} {error.unit}"
            point = (min(error.share, MOST), f"{text} of {error.limit:g}", not error.within)
            found.setdefault(error.quantity, []).append(point)
    return [_strip(name.replace("_", " "), found[name], 0.0, 1.0) for name in sorted(found)]


def clearance_strips(rows: Sequence[Row]) -> list[Strip]:
    """A strip for each procedure: bone between path and surface; under 0 it is outside."""
    found: dict[str, list[tuple[float, str, bool]]] = {}
    for row in rows:
        for name, value in row.result.facts.get("clearances_mm", {}).items():
            point = (float(value), f"{row.case.name} {name} {value:.2f} mm", value < 0)
            found.setdefault(row.case.procedure, []).append(point)
    lowest = min((p[0] for points in found.values() for p in points), default=0.0)
    return [_strip(name, found[name], min(lowest, 0.0), 0.0) for name in sorted(found)]


def time_strips(rows: Sequence[Row]) -> list[Strip]:
    """A strip for each procedure."""
    found: dict[str, list[tuple[float, str, bool]]] = {}
    for row in rows:
        if row.result.seconds > 0:
            text = f"{row.case.name} {row.result.seconds:.0f} s, {row.result.peak_mb:.0f} MB"
            point = (row.result.seconds, text, False)
            found.setdefault(row.case.procedure or "none", []).append(point)
    longest = max((p[0] for points in found.values() for p in points), default=1.0)
    return [_strip(name, found[name], 0.0, None, longest) for name in sorted(found)]


def _strip(
    title: str,
    points: Iterable[tuple[float, str, bool]],
    low: float,
    mark: float | None,
    high: float = 0.0,
) -> Strip:
    """Stack dots that fall into the same bin."""
    kept = sorted(points)
    most = max([value for value, _, _ in kept] + [mark or 0.0, high, low + 1e-6])
    scale = WIDTH / ((most - low) * ROOM)
    dots = tuple(_stacked(kept, low, scale))
    height = int(max((dot.y for dot in dots), default=0)) + 1
    at = None if mark is None else (mark - low) * scale
    return Strip(title, dots, at, (f"{low:.3g}", f"{most:.3g}"), height)


def _stacked(points: Sequence[tuple[float, str, bool]], low: float, scale: float) -> Iterator[Dot]:
    filled: dict[int, int] = {}
    for value, text, beyond in points:
        x = (value - low) * scale
        place = int(x / WIDTH * BINS)
        yield Dot((place + 0.5) * WIDTH / BINS, filled.get(place, 0), text, beyond)
        filled[place] = filled.get(place, 0) + 1
