"""A changed plan in its case: nothing of the plan before stays beside it."""

import json
from dataclasses import replace

import pytest

from guidegen.errors import NotApproved
from guidegen.export.approval import approve, require_approved, require_unchanged
from guidegen.export.edited import write_edited
from guidegen.export.folder import open_case
from guidegen.export.plan_json import read_plan
from guidegen.model.plan import Measurement


def measured(plan, value):
    return replace(plan, measurements=(Measurement("LTC_left", value, "deg"),))


def told(folder):
    return json.loads(folder.landmarks.read_text(encoding="utf-8"))


def test_measurements_beside_the_landmarks_follow_the_plan(planned):
    folder = open_case(planned)
    before, landmarks = read_plan(folder.plan), folder.landmarks.read_bytes()
    first = write_edited(folder, measured(before, 83.0))
    assert told(folder)["measurements"] == {"LTC_left": 83.0}
    assert {**told(folder), "measurements": {}} == json.loads(landmarks)
    require_unchanged(folder, read_plan(folder.plan))
    second = write_edited(folder, measured(first, 81.5))
    assert told(folder)["measurements"] == {"LTC_left": 81.5}
    assert read_plan(folder.plan).extra["plan_sha256"] == second.extra["plan_sha256"]
    approve(folder, "A. Surgeon")
    require_approved(folder)


def test_taking_a_change_back_brings_every_byte_back(planned):
    folder = open_case(planned)
    before, plan = read_plan(folder.plan), folder.plan.read_bytes()
    landmarks = folder.landmarks.read_bytes()
    approve(folder, "A. Surgeon")
    write_edited(folder, measured(before, 83.0))
    with pytest.raises(NotApproved):
        require_approved(folder)
    write_edited(folder, before)
    assert (folder.plan.read_bytes(), folder.landmarks.read_bytes()) == (plan, landmarks)
    require_approved(folder)


def test_landmarks_that_somebody_changed_are_not_taken_for_the_plans(planned):
    folder = open_case(planned)
    before = read_plan(folder.plan)
    content = told(folder)
    content["bones"]["L3"]["body_centre"]["position_mm"][0] += 5.0
    folder.landmarks.write_text(json.dumps(content), encoding="utf-8")
    write_edited(folder, measured(before, 83.0))
    assert told(folder) == content
    with pytest.raises(NotApproved, match=r"landmarks\.json"):
        approve(folder, "A. Surgeon")


def test_parts_and_markups_of_the_plan_before_go(planned):
    folder = open_case(planned)
    gone = ("guides/L3.stl", "models/L3.stl", "slicer/T9_left.mrk.json", "checks.json")
    for name in gone:
        (planned / name).parent.mkdir(exist_ok=True)
        (planned / name).write_text("{}", encoding="utf-8")
    write_edited(folder, read_plan(folder.plan))
    assert not [name for name in (*gone, "report.html") if (planned / name).exists()]
    assert (planned / "slicer" / "L3_left.mrk.json").is_file()
