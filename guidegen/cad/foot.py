"""The flat foot of a model: a plate that carries the label, large enough not to topple."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from guidegen.cad.channel import EDGE_MM
from guidegen.cad.label import Layout, engraving, fit_layout, line_outlines
from guidegen.cad.model_settings import ModelSettings
from guidegen.mesh.solid import Solid
from guidegen.model.arrays import Floats
from guidegen.model.guide import Feature

MARK_MM = 4.5
"""Height of the side marks L and R."""
_MARK_RADIUS_MM = 4.3
_MARK_ROOM_MM = 10.0
_LABEL_MM = 40.0
_BESIDE_MM = 2.0
_CORNER_MM = 5.0
_UP = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True, eq=False)
class Foot:
    """A plate square to z, in the foot's frame (x left, y back, z head).

    Args:
        low_mm: (3,) lowest corner.
        high_mm: (3,) highest corner.
        layout: Of the label.
        label_mm: (3,) the label's middle on the upper face.
    """

    low_mm: Floats
    high_mm: Floats
    layout: Layout
    label_mm: Floats

    @property
    def top_mm(self) -> float:
        """Height of the upper face."""
        return float(self.high_mm[2])

    def plate(self) -> Solid:
        """The plate with rounded corners."""
        half, middle = (self.high_mm - self.low_mm) / 2, (self.high_mm + self.low_mm) / 2
        pose = np.eye(4)
        pose[:3, 3] = middle[0], middle[1], self.low_mm[2]
        outline = rounded_outline(half[0], half[1])
        return Solid.extrude([outline], 2 * half[2], pose, "foot").refined(EDGE_MM)

    def marks(self) -> dict[str, Floats]:
        """Middles of the side marks, at the patient's left and right of the label."""
        room = np.array([self.layout.half_mm[0] + _MARK_ROOM_MM / 2, 0.0, 0.0])
        return {"L": self.label_mm + room, "R": self.label_mm - room}

    def texts(self, depth_mm: float) -> list[Solid]:
        """Label and side marks, read by someone who looks at the model's front from above."""
        found = [engraving(self.layout.outlines(), np.eye(3), self.label_mm, depth_mm)]
        for mark, middle in self.marks().items():
            outlines = line_outlines(mark, MARK_MM, (0.0, 0.0))
            found.append(engraving(outlines, np.eye(3), middle, depth_mm))
        return found

    def labels(self, words: Sequence[str], settings: ModelSettings) -> list[Feature]:
        """Label and side marks."""
        radius = float(np.hypot(*self.layout.half_mm))
        texts = [(" ".join(words), self.label_mm, radius, self.layout.height_mm)]
        texts += [(m, at, _MARK_RADIUS_MM, MARK_MM) for m, at in self.marks().items()]
        found = []
        for text, at, reach, height in texts:
            values = {"radius_mm": reach, "depth_mm": settings.text_depth_mm}
            found.append(Feature("label", text, at, _UP, {**values, "text_height_mm": height}))
        return found

    def feature(self) -> Feature:
        """The foot itself: centre of its lower face, way down."""
        size = self.high_mm - self.low_mm
        middle = np.append((self.high_mm + self.low_mm)[:2] / 2, self.low_mm[2])
        values = {"width_mm": float(size[0]), "depth_mm": float(size[1]), "area_mm2": self.area_mm2}
        return Feature("foot", "foot", middle, -_UP, values)

    @property
    def area_mm2(self) -> float:
        """Of the lower face."""
        half = (self.high_mm - self.low_mm) / 2
        x, y = rounded_outline(half[0], half[1]).T
        return float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2)


def find_foot(
    points_mm: Floats,
    centre_mm: Floats,
    body_mm: tuple[float, float],
    words: Sequence[str],
    settings: ModelSettings,
) -> Foot:
    """Size the plate: under everything, round the lowest body, stable, with room for the label.

    Args:
        points_mm: (N, 3) of everything that stands on it, foot's frame: origin in the lowest
            body's centre.
        centre_mm: (3,) centre of mass.
        body_mm: Width and depth of the lowest body.
        words: Of the label.
        settings: Sizes.
    """
    top = float(points_mm[:, 2].min()) - settings.foot_clearance_mm
    layout = fit_layout(words, _LABEL_MM, settings)
    front = -body_mm[1] / 2 - _BESIDE_MM - layout.half_mm[1]
    label = np.array([0.0, front, top])
    height = centre_mm[2] - top + settings.foot_thickness_mm
    reach = height * np.tan(np.radians(settings.stable_deg))
    body = np.array(body_mm) / 2 + settings.foot_margin_mm
    text = np.add(layout.half_mm, (_MARK_ROOM_MM, 0.0))
    low = np.min([-body, centre_mm[:2] - reach, label[:2] - text], axis=0)
    high = np.max([body, centre_mm[:2] + reach, label[:2] + text], axis=0)
    thick = settings.foot_thickness_mm
    return Foot(np.append(low, top - thick), np.append(high, top), layout, label)


def rounded_outline(half_x: float, half_y: float) -> Floats:
    """(N, 2): a rectangle about the origin with round corners, counter-clockwise, mm."""
    turn = np.radians(np.arange(0.0, 91.0, 10.0))
    arc = _CORNER_MM * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    found = []
    for n, (sx, sy) in enumerate(((1, 1), (-1, 1), (-1, -1), (1, -1))):
        c, s = np.round(np.cos(n * np.pi / 2)), np.round(np.sin(n * np.pi / 2))
        corner = np.array([sx * (half_x - _CORNER_MM), sy * (half_y - _CORNER_MM)])
        found.append(corner + arc @ np.array([[c, s], [-s, c]]))
    return np.concatenate(found)
