"""What a plan says of its saw cuts, wherever it stands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guidegen.model.arrays import unit
from guidegen.model.plan import Cut, Plan

_ANGLES = {"femur": ("FFC", "LFC"), "tibia": ("FTC", "LTC")}
ANATOMICAL_AXIS = "anatomical_axis"
"""Code of the notice that a bone is planned about its shaft."""


@dataclass(frozen=True)
class CutNumbers:
    """A cut's angles and the bone that it takes off, as measured in the plan; None if unknown.

    Args:
        angles_deg: By the names of the case contract: frontal, then sagittal.
        medial_mm: Taken off medially.
        lateral_mm: Taken off laterally.
        hka_deg: Of the leg.
    """

    angles_deg: dict[str, float | None]
    medial_mm: float | None
    lateral_mm: float | None
    hka_deg: float | None


def numbers_of(plan: Plan, cut: Cut) -> CutNumbers:
    """Collect what the plan's measurements say of a cut."""
    kind, _, side = cut.bone.partition("_")
    values = {m.name: m.value for m in plan.measurements}
    part = "plateau" if kind == "tibia" else cut.name.partition("_")[0]
    return CutNumbers(
        {name: values.get(f"{name}_{side}") for name in _ANGLES.get(kind, ())},
        values.get(f"resection_{part}_medial_{side}"),
        values.get(f"resection_{part}_lateral_{side}"),
        values.get(f"HKA_{side}"),
    )


def about_shaft(plan: Plan, bone: str) -> bool:
    """Whether a bone is planned about its shaft, because hip or ankle is out of view."""
    return any(n.code == ANATOMICAL_AXIS and n.subject == bone for n in plan.warnings)


def further_cuts(plan: Plan, bone: str) -> tuple[Cut, ...]:
    """A bone's planes that get no slot (``planes`` of plan.json) as cuts, by name.

    Their kerf lies on the side that is taken off and is that of the bone's own cut.
    """
    kerf = next((cut.kerf_mm for cut in plan.cuts if cut.bone == bone), 0.0)
    found = []
    for name, plane in sorted(plan.extra.get("planes", {}).items()):
        if name.endswith(f"_{bone}"):
            normal = unit(plane["normal"], name)
            origin = np.asarray(plane["point_mm"], dtype=np.float64) + kerf / 2 * normal
            found.append(Cut(name, bone, origin, normal, kerf))
    return tuple(found)
