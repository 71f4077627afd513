"""Is the part one sound, printable body?"""

from __future__ import annotations

import numpy as np

from guidegen.mesh.crossing import count_crossings
from guidegen.mesh.quality import topology
from guidegen.mesh.wall import Patch, thinnest_wall
from guidegen.model.arrays import Floats, Ints
from guidegen.model.findings import Finding

MIN_WALL_MM = 2.0
MAX_SIZE_MM = 200.0
MIN_SIZE_MM = 3.0

_WALL = (
    "case contract: largest sphere that fits inside at each surface point, smallest over the "
    "part, without 1 mm round convex edges and the label; walls of 2 to 4 mm are in use"
)


def check_printable(
    vertices: Floats,
    faces: Ints,
    subject: str,
    min_wall_mm: float | None = MIN_WALL_MM,
    label_patches: tuple[Patch, ...] = (),
) -> tuple[Finding, ...]:
    """Measure whether a part can be printed.

    Args:
        vertices: (V, 3) mm, as read back from the file.
        faces: (F, 3).
        subject: ``guides/L3.stl``.
        min_wall_mm: Smallest wall allowed; None for a bone model, whose walls are anatomy.
        label_patches: Surface that the wall check leaves out.

    Returns:
        Findings ``open_edges``, ``bodies``, ``volume``, ``self_intersections``, ``min_wall``,
        ``largest_size``, ``smallest_size``. A wall can't be measured on a surface that is not
        closed or inside out: not a number, which fails.
    """
    if len(faces) == 0 or not np.isfinite(vertices).all():
        return (Finding("open_edges", subject, float("nan"), 0, "equal", "count", "no surface"),)
    found = topology(vertices, faces)
    solid = found.closed and found.volume_mm3 > 0
    wall = float("nan")
    if solid and min_wall_mm is not None:
        wall = thinnest_wall(vertices, faces, label_patches).thickness_mm
    crossings = count_crossings(vertices, faces)
    size = found.extent_mm
    faults = "edges that do not join exactly two faces, or join them the wrong way round"
    walls: tuple[Finding, ...] = ()
    if min_wall_mm is not None:
        walls = (Finding("min_wall", subject, wall, min_wall_mm, "at_least", "mm", _WALL),)
    return (
        *walls,
        Finding("open_edges", subject, found.n_faults, 0, "equal", "count", faults),
        Finding("bodies", subject, found.n_bodies, 1, "equal", "count", "one printed body"),
        Finding(
            "volume", subject, found.volume_mm3, 1.0, "at_least", "mm3", "positive: faces outward"
        ),
        Finding("self_intersections", subject, crossings, 0, "equal", "count", "edges in faces"),
        Finding(
            "largest_size",
            subject,
            float(size.max()),
            MAX_SIZE_MM,
            "at_most",
            "mm",
            "build room of common resin and powder printers (engineering choice)",
        ),
        Finding(
            "smallest_size",
            subject,
            float(size.min()),
            MIN_SIZE_MM,
            "at_least",
            "mm",
            "a thinner part has the wrong unit or is a flat sheet (engineering choice)",
        ),
    )
