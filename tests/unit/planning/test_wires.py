import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from guidegen.anatomy.vertebra import find_landmarks
from guidegen.mesh.sdf import signed_distance
from guidegen.model.frames import PATIENT, Pose
from guidegen.planning.wires import WireLimits, place_wires

from .vertebra_shape import Shape

LIMITS = WireLimits(diameter_mm=1.8, depth_mm=12.0, wall_mm=0.7, apart_mm=6.0)


def placed(limits=LIMITS, turn=(0, 0, 0)):
    pose = Pose.from_axes(
        Rotation.from_euler("xyz", turn, degrees=True).as_matrix(),
        (5.0, 30.0, -80.0),
        PATIENT,
        "L3",
    )
    shape = Shape()
    bone = shape.bone(pose=pose)
    marks = find_landmarks(bone, shape.level(pose=pose))
    return bone, marks, place_wires(bone, marks, limits)


@pytest.mark.parametrize("turn", [(0, 0, 0), (20, -15, 30)])
def test_two_parallel_wires_stay_in_the_process(turn):
    bone, marks, wires = placed(turn=turn)
    assert len(wires) == 2
    back = marks.patient_from_bone.axes[:, 1]
    for entry, tip in wires:
        assert tip - entry == pytest.approx(-12.0 * back, abs=1e-6)
        deep = entry + np.linspace(0.25, 1.0, 30)[:, None] * (tip - entry)
        assert signed_distance(deep, bone.vertices_mm, bone.faces).max() <= -0.9 - 0.7 + 0.01
    head = marks.patient_from_bone.axes[:, 2]
    assert (wires[0][0] - wires[1][0]) @ head >= 6.0 - 1e-3


def test_one_wire_where_two_have_no_room():
    assert len(placed(WireLimits(1.8, 12.0, 0.7, 30.0))[2]) == 1


def test_no_wire_in_a_process_that_is_too_thin():
    assert placed(WireLimits(1.8, 12.0, 4.0, 6.0))[2] == ()
