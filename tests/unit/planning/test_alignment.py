"""Angles of legs whose axes are laid out by hand, left and right, turned in the scanner."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from guidegen.planning.alignment import FrontalPlane, align, cut_angles_deg, turn_deg

TURNS = [np.eye(3), Rotation.from_euler("xyz", (25, -40, 130), degrees=True).as_matrix()]
MEDIAL = {"right": np.array([1.0, 0.0, 0.0]), "left": np.array([-1.0, 0.0, 0.0])}
BACK, UP = np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0])


@pytest.fixture(params=["right", "left"])
def medial(request):
    return MEDIAL[request.param]


@pytest.fixture(params=TURNS, ids=["straight", "turned"])
def turn(request):
    return request.param


def _leaning(towards, angle_deg):
    a = np.radians(angle_deg)
    return np.cos(a) * UP + np.sin(a) * towards


def _planes(medial, turn):
    return FrontalPlane.of(turn @ UP, turn @ (medial + 0.3 * UP), turn @ (BACK + 0.2 * UP))


@pytest.mark.parametrize("varus", [-8.0, 0.0, 3.0, 12.0])
def test_varus_is_below_180_on_both_sides(medial, turn, varus):
    """The ankle lies medial of the femoral axis: the tibia's way up leans to lateral."""
    tibia = turn @ _leaning(medial, -varus)
    found = align(_planes(medial, turn), tibia, (turn @ _leaning(medial, -6.0), tibia))
    assert found.hka == pytest.approx(180.0 - varus, abs=1e-9)
    assert found.fta == pytest.approx(174.0 + varus, abs=1e-9)
    assert found.flexion == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("bent", [-4.0, 0.0, 20.0])
def test_flexion_does_not_change_the_frontal_angles(medial, turn, bent):
    """A bent knee's ankle lies behind: its way up leans to the front."""
    tibia = turn @ _leaning(BACK, -bent)
    found = align(_planes(medial, turn), tibia, (turn @ _leaning(medial, -6.0), tibia))
    assert found.flexion == pytest.approx(bent, abs=1e-9)
    assert found.hka == pytest.approx(180.0, abs=1e-9)


@pytest.mark.parametrize(("frontal", "sagittal"), [(90.0, 0.0), (87.0, 5.0), (93.0, -2.0)])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_cut_is_measured_to_its_axis_from_either_side(medial, turn, frontal, sagittal, sign):
    a, b = np.tan(np.radians([frontal - 90.0, sagittal]))
    normal = sign * (turn @ (UP + a * medial + b * BACK))
    planes, normal = _planes(medial, turn), normal / np.linalg.norm(normal)
    assert cut_angles_deg(planes, turn @ UP, normal) == pytest.approx((frontal, sagittal), abs=1e-9)
    below = cut_angles_deg(planes, turn @ -UP, normal)
    assert below == pytest.approx((180.0 - frontal, sagittal), abs=1e-9)


def test_a_cut_that_runs_down_to_the_back_has_a_positive_slope(medial):
    behind, front = BACK * 20.0 - UP * 2.0, -BACK * 20.0 + UP * 2.0
    normal = np.cross(behind - front, medial)
    _, slope = cut_angles_deg(_planes(medial, np.eye(3)), -UP, normal / np.linalg.norm(normal))
    assert slope == pytest.approx(np.degrees(np.arctan(0.1)))


def test_external_rotation_is_positive_on_both_sides(medial, turn):
    """The line's medial end lies more to the front than the reference's."""
    a = np.radians(3.0)
    line = np.cos(a) * medial - np.sin(a) * BACK
    assert turn_deg(turn @ line, turn @ medial, _planes(medial, turn)) == pytest.approx(3.0)
    assert turn_deg(turn @ medial, turn @ line, _planes(medial, turn)) == pytest.approx(-3.0)
