"""K-wires that hold the template of one level on its spinous process."""

from __future__ import annotations

from collections.abc import Sequence

from guidegen.model.bone import Bone
from guidegen.model.landmarks import Landmarks
from guidegen.model.plan import Path
from guidegen.planning.wires import WireLimits, place_wires
from guidegen.procedures.kyphoplasty.settings import KyphoplastySettings
from guidegen.procedures.kyphoplasty.template import BONE

_NAMES = ("kwire_upper", "kwire_lower")


def plan_wires(bone: Bone, marks: Landmarks, settings: KyphoplastySettings) -> tuple[Path, ...]:
    """Plan one or two wires into the spinous process of a level; none where there is no room."""
    level = bone.name
    wire = settings.template.kwire_diameter_mm
    limits = WireLimits(wire, settings.wire.depth_mm, settings.wire.wall_mm, settings.wire.apart_mm)
    return tuple(
        Path(
            name=f"{level}_{name}",
            bone=level,
            kind="pin",
            side="",
            entry_mm=entry,
            tip_mm=tip,
            diameter_mm=wire,
            pilot_diameter_mm=wire,
            route="spinous_process",
        )
        for name, (entry, tip) in zip(_NAMES, place_wires(bone, marks, limits), strict=False)
    )


def wired_level(needles: Sequence[Path], settings: KyphoplastySettings) -> str | None:
    """The level on which a template is wired to the bone; None where none is to be."""
    levels = sorted({path.bone for path in needles})
    return levels[0] if settings.template_kind == BONE and len(levels) == 1 else None
