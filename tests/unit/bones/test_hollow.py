"""Shells, bodies that lost a wall and half bodies are hollow; whole and dented ones are not."""

import numpy as np
import pytest

from guidegen.bones.hollow import hollow_levels
from guidegen.bones.levels import Walls
from guidegen.bones.spine import _not_whole
from guidegen.bones.straight import CanalFrames
from guidegen.bones.straightened import millimetres
from guidegen.model.frames import PATIENT, Pose
from guidegen.model.level import Level

SHAPE = (170, 163, 166)
PEDICLES = (14.0, 44.0, 74.0)
TALL = 30.0


def _walls() -> Walls:
    n = 90
    centres = np.column_stack([np.zeros(n), np.zeros(n), np.arange(float(n))])
    frames = CanalFrames(centres, np.broadcast_to(np.eye(3), (n, 3, 3)).copy())
    foramina = np.array([-1.0, 29.0, 59.0, 89.0])
    return Walls(frames, np.array(PEDICLES), foramina, True, True, np.zeros(n))


def _from_middle() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Millimetres along the canal from the middle body's centre, back and left."""
    s, back, left = millimetres(SHAPE)
    return s - (PEDICLES[1] - 0.12 * TALL), back, left


def _spine() -> np.ndarray:
    """Three solid bodies, 24 mm tall with discs of 6 mm."""
    labels = np.zeros(SHAPE, np.int16)
    s, back, left = _from_middle()
    for n in range(3):
        body = (np.abs(s - TALL * (n - 1)) < 12) & (back < -8) & (back > -38) & (np.abs(left) < 20)
        labels[body] = n + 1
    return labels


def test_solid_bodies_are_not_hollow() -> None:
    assert not hollow_levels(_spine(), _walls()).any()


def test_a_biconcave_fracture_is_not_hollow() -> None:
    labels = _spine()
    s, back, left = _from_middle()
    round_ = np.hypot(back + 23, left) / 15
    dent = (round_ < 1) & (np.abs(s) > 12 - 4 * (1 - round_**2)) & (np.abs(s) < 14)
    labels[dent] = 0
    assert not hollow_levels(labels, _walls()).any()


def test_a_crushed_body_is_not_hollow() -> None:
    labels = _spine()
    s, back, _ = _from_middle()
    front = np.clip((-8 - back) / 30, 0, 1)
    labels[(labels == 2) & (s > 12 - 10 * front)] = 0
    assert not hollow_levels(labels, _walls()).any()


@pytest.mark.parametrize("thick_mm", [2.0, 4.0])
@pytest.mark.parametrize("open_top", [False, True])
def test_a_shell_is_hollow(thick_mm: float, open_top: bool) -> None:
    labels = _spine()
    s, back, left = _from_middle()
    hole = np.abs(back + 23) < 15 - thick_mm
    hole = hole & (np.abs(left) < 20 - thick_mm) & (s > thick_mm - 12)
    hole &= s < (12 if open_top else 12 - thick_mm)
    labels[hole] = 0
    assert hollow_levels(labels, _walls()).tolist() == [False, True, False]


def test_a_body_without_its_front_is_hollow() -> None:
    labels = _spine()
    _, back, _ = _from_middle()
    labels[(labels == 2) & (back < -14)] = 0
    assert hollow_levels(labels, _walls())[1]


def test_half_a_body_is_hollow() -> None:
    labels = _spine()
    s, _, _ = _from_middle()
    labels[(labels == 2) & (s > -3)] = 0
    assert hollow_levels(labels, _walls())[1]


def test_no_body_at_all_is_hollow() -> None:
    labels = _spine()
    labels[labels == 2] = 0
    assert hollow_levels(labels, _walls())[1]


def test_a_shell_is_told_in_red_and_not_as_cut_off() -> None:
    pose = Pose(np.eye(4), PATIENT, "level")
    levels = tuple(Level(n, pose, (-9.0, 9.0), n == "L2") for n in ("L1", "L2", "L3"))
    cut_off, shell = _not_whole(levels, ("L3",))
    assert (cut_off.code, cut_off.subject, cut_off.red) == ("cut_off_vertebra", "L1", False)
    assert (shell.code, shell.subject, shell.red) == ("open_shell", "L3", True)
    assert "--labels" in shell.message
