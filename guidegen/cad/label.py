"""Text: its layout on a plate and the solids that engrave it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

import numpy as np
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.ttLib import TTFont

from guidegen.mesh.solid import Solid
from guidegen.model.arrays import Floats

_PITCH = 1.55
_TALLER_MM = 0.5
_CURVE_STEPS = 4
MARGIN_MM = 1.8
_READING = Lock()


@cache
def _font() -> tuple[Any, Any, dict[int, str], float]:
    """DejaVu Sans Bold (free licence, comes with matplotlib): glyphs, widths, map, cap height."""
    import matplotlib

    path = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans-Bold.ttf"
    font = TTFont(path, lazy=True)
    cap = float(font["glyf"]["H"].yMax)
    return font.getGlyphSet(), font["hmtx"], font.getBestCmap(), cap


def _curve(start: Floats, control: Sequence[Any]) -> list[Floats]:
    """Points along a TrueType curve with any number of control points, without its start."""
    points = [np.asarray(p, dtype=np.float64) for p in control]
    ends = [(a + b) / 2 for a, b in pairwise(points[:-1])] + [points[-1]]
    found = []
    for middle, end in zip(points[:-1], ends, strict=True):
        for t in np.arange(1, _CURVE_STEPS + 1) / _CURVE_STEPS:
            found.append((1 - t) ** 2 * start + 2 * t * (1 - t) * middle + t * t * end)
        start = end
    return found


@cache
def _glyph(letter: str) -> tuple[tuple[Floats, ...], float]:
    """Outlines (each (N, 2)) and advance of a letter, in units of the cap height."""
    with _READING:  # guides are made side by side, the font file has one reader
        glyphs, widths, names, cap = _font()
        name = names.get(ord(letter), names[ord("?")])
        pen = DecomposingRecordingPen(glyphs)
        glyphs[name].draw(pen)
        advance = widths[name][0] / cap
    outlines: list[list[Floats]] = []
    for command, points in pen.value:
        if command == "moveTo":
            outlines.append([np.asarray(points[0], dtype=np.float64)])
        elif command == "lineTo":
            outlines[-1].append(np.asarray(points[0], dtype=np.float64))
        elif command == "qCurveTo":
            outlines[-1].extend(_curve(outlines[-1][-1], points))
    return tuple(np.array(o) / cap for o in outlines), advance


def text_width(text: str) -> float:
    """Width of a line in units of its cap height."""
    return sum(_glyph(letter)[1] for letter in text)


def line_outlines(text: str, height_mm: float, middle_mm: tuple[float, float]) -> list[Floats]:
    """Outlines of one line, centred: x to the reader's right, y up, mm."""
    x = middle_mm[0] - text_width(text) * height_mm / 2
    y = middle_mm[1] - height_mm / 2
    found = []
    for letter in text:
        outlines, advance = _glyph(letter)
        found += [o * height_mm + [x, y] for o in outlines]
        x += advance * height_mm
    return found


@dataclass(frozen=True)
class Layout:
    """Lines of a label and the height of their capitals."""

    lines: tuple[str, ...]
    height_mm: float

    @property
    def half_mm(self) -> tuple[float, float]:
        """Half width and half height of the plate that holds it."""
        width = max(text_width(line) for line in self.lines) * self.height_mm
        tall = self.height_mm * (1 + _PITCH * (len(self.lines) - 1))
        return width / 2 + MARGIN_MM, tall / 2 + MARGIN_MM

    def outlines(self) -> list[Floats]:
        """Outlines of all lines about the plate's middle."""
        step = _PITCH * self.height_mm
        first = step * (len(self.lines) - 1) / 2
        found = []
        for n, line in enumerate(self.lines):
            found += line_outlines(line, self.height_mm, (0.0, first - n * step))
        return found


def parted(word: str, n: int) -> tuple[str, ...]:
    """Break a word into ``n`` pieces of about the same length, after ``_ - .`` where it can."""
    if n < 2 or len(word) < 2 * n:
        return (word,)
    middle = len(word) / n
    places = [k for k in range(1, len(word)) if word[k - 1] in "_-."]
    near = [k for k in places if abs(k - middle) <= 0.4 * middle]
    at = min(near or [round(middle)], key=lambda k: abs(k - middle))
    return (word[:at], *parted(word[at:], n - 1))


class HasTexts(Protocol):
    """Settings of a part with a label."""

    @property
    def text_height_mm(self) -> float:
        """Height of capitals where there is room."""

    @property
    def text_min_height_mm(self) -> float:
        """Smallest height that prints and reads."""


def fit_layout(words: Sequence[str], width_mm: float, settings: HasTexts) -> Layout:
    """Break words into lines so that the capitals are as tall as the plate's width allows.

    Fewer lines win unless more give letters that are 0.5 mm taller. The first word (the case) is
    parted where that helps; where it does not fit even in three lines of the smallest height, its
    end is left out, marked by a full stop. The other words are parted only where they do not fit
    otherwise: a plate wider than its room would lose its corners to the drill's way.

    Args:
        words: Case, level, hash, ...
        width_mm: Of the plate, margins included.
        settings: Text heights.
    """
    case, rest = words[0], list(words[1:])
    room = max(width_mm - 2 * MARGIN_MM, 6.0)
    choices = [(" ".join(words),), (case, " ".join(rest)), (case, *rest)]
    choices += [(*parted(case, n), *tail) for n in (2, 3) for tail in ((" ".join(rest),), rest)]
    best = Layout((), 0.0)
    for lines in choices:
        kept = tuple(line for line in lines if line)
        height = min(settings.text_height_mm, room / max(text_width(line) for line in kept))
        if height > best.height_mm + _TALLER_MM:
            best = Layout(kept, height)
    least = settings.text_min_height_mm
    if best.height_mm >= least:
        return best
    while len(case) > 1 and max(text_width(c) for c in parted(case + ".", 3)) * least > room:
        case = case[:-1]
    short = case if case == words[0] else case + "."
    tail = [piece for word in rest for piece in _fitting(word, room / least)]
    return Layout((*parted(short, 3), *tail), least)


def _fitting(word: str, room: float) -> tuple[str, ...]:
    """Break a word into as few pieces, at most three, as fit; widths in cap heights."""
    choices = [parted(word, n) for n in (1, 2, 3)]
    fit = (c for c in choices if max(text_width(piece) for piece in c) <= room)
    return next(fit, choices[-1])


def engraving(outlines: Sequence[Floats], axes: Floats, face_mm: Floats, depth_mm: float) -> Solid:
    """The solid that, cut away, engraves outlines into a face.

    Args:
        outlines: Flat outlines about the origin, x right, y up, mm.
        axes: (3, 3) columns: reading direction, up, outward normal of the face.
        face_mm: (3,) where the outlines' origin lies on the face.
        depth_mm: Into the part; the solid also stands 1.5 mm out of it.
    """
    pose = np.eye(4)
    pose[:3, :3] = axes
    pose[:3, 3] = face_mm - depth_mm * axes[:, 2]
    return Solid.extrude(outlines, depth_mm + 1.5, pose)
