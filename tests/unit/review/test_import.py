"""Markups of 3D Slicer, taken up on the page."""

import json

import pytest

from guidegen.export.plan_json import read_plan
from guidegen.export.slicer import line_markup


def markup_of(tab, shift):
    path = read_plan(tab.session.folder.plan).paths[0]
    content = json.loads(json.dumps(line_markup(path), default=list))
    for point in content["markups"][0]["controlPoints"]:
        point["position"] = [a + b for a, b in zip(point["position"], shift, strict=True)]
    return content


def test_a_line_is_taken_up_and_can_be_taken_back(tab):
    before = tab.state()["paths"][0]["entry_mm"]
    content = markup_of(tab, (1.0, 0.0, 2.0))
    answer = tab.post("/api/import", file="L3_left.mrk.json", content=content)
    assert answer.status_code == 200
    state = answer.json()
    wanted = [a + b for a, b in zip(before, (1.0, 0.0, 2.0), strict=True)]
    assert state["paths"][0]["entry_mm"] == pytest.approx(wanted, abs=1e-6)
    assert "3D Slicer" in state["history"][-1]["what"]
    assert tab.post("/api/undo").json()["paths"][0]["entry_mm"] == pytest.approx(before)


def test_ras_is_not_mirrored(tab):
    path = read_plan(tab.session.folder.plan).paths[0]
    content = markup_of(tab, (0.0, 0.0, 0.0))
    content["markups"][0]["coordinateSystem"] = "RAS"
    for point in content["markups"][0]["controlPoints"]:
        x, y, z = point["position"]
        point["position"] = [-x, -y, z + 1.0]
    state = tab.post("/api/import", file="L3_left.mrk.json", content=content).json()
    assert state["paths"][0]["entry_mm"] == pytest.approx(
        [*path.entry_mm[:2], path.entry_mm[2] + 1]
    )


@pytest.mark.parametrize(
    "told",
    [
        *({"file": 7, "content": {}}, {"file": "a.mrk.json", "content": []}, {}),
        {"file": "a.mrk.json", "content": {"markups": []}},
        {"file": "../../T9_left.mrk.json", "content": {"markups": [{"type": "Line"}]}},
    ],
)
def test_what_is_no_markup_changes_nothing(tab, told):
    before = tab.session.folder.plan.read_bytes()
    answer = tab.post("/api/import", **told)
    assert answer.status_code == 422 and answer.json()["error"]
    assert tab.session.folder.plan.read_bytes() == before


def test_a_line_of_another_plan(tab):
    content = markup_of(tab, (0.0, 0.0, 0.0))
    text = json.dumps(content).replace("L3_left", "T9_left")
    answer = tab.post("/api/import", file="T9_left.mrk.json", content=json.loads(text))
    assert answer.status_code == 422
