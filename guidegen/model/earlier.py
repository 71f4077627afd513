"""What an earlier run of a case found and nobody changed since."""

from __future__ import annotations

from dataclasses import dataclass

from guidegen.model.bone import SKIN, Bone
from guidegen.model.level import Spine


@dataclass(frozen=True, eq=False)
class Earlier:
    """Spine and surfaces of a case, for planning it again on the very same ones.

    Found again on the case's crop they would come out a little different, and a narrow pedicle's
    path with them.

    Args:
        spine: Levels and label map.
        bones: All surfaces that the case holds.
    """

    spine: Spine
    bones: tuple[Bone, ...]

    def surfaces(self, names: tuple[str, ...]) -> tuple[Bone, ...]:
        """The vertebrae of these names, in their order; none if the case holds others."""
        level_names = {level.name for level in self.spine.levels}
        held = {bone.name: bone for bone in self.bones if bone.name in level_names}
        return tuple(held[name] for name in names) if set(names) == set(held) else ()

    def skin_with(self, vertebrae: tuple[Bone, ...]) -> Bone | None:
        """The skin behind these very vertebrae; None where the case holds none or others."""
        if not self.surfaces(tuple(bone.name for bone in vertebrae)):
            return None
        return next((bone for bone in self.bones if bone.name == SKIN), None)
