"""Is a bone model to print the bone itself, 1:1?"""

from __future__ import annotations

import numpy as np

from guidegen.checks.part import NAN, Part
from guidegen.mesh.quality import topology
from guidegen.mesh.surface import Surface
from guidegen.model.findings import Finding

_DISTANCE_MM = 0.05
_VOLUME_SHARE = 0.005


def check_model(part: Part) -> tuple[Finding, ...]:
    """Measure how far a bone model's surface is from the bone's, both ways, and their volumes."""
    distance = volume = NAN
    if len(part.seats) == 1:
        bone, model = part.seats[0], part.surface
        distance = 0.0
        if not _same_corners(model, bone):
            there, _ = bone.nearest(model.vertices)
            back, _ = model.nearest(bone.vertices)
            distance = float(max(abs(there).max(), abs(back).max()))
        wanted = topology(bone.vertices, bone.faces).volume_mm3
        volume = abs(topology(model.vertices, model.faces).volume_mm3 / wanted - 1)
    return (
        part.finding(
            "model_distance",
            distance,
            _DISTANCE_MM,
            "at_most",
            "mm",
            "largest distance of the model's and the bone's vertices from the other surface",
        ),
        part.finding(
            "model_volume",
            volume,
            _VOLUME_SHARE,
            "at_most",
            "1",
            "share by which the model's volume differs from the bone's",
        ),
    )


def _same_corners(one: Surface, other: Surface) -> bool:
    """Tell whether each corner of one surface is one of the other: its distance is then 0."""
    if not np.array_equal(one.vertices, other.vertices):
        return False
    return all(len(np.unique(s.faces)) == len(s.vertices) for s in (one, other))
