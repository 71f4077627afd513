"""A vertebra with flat walls whose heights, angle and volume are known in closed form."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from guidegen.mesh.solid import Solid
from guidegen.model.bone import Bone
from guidegen.model.frames import PATIENT, Pose
from guidegen.model.landmarks import Landmark, Landmarks

UPRIGHT = Pose(np.eye(4), PATIENT, "L1")
BOX = np.array([[0, 3, 2, 1], [4, 5, 6, 7], [0, 1, 5, 4], [1, 2, 6, 5], [2, 3, 7, 6], [3, 0, 4, 7]])
FACES = np.concatenate([BOX[:, [0, 1, 2]], BOX[:, [0, 2, 3]]])


def block(low, high):
    """A box between two corners."""
    return prism(low[0], high[0], [(low[1], low[2]), (high[1], low[2]), (high[1], high[2]),
                                   (low[1], high[2])])  # fmt: skip


def prism(x0, x1, yz):
    """Four corners (y, z), counter-clockwise seen from +x, drawn out from x0 to x1."""
    (a, b, c, d) = yz
    points = np.array(
        [(x0, *a), (x1, *a), (x1, *b), (x0, *b), (x0, *d), (x1, *d), (x1, *c), (x0, *c)], float
    )
    return Solid.from_mesh(points, FACES)


def rod(start, way, length, diameter):
    """A cylinder."""
    return Solid.cylinder(np.array(start, float), np.array(way, float), length, diameter)


@dataclass
class WedgeBody:
    """Front wall at y -15, back wall at +15, canal of radius 8 behind it, walls flat."""

    front_mm: float = 20.0
    back_mm: float = 26.0
    width_mm: float = 40.0
    minus: list[Solid] = field(default_factory=list)
    plus: list[Solid] = field(default_factory=list)

    @property
    def solid(self):
        f, b, w = self.front_mm / 2, self.back_mm / 2, self.width_mm / 2
        body = prism(-w, w, [(-15, -f), (15, -b), (15, b), (-15, f)])
        sides = [block((8, 14, -2), (18, 32, 8)), block((-18, 14, -2), (-8, 32, 8))]
        lamina = block((-18, 31, -2), (18, 45, 8))
        whole = Solid.union([body, lamina, *sides, *self.plus])
        return whole.minus(self.minus) if self.minus else whole

    def height(self, share):
        """Between the plates at this share of the depth."""
        return self.front_mm + share * (self.back_mm - self.front_mm)

    @property
    def kyphosis_deg(self):
        return 2 * np.degrees(np.arctan2((self.back_mm - self.front_mm) / 2, 30.0))

    def bone(self, pose=UPRIGHT, complete=True, mirrored=False):
        points, faces = self.solid.arrays()
        if mirrored:
            points, faces = points * (-1.0, 1.0, 1.0), faces[:, ::-1]
        return Bone("L1", pose.points(points), faces, complete=complete)

    def landmarks(self, pose=UPRIGHT, tilt_deg=0.0):
        """Landmarks as found on it; ``tilt_deg`` puts an error on the plates' normals."""
        half = (self.front_mm + self.back_mm) / 4
        lean = np.radians(self.kyphosis_deg / 2 + tilt_deg)
        marks = [
            Landmark("body_centre", pose.origin_mm, 0.3, "made",
                     {"width_mm": self.width_mm, "depth_mm": 29.0}),
            Landmark("canal_centre", pose.points((0.0, 23.0, 3.0)), 0.3, "made",
                     {"radius_mm": 8.0}),
        ]  # fmt: skip
        for name, up in (("superior", 1.0), ("inferior", -1.0)):
            normal = pose.vectors((0.0, -np.sin(lean), up * np.cos(lean)))
            at = pose.points((0.0, 0.0, up * half))
            values = {"normal": tuple(float(v) for v in normal)}
            marks.append(Landmark(f"{name}_endplate_centre", at, 0.2, "made", values))
        return Landmarks("L1", pose, tuple(marks))
