"""Real tibiae cut off below the knee: side and axes without the ankle."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from guidegen.anatomy.tibia import find_tibia, find_tibia_without_ankle, side_of
from guidegen.errors import AnatomyError
from guidegen.mesh.io import read_stl
from guidegen.model.bone import Bone
from guidegen.model.frames import PATIENT, Pose

from .cut_bones import kept

TIBIAE = {
    "vsd_z027/Tibia_L.stl": "left",
    "vsd_z027/Tibia_R.stl": "right",
    "visible_human_female/VHF_Right_Bone_Tibia_smooth.stl": "right",
}


def _whole(shared, name):
    return Bone("tibia", *read_stl(shared / "mesh" / name))


@pytest.mark.parametrize("name", TIBIAE)
def test_the_side_of_a_whole_tibia(shared_data, name):
    assert side_of(find_tibia(_whole(shared_data, name))) == TIBIAE[name]


@pytest.mark.parametrize("name", TIBIAE)
@pytest.mark.parametrize("below_mm", [110.0, 170.0])
def test_the_side_is_told_by_plateaus_and_tubercle(shared_data, name, below_mm):
    whole = _whole(shared_data, name)
    bone = kept(whole, find_tibia(whole).patient_from_bone, -below_mm, 200.0)
    marks = find_tibia_without_ankle(bone)
    assert side_of(marks) == TIBIAE[name]
    assert marks["shaft"].values["side_clear"] == 1.0
    flipped = Bone("t", bone.vertices_mm * (-1, 1, 1), bone.faces[:, ::-1])
    assert side_of(find_tibia_without_ankle(flipped)) != TIBIAE[name]


@pytest.mark.parametrize("name", TIBIAE)
def test_points_are_near_those_of_the_whole_tibia(shared_data, name):
    whole = _whole(shared_data, name)
    true = find_tibia(whole)
    marks = find_tibia_without_ankle(kept(whole, true.patient_from_bone, -170.0, 200.0))
    lean = true.patient_from_bone.axes[:, 2] @ marks.patient_from_bone.axes[:, 2]
    assert np.degrees(np.arccos(lean)) < 4.0
    for point in ("plateau_centre", "plateau_medial", "plateau_lateral", "tubercle"):
        off = np.linalg.norm(marks[point].position_mm - true[point].position_mm)
        assert off < 6.0, (point, off)
    assert "ankle_centre" not in marks


def test_plateaus_alone_are_refused(shared_data):
    whole = _whole(shared_data, "vsd_z027/Tibia_L.stl")
    bone = kept(whole, find_tibia(whole).patient_from_bone, -50.0, 200.0)
    with pytest.raises(AnatomyError, match="at least 95 mm below the eminences was wanted"):
        find_tibia_without_ankle(bone)


@pytest.mark.parametrize("name", TIBIAE)
@pytest.mark.parametrize("tilt_deg", [0.0, 20.0])
def test_the_cut_end_of_a_shaft_is_no_ankle(shared_data, name, tilt_deg):
    whole = _whole(shared_data, name)
    frame = find_tibia(whole).patient_from_bone
    turn = Rotation.from_euler("x", tilt_deg, degrees=True).as_matrix()
    leant = Pose.from_axes(frame.axes @ turn, frame.origin_mm, PATIENT, "tibia")
    with pytest.raises(AnatomyError, match="ankle"):
        find_tibia(kept(whole, leant, -180.0, 300.0))
