"""Bones of the legs with their landmarks, sides from shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType

import numpy as np

from guidegen.anatomy import femur, tibia
from guidegen.anatomy.malleolus import lateral_malleolus
from guidegen.errors import AnatomyError
from guidegen.model.bone import Bone
from guidegen.model.frames import PATIENT, Pose
from guidegen.model.landmarks import Landmarks
from guidegen.model.notice import Notice
from guidegen.model.saw_cuts import ANATOMICAL_AXIS
from guidegen.planning.resection import turned
from guidegen.procedures.vertebrae import attempt

ANATOMICAL = "anatomical"
ACROSS_DEG = 60.0
"""A shaft that lies farther across the body is no leg's: legs are scanned lying along the table
(engineering choice; a part of a pelvis or a spine can look like the end of a tibia)."""
_PARTS = {"femur": "proximal", "tibia": "distal"}
KNEE_END = {"femur": "below", "tibia": "above"}
"""Where a scan may not cut a bone off."""
WHOLE_KNEE = "the whole knee"
"""Stands in every reason that hip, ankle or an axis can't help against."""
_FAR_END = {"femur": "hip", "tibia": "ankle"}


@dataclass(frozen=True, eq=False)
class Leg:
    """What is found on one leg.

    Args:
        marks: Landmarks by kind, ``femur`` and ``tibia``.
        failed: Why a bone has none, by kind.
        anatomical: Kinds that were planned about the shaft's axis.
    """

    marks: Mapping[str, Landmarks] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)
    anatomical: tuple[str, ...] = ()

    @property
    def side(self) -> str:
        """``left`` or ``right``, by the bones' shapes.

        Raises:
            AnatomyError: The bones contradict each other, or none has landmarks.
        """
        tell = {"femur": femur.side_of, "tibia": tibia.side_of}
        sides = {kind: tell[kind](found) for kind, found in self.marks.items()}
        if len(set(sides.values())) != 1:
            told = " and ".join(f"the {kind} a {side} one" for kind, side in sides.items())
            raise AnatomyError(
                "a leg whose bones are of one side was wanted, but "
                f"{told or 'none tells its side'}: look at the bones' surfaces"
            )
        return next(iter(sides.values()))


def measured_leg(
    bones: Mapping[str, Bone],
    axis: str | None,
    valgus_deg: float,
    cut_off: Mapping[str, str] = MappingProxyType({}),
) -> Leg:
    """Find the landmarks of a leg's femur and tibia, each on its own.

    Args:
        bones: By kind and part: ``femur``, ``femur_proximal``, ``tibia``, ``tibia_distal``, ...
        axis: ``anatomical`` where a missing hip or ankle is accepted.
        valgus_deg: Between shaft and mechanical axis, for a femur without its head.
        cut_off: Kinds that the scan cuts off where no plan is possible, and where.
    """
    marks: dict[str, Landmarks] = {}
    failed: dict[str, str] = {}
    about_shaft: list[str] = []
    for kind, whole in (("femur", femur.find_femur), ("tibia", tibia.find_tibia)):
        if kind not in bones:
            continue
        if kind in cut_off:
            failed[kind] = f"the {kind} is cut off {cut_off[kind]} {WHOLE_KNEE}"
            continue
        bone = _joined(bones[kind], bones.get(f"{kind}_{_PARTS[kind]}"))
        found = attempt(bone.name, partial(whole, bone))
        if isinstance(found, str) and axis == ANATOMICAL:
            found = attempt(bone.name, partial(_shafted, bone, kind, valgus_deg))
            if isinstance(found, Landmarks):
                found = _doubted(found, kind) or found
            if isinstance(found, Landmarks):
                about_shaft.append(kind)
        if isinstance(found, str):
            failed[kind] = found.removeprefix(f"{bone.name}: ")
        else:
            marks[kind] = _with_malleolus(found, bones) if kind == "tibia" else found
    return Leg(marks, failed, tuple(about_shaft))


def _doubted(marks: Landmarks, kind: str) -> str:
    """Why a bone about its shaft is taken for none; "" where nothing speaks against it."""
    if marks["shaft"].values["side_clear"] == 0.0:
        return (
            f"the {kind}'s shape does not tell its side: two signs of it contradict each "
            "other, or it is another bone"
        )
    across = float(np.degrees(np.arccos(min(abs(marks.patient_from_bone.axes[2, 2]), 1.0))))
    if across > ACROSS_DEG:
        return (
            f"a {kind} that runs along the body was wanted, found one that lies {across:.0f} deg "
            "across it: it is another bone"
        )
    return ""


def _joined(near: Bone, far: Bone | None) -> Bone:
    """The bone at the knee with its part at hip or ankle, where slices between are missing."""
    if far is None:
        return near
    faces = np.concatenate([near.faces, far.faces + len(near.vertices_mm)])
    return Bone(near.name, np.concatenate([near.vertices_mm, far.vertices_mm]), faces)


def _with_malleolus(marks: Landmarks, bones: Mapping[str, Bone]) -> Landmarks:
    """The tibia's landmarks with ``malleolus_lateral``, where the fibula shows it."""
    fibula = bones.get(f"fibula_{_PARTS['tibia']}", bones.get("fibula"))
    tip = None if fibula is None else lateral_malleolus(fibula, marks)
    return marks if tip is None else replace(marks, points=(*marks.points, tip))


def _shafted(bone: Bone, kind: str, valgus_deg: float) -> Landmarks:
    """Landmarks about the shaft's axis; a femur's mechanical axis is taken to lean to medial."""
    if kind == "tibia":
        return tibia.find_tibia_without_ankle(bone)
    found = femur.find_femur_without_head(bone)
    axes = found.patient_from_bone.axes
    outward = 1.0 if femur.side_of(found) == "left" else -1.0
    up = turned(axes[:, 2], axes[:, 1], -outward * valgus_deg)
    left = np.cross(axes[:, 1], up)
    columns = np.stack([left, axes[:, 1], up], axis=1)
    frame = Pose.from_axes(columns, found.patient_from_bone.origin_mm, PATIENT, bone.name)
    return Landmarks(bone.name, frame, found.points)


def leg_notices(leg: Leg, side: str, asked: Sequence[str]) -> tuple[Notice, ...]:
    """What the engineer has to see of a leg: missing ends, unclear sides, bones without a plan."""
    if side not in asked:
        return ()
    told = []
    for kind in leg.anatomical:
        marks = leg.marks[kind]
        shaft = np.asarray(marks["shaft"].values["along"])
        lean = np.degrees(np.arccos(np.clip(shaft @ marks.patient_from_bone.axes[:, 2], -1, 1)))
        axis = "that axis"
        if kind == "femur":
            axis = f"an axis ASSUMED {lean:.1f} deg to medial of it (femur.valgus_deg)"
        text = (
            f"the {_FAR_END[kind]} is out of view: the {kind} is planned about the axis of its "
            f"shaft, which is not its mechanical axis; its angles are those to {axis}"
        )
        told.append(Notice(ANATOMICAL_AXIS, text, f"{kind}_{side}", red=True))
    for kind in _PARTS:
        if kind not in leg.marks and kind not in leg.failed:
            text = f"no {kind} of the {side} leg is in view: no cut of it is planned, and no HKA"
            told.append(Notice("bone_absent", text, f"{kind}_{side}"))
    for kind, why in leg.failed.items():
        told.append(
            Notice("bone_not_planned", f"no cut is planned: {why}", f"{kind}_{side}", red=True)
        )
    return tuple(told)
