"""What every long bone has: a surface to measure on, two ends and a shaft."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guidegen.errors import AnatomyError
from guidegen.mesh.sampling import face_areas_normals
from guidegen.model.arrays import Floats, unit
from guidegen.model.bone import Bone

WIDTH_MM = (50.0, 115.0)
"""Knees are so wide, femur and tibia (engineering choice: adults measure 65 to 95)."""
LEAST_SLENDER = 3.0
"""A whole femur or tibia is at least so many times as long as it is wide at the knee (engineering
choice: 5 to 6.5 in eight bones)."""

_SLICE_MM = 4.0
_SLICES = 12
_LEAST_SLICES = 3
"""Blocks of slices may leave the middle of a shaft out."""
_SHAFT_SHARES = ((0.35, 0.60), (0.18, 0.80))
"""Between these shares of the length a long bone is shaft; the second where a scan in blocks leaves
the middle out, whose ends are less straight (engineering choice)."""


def require_width(kind: str, width_mm: float) -> None:
    """Refuse what is too narrow or too wide to be a knee: another bone, or a wrong scale.

    Raises:
        AnatomyError: It is.
    """
    low, high = WIDTH_MM
    if not low <= width_mm <= high:
        raise AnatomyError(
            f"a {kind} {low:.0f} to {high:.0f} mm wide at the knee was wanted, found one of "
            f"{width_mm:.0f} mm: it is another bone, or the scan's scale is wrong"
        )


@dataclass(frozen=True, eq=False)
class Faces:
    """A surface as its faces.

    Args:
        centres: (F, 3) mm.
        normals: (F, 3) outward unit normals.
        areas: (F,) mm2.
        vertices: (V, 3) mm, those of the bone.
        triangles: (F, 3).
    """

    centres: Floats
    normals: Floats
    areas: Floats
    vertices: Floats
    triangles: np.ndarray

    @classmethod
    def of(cls, bone: Bone) -> Faces:
        """Take them from a bone."""
        areas, normals = face_areas_normals(bone.vertices_mm, bone.faces)
        centres = bone.vertices_mm[bone.faces].mean(axis=1)
        return cls(centres, normals, areas, bone.vertices_mm, bone.faces)

    def centroid(self, chosen: np.ndarray) -> Floats:
        """(3,): area-weighted centre of the chosen faces (F,) bool."""
        weights = self.areas[chosen]
        if not weights.sum() > 0:
            raise AnatomyError("a part of the bone that is needed is not in view")
        return np.asarray((self.centres[chosen] * weights[:, None]).sum(axis=0) / weights.sum())

    @property
    def long_axis(self) -> Floats:
        """(3,): unit vector along the greatest extent; either way round."""
        away = self.centres - self.centroid(np.ones(len(self.areas), dtype=bool))
        spread = (away * self.areas[:, None]).T @ away
        return unit(np.linalg.eigh(spread)[1][:, -1], "long axis")


@dataclass(frozen=True, eq=False)
class Shaft:
    """The straight line through the middle of a shaft.

    Args:
        point_mm: (3,) on it.
        up: (3,) unit vector to the proximal end.
        spread_mm: How far the slices' centres lie from it, standard deviation.
    """

    point_mm: Floats
    up: Floats
    spread_mm: float


def whole_shaft(faces: Faces, up: Floats) -> Shaft:
    """Fit a line to the shaft of a bone with both ends in view, see ``find_shaft``."""
    try:
        return find_shaft(faces, up, _SHAFT_SHARES[0])
    except AnatomyError:
        return find_shaft(faces, up, _SHAFT_SHARES[1], 2 * _SLICES)


def find_shaft(
    faces: Faces, up: Floats, share: tuple[float, float], n_slices: int = _SLICES
) -> Shaft:
    """Fit a line to the centres of slices through the shaft.

    Args:
        faces: The bone.
        up: (3,) roughly to the proximal end.
        share: From and to, along the bone from its distal end, 0 to 1.
        n_slices: How many slices.

    Raises:
        AnatomyError: The shaft is not in view.
    """
    along = faces.centres @ up
    low, length = float(along.min()), float(np.ptp(along))
    heights = low + length * np.linspace(*share, n_slices)
    slices = [np.abs(along - height) < _SLICE_MM for height in heights]
    seen = [faces.centroid(own) for own in slices if own.any()]
    if len(seen) < _LEAST_SLICES:
        raise AnatomyError("a part of the shaft that is needed is not in view")
    centres = np.array(seen)
    middle = centres.mean(axis=0)
    way = unit(np.linalg.svd(centres - middle)[2][0], "shaft")
    if way @ up < 0:
        way = -way
    beside = centres - middle
    beside = beside - (beside @ way)[:, None] * way
    return Shaft(middle, unit(way, "shaft"), float(np.sqrt((beside**2).sum(axis=1).mean())))


def square_to(vector: Floats, axis: Floats, name: str) -> Floats:
    """(3,): the part of a vector that is square to an axis, of unit length."""
    return unit(vector - (vector @ axis) * axis, name)
