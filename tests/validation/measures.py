"""What the validation measures on a phantom's case, against the analytic bones and the files.

Nothing here uses the planner's search, the landmarks or the program's own checks of bores: paths
are measured on the phantom's functions, parts on their STL files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from guidegen.batch.screw_paths import PathRow, angle_deg
from guidegen.batch.screw_paths import path_row as measured_path
from guidegen.mesh.io import read_stl
from guidegen.mesh.sdf import signed_distance
from guidegen.model.arrays import Floats
from guidegen.phantoms import truth
from guidegen.phantoms.neighbours import PartedField
from guidegen.phantoms.spine import Scene, Solid
from guidegen.phantoms.surface import distances
from tests.validation.cases import Case

REGIONS = ("pedicles", "body", "arch", "joints", "endplates", "cuts")
APART = ("endplates", "cuts")
"""Reported apart and left out of the limit: half-millimetre endplates, cuts through fused bone."""


def path_row(case: Case, name: str) -> PathRow:
    """Measure one planned path on the analytic surface."""
    return measured_path(case.scene, case.path(name))


def path_rows(case: Case) -> list[PathRow]:
    """Measure all planned paths."""
    return [path_row(case, path["name"]) for path in case.plan["paths"]]


@dataclass(frozen=True)
class ShiftRow:
    """How one path differs between two scans of the same phantom; mm and degrees."""

    name: str
    corridor_mm: float
    entry_mm: float
    tip_mm: float
    turn_deg: float
    length_mm: float


def shift_rows(straight: Case, other: Case) -> list[ShiftRow]:
    """Compare the paths of two cases by name."""
    rows = []
    for a in straight.plan["paths"]:
        b = other.path(a["name"])
        ends = [np.array(p[key]) for p in (a, b) for key in ("entry_mm", "tip_mm")]
        rows.append(
            ShiftRow(
                a["name"],
                b["corridor_diameter_mm"] - a["corridor_diameter_mm"],
                float(np.linalg.norm(ends[2] - ends[0])),
                float(np.linalg.norm(ends[3] - ends[1])),
                angle_deg(ends[1] - ends[0], ends[3] - ends[2]),
                b["length_mm"] - a["length_mm"],
            )
        )
    return rows


@dataclass(frozen=True)
class SurfaceRow:
    """Symmetric distance between a found and the analytic surface, mm, over a region."""

    bone: str
    region: str
    mean_mm: float
    p95_mm: float
    largest_mm: float


def region_of(scene: Scene, level: str, local: Floats) -> Any:
    """(N,) names of the regions in which points of the vertebra's frame lie."""
    vertebra, solid = scene.vertebrae[level], scene.solid(level)
    s = vertebra.sizes
    in_front = local[:, 1] < s.depth / 2 - 1.0
    found = np.where(in_front, "body", "arch").astype(object)
    for side in ("left", "right"):
        found[np.linalg.norm(local - vertebra.isthmus(side), axis=1) < 9.0] = "pedicles"
    for joints in (vertebra.above, vertebra.below):
        for joint in joints.values():
            found[np.linalg.norm(local - joint.centre, axis=1) < 11.0] = "joints"
    wide = (local[:, 0] / (s.width / 2)) ** 2 + (local[:, 1] / (s.depth / 2)) ** 2 < 1.05
    for upper in (True, False):
        point, normal = vertebra.endplate(upper)
        found[wide & (np.abs((local - point) @ normal) < 2.0)] = "endplates"
    if isinstance(solid.shape, PartedField):
        found[near_cuts(solid, local)] = "cuts"
    return found


def near_cuts(solid: Solid, local: Floats) -> Any:
    """(N,): which points of one bone's surface lie within 2 mm of a cut through fused bone.

    A cut is where a surface runs through the inside of the fused column, 1 mm deep or more.
    """
    depth = -solid.shape._fused(np.ascontiguousarray(solid.patient_from_bone.points(local).T))[0]
    cut = local[depth > 1.0]
    if not len(cut):
        return np.zeros(len(local), dtype=bool)
    return cKDTree(cut).query(local, distance_upper_bound=2.0)[0] < 2.0


def _centres(vertices: Floats, faces: Any) -> tuple[Floats, Floats]:
    """(F, 3) middles of faces and (F,) their areas."""
    corners = vertices[faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return corners.mean(axis=1), np.linalg.norm(normal, axis=1) / 2


def _row(bone: str, region: str, off: Floats, area: Floats) -> SurfaceRow:
    order = np.argsort(off)
    share = np.cumsum(area[order]) / area.sum()
    p95 = float(off[order][np.searchsorted(share, 0.95)])
    return SurfaceRow(bone, region, float((off * area).sum() / area.sum()), p95, float(off.max()))


def measured_bones(case: Case) -> list[str]:
    """The case's bones that are whole in view; in a fused spine only those with both neighbours.

    Which vertebra a piece of fused bone is given to does not count, so the next one must be there.
    """
    names = [bone["name"] for bone in case.plan["bones"]]
    if case.scene.definition.fused:
        chosen = {path["bone"] for path in case.plan["paths"]}
        return [name for name in names if name in chosen]
    return [name for name in names if name in case.scene.definition.expect.levels]


def surface_rows(case: Case, level: str) -> list[SurfaceRow]:
    """Measure a found bone against the analytic one: region by region, and ``all but`` the apart.

    Both ways: from the found faces' middles to the analytic surface and from the analytic
    surface's to the found one, weighted by area. In a fused spine the outside is measured
    against the column and the found bones together: which vertebra a piece of it is given to is
    a question of the cuts, and these are apart.
    """
    scene, bone = case.scene, case.bone(level)
    solid = scene.solid(level)
    into = solid.patient_from_bone.inverse
    found, found_area = _centres(bone.vertices_mm, bone.faces)
    true_bone = truth.surface(scene.definition, level, 0.8)
    true, true_area = _centres(true_bone.vertices_mm, true_bone.faces)
    off = np.concatenate(
        [
            np.abs(distances(solid.shape, into.points(found))),
            np.abs(signed_distance(true, bone.vertices_mm, bone.faces)),
        ]
    )
    if isinstance(solid.shape, PartedField):
        off = np.minimum(off, _fused_off(case, solid, found, true))
    area = np.concatenate([found_area / found_area.sum(), true_area / true_area.sum()])
    region = np.concatenate(
        [region_of(scene, level, into.points(points)) for points in (found, true)]
    )
    rows = [
        _row(level, name, off[region == name], area[region == name])
        for name in REGIONS
        if (region == name).any()
    ]
    counted = ~np.isin(region, APART)
    return [_row(level, "all but endplates and cuts", off[counted], area[counted]), *rows]


def _fused_off(case: Case, solid: Solid, found: Floats, true: Floats) -> Floats:
    """Distances to the whole column's surface, and from it to the nearest found bone."""
    out = [np.abs(solid.shape._fused(np.ascontiguousarray(found.T))[0])]
    off = np.full(len(true), np.inf)
    for bone in (case.bone(record["name"]) for record in case.plan["bones"]):
        off = np.minimum(off, np.abs(signed_distance(true, bone.vertices_mm, bone.faces)))
    return np.concatenate([*out, off])


@dataclass(frozen=True)
class BoreRow:
    """A bore as it lies in the STL file against plan.json; mm and degrees."""

    name: str
    offset_mm: float
    angle_deg: float
    diameter_mm: float


def bore_row(
    case: Case,
    name: str,
    file: str | None = None,
    bore_mm: float = 2.9,
    span_mm: tuple[float, float] = (-np.inf, 0.0),
) -> BoreRow:
    """Fit a cylinder to the faces of a part's file round a planned path.

    The axis is square to the faces' normals (least squares), the circle is fitted to the corners
    in the plane square to it; both twice, the second time without what lies more than 0.04 mm
    off the first circle (the rims of window and openings). The offset is the larger one at the
    bore's two ends.

    Args:
        case: Built.
        name: Of the path.
        file: Of the part; None is the guide of the path's bone.
        bore_mm: About how wide the bore is.
        span_mm: Between which places along the path, from its entry, the bore is looked for.
    """
    path = case.path(name)
    vertices, faces = read_stl(case.root / (file or f"guides/{path['bone']}.stl"))
    entry, tip = np.array(path["entry_mm"]), np.array(path["tip_mm"])
    way = (tip - entry) / np.linalg.norm(tip - entry)
    corners = vertices[faces] - entry
    place = corners @ way
    beside = np.linalg.norm(corners - place[..., None] * way, axis=2)
    near = (beside < bore_mm / 2 + 0.25) & (place > span_mm[0]) & (place < span_mm[1])
    wall = corners[near.all(axis=1)]
    axis, centre, radius = _cylinder(wall, way)
    off = np.abs(np.linalg.norm(np.cross(wall - centre, axis), axis=2) - radius)
    axis, centre, radius = _cylinder(wall[(off < 0.04).all(axis=1)], way)
    places = (wall - centre).reshape(-1, 3) @ axis
    ends = [centre + t * axis for t in (places.min(), places.max())]
    far = max(float(np.linalg.norm(np.cross(end, way))) for end in ends)
    return BoreRow(name, far, angle_deg(axis, way), 2 * radius)


def _cylinder(corners: Floats, way: Floats) -> tuple[Floats, Floats, float]:
    """Axis, a point on it and radius of the cylinder on which triangles (F, 3, 3) lie."""
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(normal, axis=1, keepdims=True)
    normal = normal / area
    round_it = np.abs(normal @ way) < 0.2
    axis = np.linalg.svd((normal * np.sqrt(area))[round_it], full_matrices=False)[2][2]
    axis = axis * np.sign(axis @ way)
    u = np.linalg.svd(axis[None])[2][1:]
    flat = corners[round_it].reshape(-1, 3) @ u.T
    matrix = np.column_stack([2 * flat, np.ones(len(flat))])
    x, y, rest = np.linalg.lstsq(matrix, (flat**2).sum(axis=1), rcond=None)[0]
    return axis, np.array([x, y]) @ u, float(np.sqrt(rest + x * x + y * y))
