"""One real leg scanned in other positions: turned, bent at the knee, mirrored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from guidegen.anatomy.femur import find_femur
from guidegen.model.arrays import Floats
from guidegen.model.bone import Bone
from guidegen.model.plan import Cut
from guidegen.procedures.knee.plan import plan_knee
from guidegen.procedures.knee.settings import KneeSettings

from .leg_scans import Mesh, leg_in_scan, leg_meshes

TURN_DEG = 20.0
PLANNED = ("FFC", "LFC", "FTC", "LTC", "femoral_rotation_to_PCA", "tibial_rotation")
ALIGNED = ("HKA", "FTA")
TURNS = ("femoral_rotation_to_TEA", "condylar_twist")
"""Measured on the bone and reported; no cut is turned by them with the settings as they come."""
TOLD = (*TURNS, "knee_flexion")
LIMITS_DEG = {
    **dict.fromkeys((*PLANNED, *TURNS), 0.2),
    **dict.fromkeys((*ALIGNED, "knee_flexion"), 0.5),
}
CUT_DEG, CUT_MM = 0.2, 0.5
"""The same cut, carried back on to the bone: its turn, and its way along its normal."""
MOVED_WITH_THE_SHANK = ("tibia", "fibula", "talus")


@dataclass(frozen=True, eq=False)
class Move:
    """How a bone's points are moved: turned or mirrored about a point.

    Args:
        matrix: (3, 3).
        about: (3,) mm.
    """

    matrix: Floats
    about: Floats

    def points(self, points: Floats) -> Floats:
        """Points (..., 3) moved."""
        return np.asarray((points - self.about) @ self.matrix.T + self.about)

    def back(self, direction: Floats) -> Floats:
        """A direction (3,) of the moved bone on the bone as it was."""
        return np.asarray(np.linalg.inv(self.matrix) @ direction)

    def back_point(self, point: Floats) -> Floats:
        """A point (3,) of the moved bone on the bone as it was."""
        return np.asarray(np.linalg.inv(self.matrix) @ (point - self.about) + self.about)


LAY = "as it lay"
OTHERS = ("turned about x", "turned about y", "turned about z", "bent", "mirrored")
STAYS = Move(np.eye(3), np.zeros(3))


def poses(meshes: Mapping[str, Mesh]) -> dict[str, dict[str, Move]]:
    """Each position as a move of every bone."""
    marks = find_femur(Bone("femur", *meshes["femur"]))
    knee = marks["knee_centre"].position_mm
    ends = [marks[f"{side}_epicondyle"].position_mm for side in ("medial", "lateral")]
    across = (ends[0] - ends[1]) / np.linalg.norm(ends[0] - ends[1])
    found = {LAY: dict.fromkeys(meshes, STAYS)}
    for name, axis in zip("xyz", np.eye(3), strict=True):
        move = Move(_turn(axis), knee)
        found[f"turned about {name}"] = dict.fromkeys(meshes, move)
    up = marks.patient_from_bone.axes[:, 2]
    back = marks.patient_from_bone.axes[:, 1]
    bend = _turn(across)
    if (bend @ -up) @ back < 0:
        bend = bend.T
    shank = Move(bend, (ends[0] + ends[1]) / 2)
    found["bent"] = {k: shank if k in MOVED_WITH_THE_SHANK else STAYS for k in meshes}
    found["mirrored"] = dict.fromkeys(meshes, Move(np.diag([-1.0, 1.0, 1.0]), knee))
    return found


def _turn(axis: Floats) -> Floats:
    return np.asarray(Rotation.from_rotvec(np.radians(TURN_DEG) * axis).as_matrix())


@dataclass(frozen=True, eq=False)
class Posed:
    """What was planned in one position.

    Args:
        side: As told by shape.
        angles_deg: By name, without the side.
        cuts: By bone, ``femur`` and ``tibia``, carried back on to the bone as it lay.
    """

    side: str
    angles_deg: dict[str, float]
    cuts: dict[str, Cut]


def planned_in_scan(shared: Path, letter: str, pose: str, place: Path) -> Posed:
    """Scan one of z027's legs in a position and plan on it."""
    meshes = leg_meshes(shared, letter)
    moves = poses(meshes)[pose]
    moved = {}
    for kind, (vertices, faces) in meshes.items():
        flipped = np.linalg.det(moves[kind].matrix) < 0
        moved[kind] = (moves[kind].points(vertices), faces[:, ::-1] if flipped else faces)
    anatomy = leg_in_scan(moved, place / pose.replace(" ", "_"))
    draft = plan_knee(anatomy, KneeSettings())
    (side,) = {cut.bone.split("_")[1] for cut in draft.cuts}
    names = {f"{name}_{side}": name for name in LIMITS_DEG}
    angles = {names[m.name]: m.value for m in draft.measurements if m.name in names}
    kinds = {cut.bone.split("_")[0]: cut for cut in draft.cuts}
    cuts = {kind: _carried_back(cut, moves[kind]) for kind, cut in kinds.items()}
    return Posed(side, angles, cuts)


def _carried_back(cut: Cut, move: Move) -> Cut:
    return Cut(
        cut.name, cut.bone, move.back_point(cut.origin_mm), move.back(cut.normal), cut.kerf_mm
    )


def cut_turn_deg(one: Posed, other: Posed, kind: str) -> float:
    """Angle between the same cut of two positions, on the bone."""
    cosine = one.cuts[kind].normal @ other.cuts[kind].normal
    return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))


def cut_shift_mm(one: Posed, other: Posed, kind: str) -> float:
    """How much deeper or less deep the same cut of another position lies in the bone."""
    first, second = one.cuts[kind], other.cuts[kind]
    return float((second.origin_mm - first.origin_mm) @ first.normal)


def change_deg(before: Posed, after: Posed, name: str, pose: str) -> float:
    """Change of an angle; what the knee was bent by is taken off its flexion."""
    wanted = TURN_DEG if (pose, name) == ("bent", "knee_flexion") else 0.0
    return after.angles_deg[name] - before.angles_deg[name] - wanted
