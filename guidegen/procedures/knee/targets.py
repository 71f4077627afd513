"""The targets of one cut: the settings', or those that somebody gave it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from guidegen.errors import PlanError
from guidegen.model.arrays import Floats, unit
from guidegen.model.bone import Bone
from guidegen.model.landmarks import Landmarks
from guidegen.model.plan import Cut
from guidegen.planning.alignment import cut_angles_deg
from guidegen.procedures.bench import Field
from guidegen.procedures.knee.cuts import Cutting, cut_femur, cut_tibia
from guidegen.procedures.knee.settings import KneeSettings

_LABELS = {
    "femur": {
        "flexion_deg": ("flexion", 0.5),
        "frontal_deg": ("medial frontal angle (FFC)", 0.5),
        "rotation_deg": ("external rotation to the posterior condyles", 0.5),
        "resection_mm": ("resection with cartilage", 0.5),
    },
    "tibia": {
        "slope_deg": ("slope", 0.5),
        "frontal_deg": ("medial frontal angle (FTC)", 0.5),
        "resection_mm": ("resection", 0.5),
    },
}
_SAGITTAL = {"femur": ("flexion_deg", -1.0), "tibia": ("slope_deg", 1.0)}
_ALONG_DEG = 45.0
Targets = Mapping[str, float]


def kind_of(bone: str) -> str:
    """``femur`` or ``tibia``."""
    return bone.partition("_")[0]


def side_of(bone: str) -> str:
    """``left`` or ``right``."""
    return bone.partition("_")[2]


def set_targets(bone: str, settings: KneeSettings) -> dict[str, float]:
    """What the settings want of a bone's cut.

    A femur that is turned by its epicondylar axis has no ``rotation_deg``.
    """
    own = getattr(settings, kind_of(bone))
    found = {name: float(getattr(own, name)) for name in _LABELS[kind_of(bone)]}
    if getattr(own, "rotation", "pca") == "tea":
        del found["rotation_deg"]
    return found


def targets_of(cut: Cut, settings: KneeSettings) -> dict[str, float]:
    """What a cut was made by: the settings, and what somebody changed of them."""
    wanted = set_targets(cut.bone, settings)
    names = _LABELS[kind_of(cut.bone)]
    return wanted | {name: float(cut.extra[name]) for name in names if name in cut.extra}


def make_cut(bone: Bone, marks: Landmarks, wanted: Targets, settings: KneeSettings) -> Cutting:
    """Cut a bone by its own targets."""
    kind = kind_of(bone.name)
    own = dict(wanted)
    if "rotation_deg" in own:
        own["rotation"] = "pca"  # type: ignore[assignment]
    mine = settings.model_copy(update={kind: getattr(settings, kind).model_copy(update=own)})
    return (cut_femur if kind == "femur" else cut_tibia)(bone, marks, side_of(bone.name), mine)


def marked_cut(cutting: Cutting, wanted: Targets, settings: KneeSettings) -> Cut:
    """The cut, with its targets and the automatic ones where they differ."""
    automatic = set_targets(cutting.cut.bone, settings)
    if same_targets(wanted, automatic):
        return cutting.cut
    return replace(cutting.cut, extra={**wanted, "edited": True, "automatic": automatic})


def same_targets(one: Targets, other: Targets) -> bool:
    """Whether two sets of targets are the same to what a file keeps."""
    return set(one) == set(other) and all(abs(one[name] - other[name]) < 1e-6 for name in one)


def target_fields(bone: str, values: Targets, settings: KneeSettings) -> tuple[Field, ...]:
    """The targets that can be set, with the limits of the settings."""
    kind = kind_of(bone)
    known = type(getattr(settings, kind)).model_fields
    found = []
    for name, (label, step) in _LABELS[kind].items():
        limits: dict[str, float] = {}
        for bound in known[name].metadata:
            limits |= {key: getattr(bound, key) for key in ("ge", "le") if hasattr(bound, key)}
        unit_name = "deg" if name.endswith("_deg") else "mm"
        value = values.get(name)
        found.append(Field(name, label, unit_name, value, limits["ge"], limits["le"], step))
    return tuple(found)


def of_plane(
    bone: Bone,
    marks: Landmarks,
    plane: tuple[Floats, Floats],
    before: Targets,
    settings: KneeSettings,
) -> dict[str, Any]:
    """The targets by which a cut lies in a drawn plane.

    Args:
        bone: The bone.
        marks: Its landmarks.
        plane: Origin (3,), in the middle of the kerf, and normal (3,) to either side.
        before: The targets that stay: the rotation.
        settings: Of the procedure.

    Raises:
        PlanError: The plane is far from a cut of this bone.
    """
    kind = kind_of(bone.name)
    now = make_cut(bone, marks, before, settings)
    normal = unit(plane[1], "normal")
    normal = normal if normal @ now.cut.normal > 0 else -normal
    if normal @ now.cut.normal < np.cos(np.radians(_ALONG_DEG)):
        raise PlanError(
            f"{now.cut.name}: the plane lies more than {_ALONG_DEG:.0f} deg off the cut: draw it "
            "across the bone"
        )
    frontal, sagittal = cut_angles_deg(now.planes, now.away, normal)
    name, sign = _SAGITTAL[kind]
    turned = {**before, "frontal_deg": frontal, name: sign * sagittal}
    cut = make_cut(bone, marks, turned, settings).cut
    deeper = float((cut.origin_mm - plane[0]) @ cut.normal)
    return {**turned, "resection_mm": before["resection_mm"] + deeper}
