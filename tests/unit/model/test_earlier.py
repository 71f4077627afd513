"""What a case holds is handed on only for the very same vertebrae."""

from __future__ import annotations

import numpy as np
import pytest

from guidegen.model.bone import SKIN, Bone
from guidegen.model.earlier import Earlier
from guidegen.model.frames import PATIENT, Pose
from guidegen.model.level import Level, Spine
from guidegen.model.volume import Grid, LabelMap
from tests.fake_procedure import box


def _bone(name: str) -> Bone:
    return Bone(name, *box((0, 0, 0), (10, 10, 10)))


@pytest.fixture
def earlier() -> Earlier:
    poses = {n: Pose.from_axes(np.eye(3), np.zeros(3), PATIENT, n) for n in ("L1", "L2", "L3")}
    levels = tuple(Level(n, pose, (-10.0, 10.0)) for n, pose in poses.items())
    labels = LabelMap(np.ones((2, 2, 2), np.uint16), Grid(np.eye(4), (2, 2, 2)), {1: "L1"})
    spine = Spine(labels, levels, np.zeros((3, 3)))
    return Earlier(spine, (_bone("L1"), _bone("L2"), _bone(SKIN)))


def test_the_same_vertebrae_are_handed_on_in_the_order_asked_for(earlier):
    assert [bone.name for bone in earlier.surfaces(("L2", "L1"))] == ["L2", "L1"]


@pytest.mark.parametrize("names", [("L1",), ("L1", "L2", "L3"), ("L2", "L3"), ()])
def test_other_vertebrae_are_to_be_found_again(earlier, names):
    assert earlier.surfaces(names) == ()


def test_skin_is_that_behind_the_same_vertebrae(earlier):
    skin = earlier.skin_with((_bone("L1"), _bone("L2")))
    assert skin is earlier.bones[-1]
    assert earlier.skin_with((_bone("L1"),)) is None
    bare = Earlier(earlier.spine, earlier.bones[:2])
    assert bare.skin_with((_bone("L1"), _bone("L2"))) is None
