"""Solids of known shape for tests."""

import numpy as np
from manifold3d import Manifold


def arrays(solid):
    mesh = solid.to_mesh64()
    weld = np.arange(len(mesh.vert_properties))
    if len(mesh.merge_from_vert):
        weld[mesh.merge_from_vert] = mesh.merge_to_vert
    return np.array(mesh.vert_properties[:, :3]), weld[np.array(mesh.tri_verts, dtype=np.int64)]


def joined(*parts):
    """Several surfaces as one mesh, without a boolean."""
    points, faces, n = [], [], 0
    for vertices, triangles in parts:
        points.append(vertices)
        faces.append(triangles + n)
        n += len(vertices)
    return np.concatenate(points), np.concatenate(faces)


def tube(wall, length=20.0, bore=2.9, n=96):
    outer = Manifold.cylinder(length, bore / 2 + wall, circular_segments=n)
    return outer - Manifold.cylinder(length + 2, bore / 2, circular_segments=n).translate(
        (0, 0, -1)
    )
