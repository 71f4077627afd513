"""The skin under a puncture template: heights, what of it is skin, and its shadow; guide frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guidegen.cad.blockout import bone_distance, shadow
from guidegen.cad.template_outline import Outline
from guidegen.errors import GeometryError
from guidegen.mesh.grid import Field, Lattice
from guidegen.mesh.rays import RayTarget
from guidegen.mesh.sampling import face_areas_normals
from guidegen.model.arrays import Floats, Ints
from guidegen.model.bone import Bone
from guidegen.model.frames import Pose

SKIN_LEAN = 0.25
"""A face is skin if its normal has more than this towards the back; the others are where the
patient's surface was cut off."""
COARSE_MM = 1.4
_LOOK_MM = 2.0
_RIM_MM = 2.0


@dataclass(frozen=True, eq=False)
class Back:
    """The patient's back in the guide frame: z to the surgeon, y to the head.

    Args:
        patient_from_guide: The frame.
        vertices_mm: (V, 3).
        faces: (F, 3).
        rays: To look at it.
        normals: (F, 3) of its faces.
        towards: (3,) to the back.
    """

    patient_from_guide: Pose
    vertices_mm: Floats
    faces: Ints
    rays: RayTarget
    normals: Floats
    towards: Floats

    @classmethod
    def of(cls, skin: Bone, patient_from_guide: Pose, back: Floats) -> Back:
        """Move the skin into the frame; ``back`` (3,) is a unit vector, patient LPS."""
        guide_from_patient = patient_from_guide.inverse
        vertices = guide_from_patient.points(skin.vertices_mm)
        _, normals = face_areas_normals(vertices, skin.faces)
        towards = guide_from_patient.vectors(back)
        rays = RayTarget(vertices, skin.faces)
        return cls(patient_from_guide, vertices, skin.faces, rays, normals, towards)

    def seen_from(self, points_mm: Floats, way: Floats) -> tuple[Floats, Floats]:
        """Look from outside along ``way`` (3,) through points (N, 3).

        Returns:
            The first points of the surface (N, 3) and its normals there (N, 3); NaN where the
            patient is missed or what is met is no skin.
        """
        reach = float(np.ptp(self.vertices_mm, axis=0).sum())
        start = points_mm - reach * way
        far, face = self.rays.first_hit(start, way)
        normals = self.normals[face]
        met = (face >= 0) & (normals @ self.towards > SKIN_LEAN)
        places = start + np.where(np.isfinite(far), far, 0.0)[:, None] * way
        nan = np.full((1, 3), np.nan)
        return np.where(met[:, None], places, nan), np.where(met[:, None], normals, nan)

    def under(self, places_mm: Floats) -> tuple[Floats, Floats]:
        """Points (N, 3) of the skin straight under places (N, 2), and normals; NaN for none."""
        points = np.column_stack([places_mm, np.zeros(len(places_mm))])
        return self.seen_from(points, np.array([0.0, 0.0, -1.0]))


def places_in(outline: Outline, step_mm: float, beyond_mm: float = 0.0) -> Floats:
    """(N, 2): a grid of places in an outline, or up to ``beyond_mm`` outside it."""
    low, high = outline.low_mm - beyond_mm, outline.high_mm + beyond_mm
    x, y = (np.arange(low[n], high[n] + step_mm, step_mm) for n in range(2))
    places = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2)
    return np.asarray(places[outline.distance(places) <= beyond_mm])


def skin_heights(back: Back, outline: Outline, what: str) -> Floats:
    """(N, 3): points of the skin all over an outline and 2 mm round it.

    Raises:
        GeometryError: Somewhere under it there is no skin.
    """
    places = places_in(outline, _LOOK_MM, _RIM_MM)
    points, _ = back.under(places)
    bare = np.isnan(points[:, 2])
    if bare.any():
        off = places[bare].mean(axis=0) - (outline.low_mm + outline.high_mm) / 2
        across = "right" if off[0] > 0 else "left"
        along = "head" if off[1] > 0 else "foot"
        end = across if abs(off[0]) > abs(off[1]) else along
        raise GeometryError(
            f"{what} needs skin of the back in view under all of it, found none under "
            f"{bare.sum() * _LOOK_MM**2:.0f} mm2 at its {end} side; use a scan with a wider field "
            "of view or choose fewer levels"
        )
    return points


@dataclass(frozen=True, eq=False)
class Ground:
    """Distance to the skin over the whole template, coarse.

    Args:
        back: The skin.
        lattice: Coarse.
        distance: Signed, up to a bound.
        shadow: What stays free so that the template comes off.
    """

    back: Back
    lattice: Lattice
    distance: Field
    shadow: Field

    @classmethod
    def around(cls, back: Back, low_mm: Floats, high_mm: Floats, bound_mm: float) -> Ground:
        """Measure the skin in a box, exactly up to ``bound_mm`` from it."""
        lattice = Lattice.around(low_mm, high_mm, COARSE_MM)
        distance = bone_distance(lattice, back.vertices_mm, back.faces, bound_mm)
        return cls(back, lattice, distance, shadow(distance))
