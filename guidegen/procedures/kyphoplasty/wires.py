"""K-wires that hold the template of one level on its spinous process."""

from __future__ import annotations

from guidegen.model.plan import Path
from guidegen.planning.wires import WireLimits, place_wires
from guidegen.procedures.contract import Anatomy
from guidegen.procedures.kyphoplasty.settings import KyphoplastySettings

_NAMES = ("kwire_upper", "kwire_lower")


def plan_wires(level: str, anatomy: Anatomy, settings: KyphoplastySettings) -> tuple[Path, ...]:
    """Plan one or two wires into the spinous process of a level; none where there is no room."""
    bone = next(b for b in anatomy.bones if b.name == level)
    marks = next(m for m in anatomy.landmarks if m.bone == level)
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
