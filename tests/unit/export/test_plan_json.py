"""plan.json: every key, unknown keys kept, missing ones named."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guidegen.errors import GuidegenError, PlanError
from guidegen.export.plan_json import plan_from_json, plan_to_json, read_plan, write_plan
from guidegen.model.notice import Notice
from guidegen.model.plan import BoneRecord, Cut, Measurement, Path, Plan, Skipped
from guidegen.model.saw_cuts import further_cuts

CONTRACT = {
    "schema": "guidegen.plan/1",
    "case_id": "demo",
    "procedure": "pedicle-screws",
    "frame": {"system": "LPS", "unit": "mm", "frame_of_reference": "sha256:0", "more": 1},
    "input_sha256": "a",
    "settings_sha256": "b",
    "bones": [{"name": "L3", "file": "bones/L3.stl", "sha256": "c", "colour": "white"}],
    "paths": [
        {
            "name": "L3_left",
            "bone": "L3",
            "kind": "screw",
            "side": "left",
            "entry_mm": [0, 0, 0],
            "tip_mm": [0, -45.0, 0],
            "diameter_mm": 6.0,
            "length_mm": 45.0,
            "route": "transpedicular",
            "pilot_diameter_mm": 2.7,
            "corridor_diameter_mm": 9.1,
            "clearance_mm": 1.55,
            "grade": "A",
            "breach_mm": 0.0,
            "breach_wall": None,
            "skin_mm": None,
            "axial_angle_deg": 12.0,
            "sagittal_angle_deg": 3.0,
            "warnings": [],
            "brand": "unknown",
        }
    ],
    "skipped": [
        {
            "name": "T5_left",
            "bone": "T5",
            "side": "left",
            "code": "narrow_pedicle",
            "corridor_diameter_mm": 4.4,
            "seen": True,
        }
    ],
    "cuts": [
        {
            "name": "distal_femur_left",
            "bone": "femur_left",
            "origin_mm": [0, 0, 0],
            "normal": [0, 0, -1],
            "kerf_mm": 1.3,
        }
    ],
    "wedges": [
        {
            "name": "L3_pso",
            "bone": "L3",
            "cranial": {},
            "caudal": {},
            "hinge_mm": [0, 0, 0],
            "hinge_direction": [1, 0, 0],
            "angle_deg": 30.0,
        }
    ],
    "measurements": [{"name": "cobb_T12_L2", "value": 21.4, "unit": "deg", "note": "supine CT"}],
    "warnings": [{"code": "thick_slices", "message": "...", "subject": "series", "red": True}],
    "someone_elses": {"key": [1, 2]},
}


def contains(big, small) -> bool:
    if isinstance(small, dict):
        return all(key in big and contains(big[key], value) for key, value in small.items())
    if isinstance(small, list):
        return len(big) == len(small) and all(map(contains, big, small))
    return np.asarray(big == small).all()


def written(tmp_path, plan) -> dict:
    write_plan(tmp_path / "plan.json", plan)
    return json.loads((tmp_path / "plan.json").read_text())


def test_contracts_example_comes_back_with_all_its_keys(tmp_path):
    plan = plan_from_json(copy.deepcopy(CONTRACT))
    assert contains(written(tmp_path, plan), CONTRACT)
    assert plan.warnings[0].red
    assert plan.paths[0].extra["brand"] == "unknown"


def test_hash_and_stamp_stay_in_memory(tmp_path):
    plan = plan_from_json(copy.deepcopy(CONTRACT))
    digest = write_plan(tmp_path / "plan.json", plan)
    again = read_plan(tmp_path / "plan.json")
    assert again.extra["plan_sha256"] == digest
    assert "plan_sha256" not in plan_to_json(again)
    assert write_plan(tmp_path / "again.json", again) == digest


def holders():
    yield from ((key, ()) for key in CONTRACT if key != "someone_elses")
    for where in ("paths", "skipped", "cuts", "wedges"):
        for key in CONTRACT[where][0]:
            if key not in ("brand", "seen"):
                yield key, (where,)
    yield from (("sha256", ("bones",)), ("value", ("measurements",)), ("code", ("warnings",)))
    yield "frame_of_reference", ("frame",)


@pytest.mark.parametrize(("key", "where"), list(holders()))
def test_a_missing_key_is_named(key, where):
    content = copy.deepcopy(CONTRACT)
    holder = content[where[0]] if where else content
    del (holder[0] if isinstance(holder, list) else holder)[key]
    with pytest.raises(PlanError, match=key):
        plan_from_json(content)


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "guidegen.plan/9"},
        {"frame": {"system": "RAS", "unit": "mm", "frame_of_reference": ""}},
        {"paths": None},
        {"paths": ["L3_left"]},
        {"paths": CONTRACT["paths"] * 2},
        {"paths": [{**CONTRACT["paths"][0], "length_mm": 40.0}]},
        {"paths": [{**CONTRACT["paths"][0], "length_mm": None}]},
        {"paths": [{**CONTRACT["paths"][0], "tip_mm": [0, 0]}]},
        {"paths": [{**CONTRACT["paths"][0], "diameter_mm": "six"}]},
        {"paths": [{**CONTRACT["paths"][0], "warnings": None}]},
        {"paths": [{**CONTRACT["paths"][0], "side": "port"}]},
        {"cuts": [{**CONTRACT["cuts"][0], "normal": [0, 0, 0]}]},
        {"warnings": [3]},
    ],
)
def test_a_wrong_value_is_refused(change):
    with pytest.raises(GuidegenError):
        plan_from_json({**copy.deepcopy(CONTRACT), **change})


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "3", "\xff"])
def test_what_is_no_plan_is_refused(text, tmp_path):
    (tmp_path / "plan.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(PlanError):
        read_plan(tmp_path / "plan.json")


numbers = st.floats(-2000, 2000, allow_nan=False)
points = st.tuples(numbers, numbers, numbers)


@given(entry=points, along=st.tuples(numbers, numbers, st.floats(2, 100)), wide=st.floats(1, 10))
def test_what_is_read_is_what_was_written(entry, along, wide):
    tip = np.add(entry, along)
    plan = Plan(
        "c",
        "p",
        "",
        "i",
        "s",
        (BoneRecord("L3", "bones/L3.stl", "h", "left", False),),
        (Path("L3_left", "L3", "screw", "left", entry, tip, wide),),
        (Skipped("L3_right", "L3", "right", "narrow_pedicle"),),
        (Cut("cut", "L3", entry, along, 1.3),),
        measurements=(Measurement("cobb", 3.0, "deg"),),
        warnings=(Notice("a", "b", "c", red=True),),
    )
    again = plan_from_json(json.loads(json.dumps(plan_to_json(plan), default=list)))
    np.testing.assert_allclose(again.paths[0].entry_mm, entry, atol=1e-6)
    np.testing.assert_allclose(again.cuts[0].normal, plan.cuts[0].normal, atol=1e-9)
    assert again.bones == plan.bones
    assert again.warnings == plan.warnings
    assert again.skipped == plan.skipped


CUT = {
    "name": "distal_femur_left",
    "bone": "femur_left",
    "origin_mm": [0, 0, 0],
    "normal": [0, 0, -1],
    "kerf_mm": 1.3,
}


@pytest.mark.parametrize(
    "planes",
    [
        ["a"],
        {"anterior_femur_left": 7},
        {"anterior_femur_left": {"point_mm": [0, 0, 0]}},
        {"anterior_femur_left": {"point_mm": [0, 0], "normal": [0, -1, 0]}},
        {"anterior_femur_left": {"point_mm": [0, 0, "x"], "normal": [0, -1, 0]}},
        {"anterior_femur_left": {"point_mm": [0, 0, 0], "normal": [0, 0, 0]}},
    ],
)
def test_planes_of_the_wrong_form_are_refused_when_the_plan_is_read(planes):
    content = {**copy.deepcopy(CONTRACT), "cuts": [CUT], "planes": planes}
    with pytest.raises(GuidegenError):
        plan_from_json(content)


def test_planes_are_read_with_their_kerf_outside():
    planes = {"anterior_femur_left": {"point_mm": [1, 2, 3], "normal": [0, -2, 0]}}
    plan = plan_from_json({**copy.deepcopy(CONTRACT), "cuts": [CUT], "planes": planes})
    (cut,) = further_cuts(plan, "femur_left")
    np.testing.assert_allclose(cut.origin_mm, [1, 2 - 0.65, 3])
    np.testing.assert_allclose(cut.normal, [0, -1, 0])
    assert further_cuts(plan, "femur_right") == ()
