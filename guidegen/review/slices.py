"""One slice of the CT on any plane, with the outlines of what it cuts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from guidegen.errors import GuidegenError, InputError
from guidegen.model.arrays import Floats, Ints
from guidegen.model.frames import PATIENT, Pose
from guidegen.model.volume import CTVolume
from guidegen.report.contour import contours
from guidegen.report.plane import Plane, hu_at, letter

MAX_PIXELS = 1_200_000
SQUARE = 1e-3
SUPERIOR = {"H": "S", "F": "I"}


@dataclass(frozen=True, eq=False)
class Frame:
    """A rectangle of a plane.

    Args:
        plane: Its origin is the rectangle's middle.
        width: Pixels to the right.
        height: Pixels down.
        step_mm: Side of a pixel.
    """

    plane: Plane
    width: int
    height: int
    step_mm: float

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Frame:
        """Read a rectangle from a request.

        Raises:
            InputError: A number is missing, is none or is out of range.
        """
        try:
            centre, right, down = (_vector(query[n]) for n in ("centre", "right", "down"))
            width, height = int(query["w"]), int(query["h"])
            step = float(query["step"])
        except (KeyError, ValueError) as error:
            raise InputError("a slice wants centre, right, down, w, h and step") from error
        sound = width > 0 and height > 0 and width * height <= MAX_PIXELS and 0.01 <= step <= 20
        if not sound or abs(float(right @ down)) > SQUARE * np.linalg.norm(down):
            raise InputError("a slice wants up to 1.2 million pixels and square axes")
        try:
            return cls(Plane(centre, right, -down), width, height, step)
        except GuidegenError as error:
            raise InputError("a slice wants axes with a length") from error

    def pixels(self, flat_mm: Floats) -> Floats:
        """Turn mm right and up from the middle (N, 2) into pixels right and down."""
        middle = np.array([self.width, self.height]) / 2
        return np.asarray(middle + flat_mm * np.array([1.0, -1.0]) / self.step_mm)

    @property
    def reach_mm(self) -> float:
        """From the middle to the farther edges."""
        return max(self.width, self.height) / 2 * self.step_mm


@dataclass(frozen=True, eq=False)
class Outlined:
    """A closed surface whose outline is drawn.

    Args:
        name: ``L3``.
        kind: ``bone``, ``guide`` or ``preview``.
        vertices_mm: (V, 3).
        faces: (F, 3).
        planned: Something is planned on it.
    """

    name: str
    kind: str
    vertices_mm: Floats
    faces: Ints
    planned: bool = True

    def meets(self, frame: Frame) -> bool:
        """False if its box lies beside the rectangle or its plane."""
        low, high = self.vertices_mm.min(axis=0), self.vertices_mm.max(axis=0)
        middle, half = (low + high) / 2, (high - low) / 2
        away = middle - frame.plane.origin_mm
        normal = frame.plane.normal
        if abs(float(away @ normal)) > float(half @ np.abs(normal)):
            return False
        return bool(np.linalg.norm(away) < np.linalg.norm(half) + 1.5 * frame.reach_mm)


def slice_of(
    volume: CTVolume, frame: Frame, solids: Iterable[Outlined]
) -> tuple[dict[str, Any], Floats]:
    """Sample the CT and cut the surfaces.

    Returns:
        Outlines in pixels and the patient's side at each edge, and (H, W) HU.
    """
    lines = []
    for solid in solids:
        if solid.meets(frame):
            found = contours(solid.vertices_mm, solid.faces, frame.plane, frame.reach_mm * 1.5)
            drawn = [frame.pixels(line).round(2).ravel().tolist() for line in found]
            told = {"name": solid.name, "kind": solid.kind, "planned": solid.planned}
            lines.append({**told, "lines": drawn})
    return {"contours": lines, "marks": marks(frame.plane)}, sampled(volume, frame)


def marks(plane: Plane) -> dict[str, str]:
    """The patient's side at each edge of a picture: L, R, A, P, S, I, or two of them."""
    patient = Pose.from_axes(np.eye(3), np.zeros(3), PATIENT, PATIENT)
    ways = {"left": -plane.right, "right": plane.right, "top": plane.up, "bottom": -plane.up}
    found = {edge: letter(way, patient) for edge, way in ways.items()}
    return {e: "".join(SUPERIOR.get(c, c) for c in text) for e, text in found.items()}


def sampled(volume: CTVolume, frame: Frame) -> Floats:
    """(H, W) HU, linearly interpolated; air outside the scan."""
    right, down = (_centred(count) * frame.step_mm for count in (frame.width, frame.height))
    return hu_at(volume, frame.plane, right, -down)


def _centred(count: int) -> Floats:
    """(count,) places of pixels about the middle of their row, in pixels."""
    return np.asarray(np.arange(count) + 0.5 - count / 2, dtype=np.float64)


def _vector(text: str) -> Floats:
    found = np.array([float(part) for part in text.split(",")], dtype=np.float64)
    if found.shape != (3,) or not np.isfinite(found).all():
        raise ValueError(text)
    return found
