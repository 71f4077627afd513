"""Landmarks of real tibiae: alike on both sides, free of the pose, the ankle where the talus is."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from guidegen.anatomy.long_bone import Faces
from guidegen.anatomy.tibia import find_tibia
from guidegen.errors import AnatomyError
from guidegen.mesh.io import read_stl
from guidegen.model.bone import Bone
from guidegen.model.landmarks import Landmarks


def _bone(shared, name):
    return Bone(name, *read_stl(shared / "mesh" / "vsd_z027" / f"{name}.stl"))


def _inside(marks: Landmarks) -> dict[str, np.ndarray]:
    to_bone = marks.patient_from_bone.inverse
    return {mark.name: to_bone.points(mark.position_mm) for mark in marks.points}


def test_both_legs_of_one_person_are_mirror_images(shared_data):
    left, right = (_inside(find_tibia(_bone(shared_data, f"Tibia_{s}"))) for s in "LR")
    for name, place in left.items():
        np.testing.assert_allclose(place * (-1, 1, 1), right[name], atol=3.0, err_msg=name)
    assert left["plateau_lateral"][0] > 15 > -15 > left["plateau_medial"][0]
    assert left["malleolus_medial"][0] < -15
    assert left["tubercle"][1] < -25 and left["posterior_cruciate"][1] > 15


@pytest.mark.parametrize("side", "LR")
def test_the_ankle_centre_lies_over_the_talar_dome(shared_data, side):
    marks = find_tibia(_bone(shared_data, f"Tibia_{side}"))
    to_bone = marks.patient_from_bone.inverse
    talus = Faces.of(_bone(shared_data, f"Talus_{side}"))
    height = talus.centres @ marks.patient_from_bone.axes[:, 2]
    faces_up = talus.normals @ marks.patient_from_bone.axes[:, 2] > 0.8
    middle = to_bone.points(talus.centroid(faces_up & (height > height.max() - 8.0)))
    ankle = to_bone.points(marks["ankle_centre"].position_mm)
    off_deg = np.degrees(np.arctan2(np.linalg.norm((ankle - middle)[:2]), -ankle[2]))
    assert off_deg < 0.8


@pytest.mark.parametrize("seed", range(3))
def test_landmarks_do_not_depend_on_how_the_leg_lay(shared_data, seed):
    bone = _bone(shared_data, "Tibia_L")
    turn = Rotation.random(random_state=seed).as_matrix()
    before, after = find_tibia(bone), find_tibia(Bone("t", bone.vertices_mm @ turn.T, bone.faces))
    np.testing.assert_allclose(
        turn.T @ after.patient_from_bone.axes, before.patient_from_bone.axes, atol=2e-4
    )
    for mark in before.points:
        there = turn @ mark.position_mm
        np.testing.assert_allclose(after[mark.name].position_mm, there, atol=0.5)


def test_half_a_tibia_says_what_is_missing(shared_data):
    bone = _bone(shared_data, "Femur_L")
    with pytest.raises(AnatomyError):
        find_tibia(Bone("t", bone.vertices_mm * 0.2, bone.faces))
