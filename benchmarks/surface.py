"""Surface error on a phantom: symmetric distance to the analytic bone, mean and 95th percentile."""

from __future__ import annotations

import json
import sys

import numpy as np
import numpy.typing as npt
from skimage.measure import marching_cubes

from guidegen.bones.spine import find_spine
from guidegen.bones.surface import extract_bones
from guidegen.mesh.sdf import signed_distance
from guidegen.model.arrays import Floats
from guidegen.model.bone import Bone
from guidegen.phantoms.render import make_volume
from guidegen.phantoms.spine import Scene, Solid, build_scene

STEP_MM = 0.7


def true_points(solid: Solid) -> Floats:
    """(N, 3): points on the analytic surface, to about 0.01 mm, patient LPS."""
    low, high = solid.patient_bounds()
    counts = np.ceil((high - low) / STEP_MM).astype(int) + 1
    axes = [low[n] + STEP_MM * np.arange(counts[n]) for n in range(3)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij")).reshape(3, -1)
    field = solid.measure(grid)[0].reshape(tuple(counts)).astype(np.float32)
    points: Floats = low + marching_cubes(field, 0.0)[0] * STEP_MM
    return points


def errors_mm(bone: Bone, solid: Solid) -> tuple[Floats, Floats]:
    """Distances of the found surface to the true one, and of the true one to the found."""
    to_true = np.abs(solid.measure(bone.vertices_mm.T)[0])
    to_found = np.abs(signed_distance(true_points(solid), bone.vertices_mm, bone.faces))
    return np.asarray(to_true, dtype=float), to_found


def off_endplates(scene: Scene, name: str, points_mm: Floats) -> npt.NDArray[np.bool_]:
    """(N,): which points lie more than 2 mm from the thin endplates."""
    vertebra = scene.vertebrae[name]
    local = scene.solid(name).patient_from_bone.inverse.points(points_mm)
    sizes = vertebra.sizes
    wide = (local[:, 0] / sizes.width) ** 2 + (local[:, 1] / sizes.depth) ** 2 < 1.05 / 4
    near = np.zeros(len(local), dtype=bool)
    for upper in (True, False):
        point, normal = vertebra.endplate(upper)
        near |= wide & (np.abs((local - point) @ normal) < 2.0)
    return ~near


def main(name: str) -> None:
    """Scan the phantom, find its bones, measure."""
    volume, scene = make_volume(name), build_scene(name)
    spine = find_spine(volume, lowest_level=scene.definition.expect.levels[-1])
    rows = []
    for bone in extract_bones(volume, spine):
        if bone.name not in scene.definition.expect.levels:
            continue
        found, true = errors_mm(bone, scene.solid(bone.name))
        both = np.concatenate([found, true])
        points = np.concatenate([bone.vertices_mm, true_points(scene.solid(bone.name))])
        rest = both[off_endplates(scene, bone.name, points)]
        for title, off in (("without endplates", rest), ("all", both)):
            mean, high = float(off.mean()), float(np.percentile(off, 95))
            rows.append((f"{bone.name}, {title}", mean, high))
    print(json.dumps({"rows": rows}))


if __name__ == "__main__":
    main(sys.argv[1])
