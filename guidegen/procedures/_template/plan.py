"""From anatomy to paths: one answer (a path, or a reason for none) for every target."""

from __future__ import annotations

import numpy as np

from guidegen.mesh.rays import RayTarget
from guidegen.model.bone import Bone
from guidegen.model.landmarks import Landmarks
from guidegen.model.plan import Path, Skipped
from guidegen.procedures._template.settings import TemplateSettings
from guidegen.procedures.contract import Anatomy, Draft

_OUTSIDE_MM = 80.0


def plan_channel(bone: Bone, landmarks: Landmarks, settings: TemplateSettings) -> Path | Skipped:
    """Plan a channel along the left pedicle, from where its axis meets the bone's surface."""
    name = f"{bone.name}_left"
    if "pedicle_left" not in landmarks:
        return Skipped(name, bone.name, "left", "no_pedicle", None, "the left pedicle is not seen")
    mark = landmarks["pedicle_left"]
    along = np.array(mark.values["along"], dtype=np.float64)
    outside = mark.position_mm - _OUTSIDE_MM * along
    way, _ = RayTarget(bone.vertices_mm, bone.faces).first_hit(outside[None], along)
    entry = outside + way[0] * along
    tip = entry + settings.depth_mm * along
    return Path(name, bone.name, "drill", "left", entry, tip, settings.diameter_mm)


def plan_channels(anatomy: Anatomy, settings: TemplateSettings) -> Draft:
    """Plan every chosen bone that has landmarks."""
    bones = {bone.name: bone for bone in anatomy.bones}
    found = [plan_channel(bones[m.bone], m, settings) for m in anatomy.landmarks]
    return Draft(
        paths=tuple(p for p in found if isinstance(p, Path)),
        skipped=tuple(s for s in found if isinstance(s, Skipped)),
    )
