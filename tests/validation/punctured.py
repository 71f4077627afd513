"""Templates and models of a kyphoplasty as they are in their files, measured without the program.

Solids and rods by exact booleans, rays by trimesh, the skin in closed form.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import trimesh
from manifold3d import Manifold

from guidegen.mesh.io import read_stl
from guidegen.mesh.sdf import signed_distance
from guidegen.model.arrays import Floats
from guidegen.phantoms.skin import outside_skin
from tests.validation.cases import Case
from tests.validation.parts import solid

TEMPLATE = "guides/template_skin.stl"
SPANS_MM = {"guides": (-np.inf, 0.0), "models": (-np.inf, np.inf)}
"""Where along a path, from its entry, a part of a folder has the path's bore."""
_OUT_MM, _BEYOND_MM = 120.0, 60.0
_FACING_DEG = 30.0
_NEAR_MM = 2.0
_UNDER_TEXT_MM = 8.0
_UNDER = 0.8
_SIDES = 128


def mesh_of(case: Case, file: str) -> trimesh.Trimesh:
    """A part as trimesh sees it."""
    return trimesh.Trimesh(*read_stl(case.root / file))


def n_bodies(case: Case, file: str) -> int:
    """How many separate closed bodies a part has; asserts that it is closed and outward."""
    whole = mesh_of(case, file)
    assert whole.is_watertight and whole.is_winding_consistent and whole.volume > 0
    return len(solid(*read_stl(case.root / file)).decompose())


def rod(start_mm: Floats, end_mm: Floats, diameter_mm: float) -> Manifold:
    """A round rod between two points."""
    length = float(np.linalg.norm(end_mm - start_mm))
    way = (end_mm - start_mm) / length
    made = Manifold.cylinder(length, diameter_mm / 2, circular_segments=_SIDES)
    one = np.linalg.svd(way[None])[2][1]
    axes = np.stack([one, np.cross(way, one), way], axis=1)
    return made.transform(np.column_stack([axes, start_mm]))


def met_by_rod_mm3(case: Case, file: str, name: str, to_tip: bool = False) -> float:
    """Volume of a part that a rod of the needle's diameter meets on the planned axis.

    Args:
        case: Built.
        file: Of the part.
        name: Of the path.
        to_tip: The rod ends at the tip; else it goes right through.
    """
    path = case.path(name)
    entry, tip = np.array(path["entry_mm"]), np.array(path["tip_mm"])
    way = (tip - entry) / np.linalg.norm(tip - entry)
    end = tip if to_tip else tip + _BEYOND_MM * way
    needle = rod(entry - _OUT_MM * way, end, path["diameter_mm"])
    return float((solid(*read_stl(case.root / file)) ^ needle).volume())


def record(case: Case, file: str) -> dict[str, Any]:
    """A part's record in the manifest."""
    return next(f for f in case.json("manifest.json")["files"] if f["file"] == file)


def _engraved(points: Floats, marks: list[dict[str, Any]]) -> Any:
    """(N,): which points lie under or in a patch of engraved text, by the manifest's sizes."""
    found = np.zeros(len(points), dtype=bool)
    for mark in marks:
        offset = points - np.array(mark["centre_mm"])
        deep = offset @ np.array(mark["normal"])
        flat = np.linalg.norm(offset - deep[:, None] * np.array(mark["normal"]), axis=1)
        found |= (flat < mark["values"]["radius_mm"]) & (np.abs(deep) < _UNDER_TEXT_MM)
    return found


def thinnest_facing_mm(case: Case, file: str, n: int = 60_000) -> float:
    """Least way through the part between two surfaces that face each other within 30 degrees.

    Rays of trimesh from points all over the surface, straight in; engraved texts and the surface
    opposite to them are left out. A wall's inscribed sphere is no larger than this way, so that a
    wall which is too thin here is too thin; corners, which are no walls, do not count.
    """
    part = mesh_of(case, file)
    points, faces = trimesh.sample.sample_surface(part, n, seed=7)
    normals = part.face_normals[faces]
    hits, rays, hit_faces = part.ray.intersects_location(
        points - 1e-4 * normals, -normals, multiple_hits=False
    )
    way = np.linalg.norm(hits - points[rays], axis=1)
    facing = np.einsum("ij,ij->i", part.face_normals[hit_faces], -normals[rays])
    counted = (facing > np.cos(np.radians(_FACING_DEG))) & (way > 0.01)
    counted &= ~_engraved(points[rays], record(case, file).get("engravings", []))
    return float(way[counted].min())


def underside(case: Case) -> Floats:
    """(N, 3) points all over the template's underside, the sleeves' left out."""
    part = mesh_of(case, TEMPLATE)
    points, faces = trimesh.sample.sample_surface(part, 60_000, seed=7)
    under = part.face_normals[faces] @ np.array(record(case, TEMPLATE)["insertion_direction"])
    gap = outside_skin(points[:, 0], points[:, 1])
    return np.asarray(points[(under > _UNDER) & (gap < _NEAR_MM)])


def gaps_to_skin_mm(case: Case) -> Floats:
    """(N,) distances of the template's underside from the phantom's skin in closed form."""
    points = underside(case)
    return np.asarray(outside_skin(points[:, 0], points[:, 1]))


def gaps_to_found_skin_mm(case: Case) -> Floats:
    """(N,) distances of the template's underside from the skin that it was made for."""
    skin = case.bone("skin")
    return np.asarray(signed_distance(underside(case), skin.vertices_mm, skin.faces))
