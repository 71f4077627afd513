"""Parts of real bones, closed where they are cut off, as a scan of the knee alone shows them."""

from __future__ import annotations

import numpy as np

from guidegen.mesh.solid import Solid
from guidegen.model.bone import Bone
from guidegen.model.frames import Pose


def kept(bone: Bone, frame: Pose, low_mm: float, high_mm: float) -> Bone:
    """What lies between two heights of a frame."""
    local = frame.inverse.points(bone.vertices_mm)
    ends = [(high_mm, high_mm + 900.0), (low_mm - 900.0, low_mm)]
    blocks = [
        Solid.hull(np.array([(x, y, z) for x in (-200.0, 200) for y in (-200.0, 200) for z in end]))
        for end in ends
    ]
    vertices, faces = Solid.from_mesh(local, bone.faces).minus(blocks).arrays()
    return Bone(bone.name, frame.points(vertices), faces, complete=False)
