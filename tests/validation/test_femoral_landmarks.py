"""Landmarks of real femora: as near to the raters' mean as one rater is, and free of the pose."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from guidegen.anatomy.femur import find_femur, side_of
from guidegen.errors import AnatomyError
from guidegen.model.bone import Bone

from .raters import FEMORA, LIMITS_DEG, femur, judge


def test_four_of_five_landmarks_lie_within_the_raters_own_spread(shared_data):
    judged = [judge(shared_data, subject) for subject in FEMORA]
    within = [j.errors_mm[n] <= j.spread_mm[n] for j in judged for n in j.errors_mm]
    assert np.mean(within) >= 0.8


@pytest.mark.parametrize("subject", FEMORA)
def test_axes_are_nearer_to_the_raters_mean_than_one_rater(shared_data, subject):
    found = judge(shared_data, subject).axes_deg
    assert {axis: value for axis, value in found.items() if value > LIMITS_DEG[axis]} == {}


@pytest.mark.parametrize("subject", FEMORA)
def test_the_side_comes_from_shape(shared_data, subject):
    bone, side = femur(shared_data, subject), FEMORA[subject][0]
    assert side_of(find_femur(bone)) == side
    mirrored = Bone("f", bone.vertices_mm * (-1, 1, 1), bone.faces[:, ::-1])
    assert side_of(find_femur(mirrored)) == {"left": "right", "right": "left"}[side]


@pytest.mark.parametrize("seed", range(4))
def test_landmarks_do_not_depend_on_how_the_leg_lay(shared_data, seed):
    bone = femur(shared_data, "z009")
    turn, move = Rotation.random(random_state=seed), np.array([310.0, -45.0, 120.0])
    turned = Bone("f", bone.vertices_mm @ turn.as_matrix().T + move, bone.faces)
    before, after = find_femur(bone), find_femur(turned)
    for mark in before.points:
        there = turn.as_matrix() @ mark.position_mm + move
        np.testing.assert_allclose(after[mark.name].position_mm, there, atol=0.05)


def test_a_mirrored_femur_has_mirrored_landmarks(shared_data):
    bone = femur(shared_data, "z001")
    mirrored = Bone("f", bone.vertices_mm * (-1, 1, 1), bone.faces[:, ::-1])
    before, after = find_femur(bone), find_femur(mirrored)
    for mark in before.points:
        there = mark.position_mm * (-1, 1, 1)
        np.testing.assert_allclose(after[mark.name].position_mm, there, atol=0.05)


def test_a_tibia_has_no_femoral_head(shared_data):
    from guidegen.mesh.io import read_stl

    tibia = Bone("t", *read_stl(shared_data / "mesh" / "vsd_z027" / "Tibia_L.stl"))
    with pytest.raises(AnatomyError, match="femoral head was wanted, none is in view"):
        find_femur(tibia)
