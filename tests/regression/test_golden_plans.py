"""Plans of phantoms against golden numbers, which only ``pytest --update`` rewrites."""

import copy

import pytest

from guidegen.phantoms.scan import ScanOptions
from tests.regression import golden
from tests.validation.cases import Wish
from tests.validation.legs import COARSE as LEGS
from tests.validation.legs import LegWish, known, planned_leg

COARSE = ScanOptions(spacing_mm=1.0, slice_mm=1.25)
FAST = [Wish("demo", "L3"), Wish("lopsided", "L3", COARSE, lowest_level="L4")]
SLOW = [
    Wish("lumbar", "L2-L3"),
    Wish("thoracic", "T8-T9"),
    Wish("scoliosis", "L1-L2"),
    Wish("narrow", "T5-T8", lowest_level="T8"),
    Wish("fused", "T11-T12"),
    Wish("round", "L3"),
    Wish("fracture_wedge", "L1", procedure="kyphoplasty"),
]


@pytest.mark.parametrize(
    "wish",
    [
        *(pytest.param(w, id=w.name) for w in FAST),
        *(pytest.param(w, id=w.name, marks=pytest.mark.slow) for w in SLOW),
    ],
)
def test_the_plan_is_the_golden_one(wish, phantom_case, update_golden):
    compare(wish.name, golden.numbers(phantom_case(wish).plan), update_golden)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["straight", "turned"])
def test_the_leg_s_plan_is_the_golden_one(name, tmp_path, update_golden):
    case = planned_leg(LegWish(known(name), LEGS), tmp_path)
    compare(f"leg_{name}", golden.numbers(case.plan), update_golden)


def compare(name, found, update_golden):
    if update_golden:
        golden.write(name, found)
    wanted = golden.read(name)
    assert wanted is not None, f"no golden plan of {name}: run pytest --update"
    lines = golden.differences(wanted, found)
    if lines:
        pytest.fail(
            f"{name}: the plan is another one. If that is meant, run pytest --update, read "
            "the diff and add a line to CHANGELOG.md.\n  " + "\n  ".join(lines),
            pytrace=False,
        )


PLAN = {
    "paths": {
        "L3_left": {"entry_mm": [21.3, 24.78, 109.7], "mean_hu": 230.0, "grade": "A"},
        "L3_right": {"entry_mm": [-20.0, 25.0, 109.0], "mean_hu": 228.0, "grade": "A"},
    },
    "skipped": {},
    "warnings": ["cut_off_vertebra L2"],
}


def test_the_same_plan_has_no_differences():
    assert golden.differences(PLAN, copy.deepcopy(PLAN)) == []


def test_a_last_digit_is_no_difference():
    new = copy.deepcopy(PLAN)
    new["paths"]["L3_left"]["entry_mm"][0] += 0.01
    new["paths"]["L3_left"]["mean_hu"] += 1.0
    assert golden.differences(PLAN, new) == []


def test_differences_name_path_key_old_and_new():
    new = copy.deepcopy(PLAN)
    new["paths"]["L3_left"]["entry_mm"][1] = 24.86
    new["paths"]["L3_left"]["grade"] = "B"
    del new["paths"]["L3_right"]
    new["skipped"]["L3_right"] = {"code": "narrow_pedicle"}
    assert golden.differences(PLAN, new) == [
        "paths L3_left entry_mm[1]: was 24.78, is 24.86 (+0.08)",
        "paths L3_left grade: was A, is B",
        "paths L3_right entry_mm[0]: was -20.0, is gone",
        "paths L3_right entry_mm[1]: was 25.0, is gone",
        "paths L3_right entry_mm[2]: was 109.0, is gone",
        "paths L3_right mean_hu: was 228.0, is gone",
        "paths L3_right grade: was A, is gone",
        "skipped L3_right code: is new, narrow_pedicle",
    ]


def test_numbers_are_rounded_by_their_unit():
    path = {"name": "L3_left", "entry_mm": [1.23456, -0.001, 2.0], "axial_angle_deg": 12.3456}
    path |= {"mean_hu": 230.6, "warnings": [], "note": "left out"}
    plan = {"paths": [path], "skipped": [], "warnings": [{"code": "metal", "subject": "series"}]}
    plan["measurements"] = [
        {"name": "height_front_L3", "value": 16.4567, "unit": "mm"},
        {"name": "rod_line_left", "value": 3.2, "unit": "mm"},
    ]
    found = golden.numbers(plan)
    assert found["measurements"] == {"height_front_L3_mm": 16.46}
    assert found["paths"]["L3_left"] == {
        "entry_mm": [1.23, 0.0, 2.0],
        "axial_angle_deg": 12.35,
        "mean_hu": 231.0,
        "warnings": [],
    }
    assert found["warnings"] == ["metal series"]
