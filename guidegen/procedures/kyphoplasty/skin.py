"""The way from the skin: skin, posture, and what each needle measures from there."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from guidegen.anatomy.posture import find_posture
from guidegen.anatomy.skin import find_skin, leaves_skin, midline_distance, skin_over
from guidegen.model.arrays import Floats
from guidegen.model.bone import SKIN, Bone
from guidegen.model.frames import Pose
from guidegen.model.landmarks import Landmarks
from guidegen.model.level import Level
from guidegen.model.notice import Notice
from guidegen.model.plan import Path
from guidegen.model.volume import CTVolume
from guidegen.procedures.contract import Anatomy
from guidegen.procedures.vertebrae import attempt


def middle_level(landmarks: Sequence[Landmarks], chosen: Collection[str]) -> Landmarks:
    """Landmarks of the chosen level in the middle; the skin is found in its frame."""
    marks = [m for m in landmarks if m.bone in chosen]
    return marks[len(marks) // 2]


def with_skin(volume: CTVolume, anatomy: Anatomy) -> Anatomy:
    """Add the skin of the back behind the chosen levels, and how the patient lay.

    Where the skin is out of view the bones are planned all the same, with a warning.
    """
    frame = middle_level(anatomy.landmarks, anatomy.chosen).patient_from_bone
    posture = find_posture(volume, frame.axes[:, 1])
    facts = {"prone": posture.prone, "known": posture.known, "sentence": posture.sentence}
    extra = {**anatomy.extra, "posture": facts}
    notices = (*anatomy.notices, *posture.notices)
    anatomy = replace(anatomy, notices=notices, extra=extra, table=posture.table)
    heights = np.concatenate(
        [
            frame.inverse.points(bone.vertices_mm)[:, 2]
            for bone in anatomy.bones
            if bone.name in anatomy.chosen
        ]
    )
    span = float(heights.min()), float(heights.max())
    earlier = anatomy.options.earlier
    held = earlier.skin_with(anatomy.bones) if earlier is not None else None
    found = attempt(SKIN, lambda: find_skin(volume, frame, span)) if held is None else held
    if isinstance(found, str):
        said = Notice("skin_out_of_view", f"{found}; only the way in bone is planned", SKIN)
        failed = {**anatomy.failed, SKIN: found}
        return replace(anatomy, failed=failed, notices=(*notices, said))
    return replace(anatomy, bones=(*anatomy.bones, found))


def skin_of(bones: Sequence[Bone]) -> Bone | None:
    """The skin among the surfaces of a case; None where it is out of view."""
    return next((bone for bone in bones if bone.name == SKIN), None)


def spinous_points(skin: Bone, landmarks: Sequence[Landmarks], back: Floats) -> Floats:
    """(N, 3): points of the skin straight behind the spinous processes, head to foot."""
    tips = [m["spinous_tip"].position_mm for m in landmarks if "spinous_tip" in m]
    found = skin_over(skin, np.reshape(tips, (-1, 3)), back)
    return np.reshape([point for point in found if point is not None], (-1, 3))


@dataclass(frozen=True, eq=False)
class Back:
    """The patient's back behind the levels.

    Args:
        skin: None where it is out of view.
        frame: ``patient_from_bone`` of the middle level, in which the skin was found.
        tips_mm: (N, 3) points of the skin over the spinous processes, head to foot.
    """

    skin: Bone | None
    frame: Pose
    tips_mm: Floats

    @classmethod
    def behind(
        cls,
        bones: Sequence[Bone],
        landmarks: Sequence[Landmarks],
        levels: Sequence[Level],
        chosen: Collection[str],
    ) -> Back:
        """Gather it from what was found; ``levels`` run from head to foot."""
        skin, frame = skin_of(bones), middle_level(landmarks, chosen).patient_from_bone
        order = {level.name: n for n, level in enumerate(levels)}
        marks = sorted(landmarks, key=lambda m: order[m.bone])
        tips = np.zeros((0, 3)) if skin is None else spinous_points(skin, marks, frame.axes[:, 1])
        return cls(skin, frame, tips)


def operator_angles(path: Path) -> dict[str, float]:
    """Angles of a path as the operator reads them, degrees.

    ``medial_inclination_deg`` in the scanner's axial plane, from straight ahead towards the
    midline; ``cranial_caudal_deg`` to the scanner's axial plane, towards the head positive. The
    vertebra's own angles (``axial_angle_deg``, ``sagittal_angle_deg``) are those on views that are
    lined up with its endplates.
    """
    way = path.direction
    medial = -way[0] if path.side == "left" else way[0]
    return {
        "medial_inclination_deg": float(np.degrees(np.arctan2(medial, -way[1]))),
        "cranial_caudal_deg": float(np.degrees(np.arcsin(np.clip(way[2], -1.0, 1.0)))),
    }


def from_the_skin(path: Path, behind: Back, reach_mm: float) -> Path:
    """Add to a needle where its axis leaves the skin, and what is measured from there.

    Args:
        path: The needle.
        behind: The patient's back.
        reach_mm: A skin entry farther from the bone is not believed.
    """
    skin, back = behind.skin, behind.frame.axes[:, 1]
    extra = {**path.extra, **{k: round(v, 3) for k, v in operator_angles(path).items()}}
    point = None
    if skin is not None:
        point = leaves_skin(skin, path.entry_mm, -path.direction, back)
    if point is None or float(np.linalg.norm(point - path.entry_mm)) > reach_mm:
        return replace(path, extra=extra)
    depth = float(np.linalg.norm(point - path.entry_mm))
    extra |= {
        "skin_to_bone_mm": round(depth, 3),
        "skin_to_tip_mm": round(depth + path.length_mm, 3),
    }
    if skin is not None and len(behind.tips_mm):
        aside = midline_distance(skin, behind.tips_mm, point, back)
        extra["skin_to_midline_mm"] = round(float(aside), 3)
    return replace(path, skin_mm=point, extra=extra)
