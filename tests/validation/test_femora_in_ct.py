"""The raters' femora through a CT, each alone: as near to the raters as on the surface itself."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

from guidegen.anatomy.femur import find_femur

from .leg_scans import femur_in_scan
from .raters import FEMORA, LIMITS_DEG, femur, judge

slow, ci = pytest.mark.slow, pytest.mark.ci
SUBJECTS = [pytest.param(s, marks=[slow, ci] if s == "z001" else [slow]) for s in FEMORA]


@pytest.fixture(scope="module")
def scanned(shared_data, tmp_path_factory):
    place = tmp_path_factory.mktemp("femora")
    return lru_cache(lambda subject: femur_in_scan(shared_data, subject, place))


@pytest.mark.parametrize("subject", SUBJECTS)
def test_axes_are_nearer_to_the_raters_mean_than_one_rater(shared_data, scanned, subject):
    found = judge(shared_data, subject, scanned(subject)[0]).axes_deg
    assert {axis: value for axis, value in found.items() if value > LIMITS_DEG[axis]} == {}


@pytest.mark.parametrize("subject", SUBJECTS)
def test_four_of_five_landmarks_lie_within_the_raters_own_spread(shared_data, scanned, subject):
    judged = judge(shared_data, subject, scanned(subject)[0])
    assert np.mean([judged.errors_mm[n] <= judged.spread_mm[n] for n in judged.errors_mm]) >= 0.8


@pytest.mark.parametrize("subject", SUBJECTS)
def test_the_ct_shows_the_landmarks_where_the_surface_has_them(shared_data, scanned, subject):
    marks, whole = scanned(subject)[0], find_femur(femur(shared_data, subject))
    assert {p.name for p in marks.points} == {p.name for p in whole.points}
    off = {p.name: np.linalg.norm(marks[p.name].position_mm - p.position_mm) for p in whole.points}
    assert {name: value for name, value in off.items() if value > 2.5} == {}
    assert off["femoral_head_centre"] < 0.3


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_femur_alone_is_planned_on_and_the_tibia_said_to_be_absent(scanned, subject):
    marks, anatomy = scanned(subject)
    side = FEMORA[subject][0]
    assert marks.bone == f"femur_{side}" and [b.name for b in anatomy.bones] == [marks.bone]
    assert [(n.code, n.subject) for n in anatomy.notices] == [("bone_absent", f"tibia_{side}")]
