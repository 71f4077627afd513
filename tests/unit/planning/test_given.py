"""The wall and the canal of drawn paths on a vertebra of known shape."""

from functools import lru_cache

import numpy as np
import pytest

from guidegen.anatomy.vertebra import find_landmarks
from guidegen.errors import PlanError
from guidegen.model.frames import PATIENT, Pose
from guidegen.planning.canal import Canal
from guidegen.planning.given import make_ready, measure_given, own_axis
from guidegen.planning.pedicle import SIDES
from guidegen.procedures.pedicle_screws.pedicle import path_limits
from guidegen.procedures.pedicle_screws.settings import PedicleSettings

from .vertebra_shape import Shape, scan

POSE = Pose.from_axes(np.eye(3), (0.0, -22.0, 0.0), PATIENT, "L3")
SHAPE = Shape(radius=4.0)


@lru_cache
def ready(side):
    volume = scan(
        lambda p: SHAPE.measure(p - POSE.origin_mm),
        (72, 94, 40),
        (1.2, 0.75, 0.75),
        cortex_mm=1.2,
        fine=2,
    )
    bone = SHAPE.bone(pose=POSE)
    marks = find_landmarks(bone, SHAPE.level(pose=POSE))
    limits = path_limits("L3", marks[f"pedicle_{SIDES[side][0]}"], PedicleSettings())
    return make_ready(volume, bone, np.zeros((0, 3)), marks, SIDES[side], limits)


def given(side, shift=(0.0, 0.0, 0.0), diameter=5.0):
    entry, tip = own_axis(ready(side))
    return measure_given(ready(side), entry + shift, tip + shift, diameter, (8.0, 0.1))


@pytest.mark.parametrize("side", [0, 1])
def test_the_pedicles_own_axis_runs_through_it(side):
    found = given(side)
    assert found.through and found.breach_mm == 0 and found.canal_mm == 0
    assert found.pedicle.corridor.diameter_mm == pytest.approx(8.0, abs=1.0)
    assert found.front_mm >= 4.0


def test_into_the_canal_only_towards_the_midline():
    """A cylinder of radius 2.5 in a rod of 4 mm, moved by 4.5 mm, reaches 3 mm out of it."""
    for side, sign in ((0, 1.0), (1, -1.0)):
        inwards, outwards = given(side, (-sign * 4.5, 0, 0)), given(side, (sign * 4.5, 0, 0))
        assert inwards.wall == "medial" and inwards.canal_mm == pytest.approx(3.0, abs=0.6)
        assert outwards.wall == "lateral" and outwards.canal_mm == 0


def test_a_thick_cylinder_reaches_into_the_canal_though_another_wall_is_worse():
    """Moved to the side, 9 mm thick: most leaves to the side, but it is in the canal, too."""
    found = given(0, (0.4, 0, 0), 9.5)
    assert found.canal_mm == pytest.approx(9.5 / 2 - 4.0 - 0.4, abs=0.35)


def test_an_entry_off_the_bone_is_put_on_it_and_one_beyond_it_refused():
    entry, tip = own_axis(ready(0))
    way = (tip - entry) / np.linalg.norm(tip - entry)
    for off in (-20.0, -3.0, 2.0):
        found = measure_given(ready(0), entry + off * way, tip, 5.0, (8.0, 0.1))
        assert np.allclose(found.entry_mm, entry, atol=1e-3)
    aside = np.array([60.0, 0.0, 0.0])
    with pytest.raises(PlanError, match="does not meet the bone"):
        measure_given(ready(0), entry + aside, tip + aside, 5.0, (8.0, 0.1))
    with pytest.raises(PlanError, match="does not meet the bone"):
        measure_given(ready(0), entry - 20 * way, entry - 5 * way, 5.0, (8.0, 0.1))
    with pytest.raises(PlanError, match="from the back to the front"):
        measure_given(ready(0), tip, entry, 5.0, (8.0, 0.1))


def test_the_canal_is_no_part_of_what_lies_in_front_beside_or_behind_it():
    canal = Canal(half_mm=10.0, front_mm=15.0, back_mm=30.0)
    out = np.array([2.0])
    assert canal.reached_mm(np.array([[0.0, 20.0, 50.0]]), out) == 2.0
    for point in ([11.0, 20.0, 0.0], [0.0, 14.0, 0.0], [0.0, 31.0, 0.0]):
        assert canal.reached_mm(np.array([point]), out) == 0.0
    assert canal.reached_mm(np.array([[0.0, 20.0, 0.0]]), np.array([-1.0])) == 0.0
