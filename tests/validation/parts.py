"""Exact booleans on the parts as read back from their files."""

from __future__ import annotations

import numpy as np
from manifold3d import Error, Manifold, Mesh64

from guidegen.mesh.io import read_stl
from guidegen.model.arrays import Floats
from tests.validation.cases import Case

SLIDE_MM = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 11.0, 15.0, 20.0, 27.0, 35.0)


def solid(vertices: Floats, faces: np.ndarray) -> Manifold:
    """Make a solid; asserts that it is one, closed and outward."""
    made = Manifold(
        Mesh64(
            np.array(vertices, dtype=np.float64),
            np.array(faces, dtype=np.uint64),
        )
    )
    assert made.status() == Error.NoError
    assert made.volume() > 0
    return made


def overlap_mm3(case: Case, level: str) -> float:
    """Volume shared by the guide of a level and all bones of the case."""
    guide = solid(*read_stl(case.root / "guides" / f"{level}.stl"))
    return sum((guide ^ solid(b.vertices_mm, b.faces)).volume() for b in _bones(case))


def removal_mm3(case: Case, level: str) -> float:
    """Largest volume shared with any bone while the guide is pulled off straight."""
    guide = solid(*read_stl(case.root / "guides" / f"{level}.stl"))
    record = next(f for f in case.json("manifest.json")["files"] if f["file"].endswith(
        f"guides/{level}.stl"))  # fmt: skip
    back = -np.array(record["insertion_direction"])
    bones = [solid(b.vertices_mm, b.faces) for b in _bones(case)]
    moved = [guide.translate(tuple(float(v) for v in back * far)) for far in SLIDE_MM]
    return max((m ^ bone).volume() for m in moved for bone in bones)


def _bones(case: Case) -> list:
    return [case.bone(path.stem) for path in sorted((case.root / "bones").glob("*.stl"))]
