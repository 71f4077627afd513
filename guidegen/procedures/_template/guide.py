"""From an approved plan to printable parts."""

from __future__ import annotations

from guidegen.model.bone import Bone
from guidegen.model.guide import Guide
from guidegen.model.plan import Plan


def bone_model(bone: Bone) -> Guide:
    """Make the 1:1 model of a bone; a real part would be built with ``guidegen.cad``."""
    return Guide(bone.name, "model", bone.vertices_mm, bone.faces, bones=(bone.name,))


def build_models(plan: Plan, bones: tuple[Bone, ...]) -> tuple[Guide, ...]:
    """Make a model of every bone that has a path."""
    wanted = {path.bone for path in plan.paths}
    return tuple(bone_model(bone) for bone in bones if bone.name in wanted)
