"""What is known of a phantom: surfaces, distances, landmarks, corridors, angles."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from guidegen.model.arrays import Floats, Ints
from guidegen.model.bone import Bone
from guidegen.phantoms.catalog import spine_definition
from guidegen.phantoms.corridor import TrueCorridor, best_corridor, usual_limits
from guidegen.phantoms.definition import Definition
from guidegen.phantoms.heights import body_heights, fracture_measures
from guidegen.phantoms.landmarks import numbers, vertebra_landmarks
from guidegen.phantoms.skin import skin_normal, skin_truth
from guidegen.phantoms.skin import skin_point as leaves_skin
from guidegen.phantoms.spine import Scene, build_scene
from guidegen.phantoms.surface import distances, extract

__all__ = [
    "SCHEMA",
    "cobb_deg",
    "corridor",
    "heights",
    "inside_distance",
    "local_kyphosis_deg",
    "signed_distance",
    "skin_normal",
    "skin_point",
    "surface",
    "surfaces",
    "truth_of",
]
SCHEMA = "guidegen.truth/1"
STEP_MM = 0.5


def _loaded(definition: Definition | str) -> Definition:
    return spine_definition(definition) if isinstance(definition, str) else definition


@lru_cache(maxsize=40)
def _surface(definition_json: str, level: str, step_mm: float) -> tuple[Floats, Ints]:
    scene = build_scene(Definition.model_validate_json(definition_json))
    solid = scene.solid(level)
    vertices, faces = extract(solid.shape, solid.bounds_mm, step_mm)
    return solid.patient_from_bone.points(vertices), faces


@lru_cache(maxsize=40)
def _cloud(definition_json: str, level: str, step_mm: float) -> tuple[Any, Floats]:
    vertices, faces = _surface(definition_json, level, step_mm)
    points = np.concatenate([vertices, vertices[faces].mean(axis=1)])
    return cKDTree(points, balanced_tree=False, compact_nodes=False), points


def surface(definition: Definition | str, level: str, step_mm: float = STEP_MM) -> Bone:
    """Extract one vertebra's exact surface (in a fused spine: up to half way to its neighbours).

    Args:
        definition: The phantom or its name.
        level: ``L3``.
        step_mm: Distance of the marching cubes' nodes; the vertices themselves lie on the
            analytic surface to about 0.001 mm.
    """
    vertices, faces = _surface(_loaded(definition).model_dump_json(), level, step_mm)
    return Bone(level, vertices, faces)


def surfaces(definition: Definition | str, step_mm: float = STEP_MM) -> tuple[Bone, ...]:
    """Extract the exact surfaces of all levels that are complete in view, head to foot."""
    known = _loaded(definition)
    return tuple(surface(known, level, step_mm) for level in known.expect.levels)


def signed_distance(definition: Definition | str, level: str, points_mm: Floats) -> Floats:
    """Measure true distances to a vertebra's surface; negative inside.

    Args:
        definition: The phantom or its name.
        level: ``L3``.
        points_mm: (N, 3) patient LPS.

    Returns:
        (N,) mm: the nearest of points 0.3 mm apart on the surface, too far by at most 0.01 mm
        where the distance is over 2 mm; nearer, the function's own first-order distance.
    """
    known = _loaded(definition)
    points = np.asarray(points_mm, dtype=np.float64).reshape(-1, 3)
    solid = build_scene(known).solid(level)
    first = distances(solid.shape, solid.patient_from_bone.inverse.points(points))
    tree, _ = _cloud(known.model_dump_json(), level, STEP_MM)
    far = np.asarray(tree.query(points)[0])
    near = np.minimum(far, np.abs(first))
    return np.asarray(np.sign(first) * np.where(far < 0.5, near, far))


def inside_distance(definition: Definition | str, level: str, points_mm: Floats) -> Floats:
    """Measure how deep points lie in a vertebra: the negative of ``signed_distance``."""
    return -signed_distance(definition, level, points_mm)


def corridor(definition: Definition | str, level: str, side: str) -> TrueCorridor:
    """Find the widest corridor of one pedicle within the usual limits of its level."""
    return best_corridor(build_scene(_loaded(definition)), level, side, usual_limits(level))


def cobb_deg(scene: Scene, upper: str, lower: str) -> float:
    """Angle between the upper endplate of one vertebra and the lower endplate of another.

    The angle between the two planes themselves, degrees: it is the Cobb angle in the plane that
    holds both normals.
    """
    normals = []
    for level, top in ((upper, True), (lower, False)):
        _, normal = scene.vertebrae[level].endplate(top)
        normals.append(scene.poses[level].vectors(normal))
    cosine = float(np.clip(-normals[0] @ normals[1], -1.0, 1.0))
    return float(np.degrees(np.arccos(cosine)))


def heights(definition: Definition | str, level: str) -> tuple[float, float, float]:
    """Front, middle and back height of a body, mm, in closed form (``phantoms.heights``)."""
    return body_heights(build_scene(_loaded(definition)).vertebrae[level])


def local_kyphosis_deg(definition: Definition | str, level: str) -> float:
    """Angle between a body's own endplates, degrees; positive when its front is lower."""
    return build_scene(_loaded(definition)).vertebrae[level].sizes.wedge


def skin_point(definition: Definition | str, start_mm: Floats, out: Floats) -> Floats:
    """Find where a straight line from inside the patient leaves the skin, in closed form.

    Args:
        definition: The phantom or its name; all have the same skin.
        start_mm: (3,) LPS mm.
        out: (3,) direction.

    Returns:
        (3,) LPS mm.

    Raises:
        GeometryError: The start is not in the patient, or the line runs along the skin's axis.
        InputError: There is no such phantom.
    """
    _loaded(definition)
    return leaves_skin(start_mm, out)


def _corridor_json(found: TrueCorridor) -> dict[str, Any]:
    return {
        "diameter_mm": round(found.diameter_mm, 3),
        "axis": {
            "point_mm": numbers(found.entry_mm),
            "direction": numbers(found.direction, 6),
            "end_mm": numbers(found.end_mm),
        },
    }


def truth_of(definition: Definition | str, prone: bool | None = None) -> dict[str, Any]:
    """Collect truth.json of a phantom: complete levels only.

    Args:
        definition: The phantom or its name.
        prone: The patient is scanned lying on the belly; None is the definition's.
    """
    known = _loaded(definition)
    scene = build_scene(known)
    levels = known.expect.levels
    made = {
        f"{level}_{side}": _corridor_json(corridor(known, level, side))
        for level in levels
        for side in ("left", "right")
    }
    angles = {f"cobb_{a}_{b}": round(cobb_deg(scene, a, b), 3) for a, b in known.cobb}
    measured = {} if known.fused else fracture_measures(known)
    expect = known.expect.model_dump(mode="json")
    return {
        "schema": SCHEMA,
        "frame": "LPS",
        "phantom": known.name,
        "landmarks": {"bones": {level: vertebra_landmarks(scene, level) for level in levels}},
        "corridors": made,
        "measurements": angles | measured,
        "skin": skin_truth(),
        "posture": "prone" if (known.prone if prone is None else prone) else "supine",
        "expect": expect,
    }
