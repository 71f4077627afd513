"""One real leg scanned as it lay, turned, bent and mirrored: the same plan on the bones."""

from __future__ import annotations

from functools import lru_cache

import pytest

from .leg_poses import (
    CUT_DEG,
    CUT_MM,
    LAY,
    LIMITS_DEG,
    OTHERS,
    TURNS,
    change_deg,
    cut_shift_mm,
    cut_turn_deg,
    planned_in_scan,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def posed(shared_data, tmp_path_factory):
    place = tmp_path_factory.mktemp("poses")
    return lru_cache(lambda pose: planned_in_scan(shared_data, "L", pose, place))


def _over(posed, pose, names):
    """Angles that change by more than their limit."""
    changes = {name: change_deg(posed(LAY), posed(pose), name, pose) for name in names}
    return {n: v for n, v in changes.items() if abs(v) > LIMITS_DEG[n]}


@pytest.mark.parametrize("pose", OTHERS)
def test_planned_angles_and_alignment_do_not_depend_on_how_the_leg_lay(posed, pose):
    assert _over(posed, pose, [name for name in LIMITS_DEG if name not in TURNS]) == {}


@pytest.mark.parametrize("pose", OTHERS)
def test_the_epicondyles_turn_does_not_depend_on_how_the_leg_lay(posed, pose):
    assert _over(posed, pose, TURNS) == {}


OVER = pytest.mark.xfail(
    strict=True,
    reason="tibia 0.24 deg: the plateaus' middles move with voxels of 1.0 mm; 0.15 on another grid",
)
CUT = [pytest.param(p, marks=OVER) if p == "turned about x" else p for p in OTHERS]


@pytest.mark.parametrize("pose", CUT)
def test_the_cuts_go_through_the_same_bone(posed, pose):
    before, after = posed(LAY), posed(pose)
    for kind in ("femur", "tibia"):
        assert cut_turn_deg(before, after, kind) < CUT_DEG
        assert abs(cut_shift_mm(before, after, kind)) < CUT_MM


@pytest.mark.parametrize("pose", [LAY, *OTHERS])
def test_the_side_is_that_of_the_shape(posed, pose):
    assert posed(pose).side == ("right" if pose == "mirrored" else "left")
