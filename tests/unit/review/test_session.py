"""What the page can do to a case, and what it can't."""

import json
import threading

import pytest

from guidegen import steps
from guidegen.errors import NotApproved, PlanError
from guidegen.export.approval import approve as approve_case
from guidegen.export.approval import require_approved
from guidegen.export.plan_json import read_plan
from guidegen.flow import build_case, replan_case
from guidegen.review import state as state_module
from tests.fake_procedure import BallBench


def plan_of(tab):
    return json.loads((tab.session.folder.root / "plan.json").read_text())


def approve(tab, **told):
    usual = {"accepted": [], "confirm": "demo"}
    return tab.post("/api/approve", **{**usual, **told})


def test_the_state_tells_the_plan(tab):
    state = tab.state()
    assert state["case_id"] == "demo"
    assert state["approval"]["state"] == "none"
    (path,) = state["paths"]
    assert path["name"] == "L3_left" and path["grade"] == "A" and not path["edited"]
    assert [bone["name"] for bone in state["bones"]] == ["L3"]
    assert state["items"][0]["fields"][0]["unit"] == "mm"
    assert state["warnings"] == []
    assert state["reports"] == ["report.html"]
    assert (state["undo"], state["redo"]) == (0, 0)


def test_an_edit_is_written_and_noted(tab):
    answer = tab.edit({"diameter_mm": 5.0})
    assert answer.status_code == 200
    state = answer.json()
    assert state["paths"][0]["diameter_mm"] == 5.0 and state["paths"][0]["edited"]
    assert state["paths"][0]["automatic"] == {"diameter_mm": 6.0}
    assert plan_of(tab)["paths"][0]["diameter_mm"] == 5.0
    assert state["plan_sha256"] == read_plan(tab.session.folder.plan).extra["plan_sha256"]
    (entry,) = state["history"]
    assert (entry["by"], entry["item"], entry["what"]) == ("A. Surgeon", "L3_left", "diameter_mm 5")
    assert entry["plan_sha256"] == state["plan_sha256"]
    assert state["took_ms"] < 5000


def test_a_try_changes_nothing(tab):
    before = (tab.session.folder.plan).read_bytes()
    state = tab.edit({"diameter_mm": 8.5}, keep=False).json()
    assert state["paths"][0]["grade"] == "C" and state["tried"]
    assert state["warnings"][0]["code"] == "breach"
    assert state["approval"] is None
    assert tab.session.folder.plan.read_bytes() == before
    assert tab.state()["paths"][0]["grade"] == "A"


def test_a_change_that_can_not_be(tab):
    before = tab.session.folder.plan.read_bytes()
    for change, item in (({"diameter_mm": 30.0}, "L3_left"), ({"diameter_mm": 3.0}, "T1_left")):
        answer = tab.edit(change, item)
        assert answer.status_code == 422
        assert answer.json()["error"].endswith("choose another")
    for told in ({"change": {}}, {"change": [1]}, {"item": 7, "change": {"diameter_mm": 5.0}}):
        assert tab.post("/api/edit", **{"item": "L3_left", **told}).status_code == 422
    assert tab.session.folder.plan.read_bytes() == before


@pytest.mark.parametrize("by", ["", "   ", 7, "x" * 300])
def test_a_change_needs_a_name(tab, by):
    assert tab.edit({"diameter_mm": 5.0}, by=by).status_code == 422
    assert plan_of(tab)["paths"][0]["diameter_mm"] == 6.0


def test_undo_and_redo(tab):
    first = tab.state()["plan_sha256"]
    second = tab.edit({"diameter_mm": 5.0}).json()["plan_sha256"]
    tab.edit({"diameter_mm": 4.0})
    assert tab.post("/api/undo").json()["plan_sha256"] == second
    state = tab.post("/api/undo").json()
    assert state["plan_sha256"] == first and (state["undo"], state["redo"]) == (0, 2)
    assert tab.post("/api/undo").status_code == 422
    assert tab.post("/api/redo").json()["plan_sha256"] == second
    state = tab.edit({"diameter_mm": 3.0}).json()
    assert state["redo"] == 0
    assert [entry["what"] for entry in state["history"]][-3:] == ["undo", "redo", "diameter_mm 3"]


def test_two_tabs_do_not_overwrite_each_other(tab, other_tab):
    assert tab.edit({"diameter_mm": 5.0}).status_code == 200
    late = other_tab.edit({"diameter_mm": 3.0})
    assert late.status_code == 409
    assert "changed elsewhere" in late.json()["error"]
    assert plan_of(tab)["paths"][0]["diameter_mm"] == 5.0
    other_tab.state()
    assert other_tab.edit({"diameter_mm": 3.0}).status_code == 200
    for path in ("/api/undo", "/api/redo", "/api/approve"):
        assert tab.post(path, accepted=[], confirm="demo").status_code == 409
    assert tab.post("/api/edit", item="L3_left", change={"diameter_mm": 1.0}).status_code == 409


def test_a_plan_changed_by_hand_is_taken_up(tab):
    tab.edit({"diameter_mm": 5.0})
    told = plan_of(tab)
    told["paths"][0]["diameter_mm"] = 4.0
    tab.session.folder.plan.write_text(json.dumps(told))
    assert tab.edit({"diameter_mm": 3.0}).status_code == 409
    state = tab.state()
    assert state["paths"][0]["diameter_mm"] == 4.0 and state["folder_changed"]
    assert state["undo"] == 0


def test_approve(tab):
    state = approve(tab).json()
    assert state["approval"]["state"] == "valid"
    assert state["approval"]["by"] == "A. Surgeon" and not state["approval"]["unattended"]
    require_approved(tab.session.folder)
    assert state["history"][-1]["what"] == "approved the plan"
    tab.wait()


@pytest.mark.parametrize("confirm", ["", "Demo", "yes", "demo2"])
def test_approval_wants_the_typed_word(tab, confirm):
    answer = approve(tab, confirm=confirm)
    assert answer.status_code == 422 and "demo" in answer.json()["error"]
    assert not tab.session.folder.approval.exists()


def test_red_warnings_are_ticked_one_by_one(tab):
    state = tab.edit({"diameter_mm": 8.5}).json()
    assert [item["key"] for item in state["warnings"] if item["red"]] == ["breach:L3_left"]
    assert approve(tab).status_code == 403
    assert approve(tab, accepted=["thick_slices:series"]).status_code == 422
    assert approve(tab, accepted="breach:L3_left").status_code == 422
    assert not tab.session.folder.approval.exists()
    state = approve(tab, accepted=["breach:L3_left"]).json()
    assert state["approval"]["accepted"] == ["breach:L3_left"]
    tab.wait()


def test_nobody_can_approve_a_path_in_the_canal(tab):
    state = tab.edit({"into_canal": True}).json()
    assert [item["key"] for item in state["warnings"]] == ["canal_breach:L3_left"]
    answer = approve(tab, accepted=["canal_breach:L3_left"])
    assert answer.status_code == 403 and "by anybody" in answer.json()["error"]
    assert not tab.session.folder.approval.exists()
    with pytest.raises(NotApproved, match="canal"):
        approve_case(tab.session.folder, "night run", unattended=True)
    tab.edit({"diameter_mm": 5.0})
    assert approve(tab).status_code == 200
    tab.wait()


def test_an_edit_makes_the_approval_stale_and_takes_the_parts_away(tab):
    approve(tab)
    tab.wait()
    assert tab.post("/api/build").status_code == 202
    assert tab.wait()["error"] == ""
    state = tab.state()
    assert [part["file"] for part in state["guides"]] == ["guides/L3.stl"]
    assert (
        tab.get("/file/guides/L3.stl").content
        == (tab.session.folder.root / "guides/L3.stl").read_bytes()
    )
    state = tab.edit({"diameter_mm": 5.0}).json()
    assert state["approval"]["state"] == "stale"
    assert "changed since it was approved" in state["approval"]["why"]
    assert state["guides"] == [] and state["reports"] == []
    assert not list(tab.session.folder.root.glob("guides/*"))
    assert tab.post("/api/build").status_code == 202
    assert "changed since it was approved" in tab.wait()["error"]
    state = tab.post("/api/undo").json()
    assert state["approval"]["state"] == "valid"


def held_build(ball, monkeypatch):
    """Let builds wait: events that tell that one has begun, and that let it go on."""
    going, go_on = threading.Event(), threading.Event()
    build = type(ball).build

    def slow(self, case, settings, progress):
        going.set()
        assert go_on.wait(20)
        return build(self, case, settings, progress)

    monkeypatch.setattr(type(ball), "build", slow)
    return going, go_on


def test_nothing_changes_while_a_build_runs(tab, ball, monkeypatch):
    approve(tab)
    tab.wait()
    going, go_on = held_build(ball, monkeypatch)
    tab.post("/api/build")
    assert going.wait(20)
    before = tab.session.folder.plan.read_bytes()
    for answer in (
        tab.edit({"diameter_mm": 5.0}),
        tab.post("/api/undo"),
        approve(tab),
        tab.post("/api/import", file="a.mrk.json", content={}),
    ):
        assert answer.status_code == 422 and "being built" in answer.json()["error"]
    assert tab.edit({"diameter_mm": 5.0}, keep=False).status_code == 200
    assert tab.session.folder.plan.read_bytes() == before
    go_on.set()
    assert tab.wait()["error"] == "" and tab.state()["guides"]


def test_parts_of_a_plan_changed_by_hand_meanwhile_are_not_exported(tab, ball, monkeypatch):
    approve(tab)
    tab.wait()
    build = type(ball).build

    def meddled(self, case, settings, progress):
        told = plan_of(tab)
        told["paths"][0]["diameter_mm"] = 4.0
        tab.session.folder.plan.write_text(json.dumps(told))
        return build(self, case, settings, progress)

    monkeypatch.setattr(type(ball), "build", meddled)
    with pytest.raises(NotApproved, match="while its parts were made"):
        build_case(tab.session.folder.root)
    assert not list(tab.session.folder.root.glob("guides/*"))
    assert not list(tab.session.folder.root.glob(".staging-*"))


def test_a_change_of_the_record_by_hand_makes_it_stale_too(tab):
    approve(tab)
    tab.wait()
    record = tab.session.folder.record
    record.write_text(record.read_text().replace("diameter_mm = 6.0", "diameter_mm = 7.0"))
    assert tab.state()["approval"]["state"] == "stale"


def test_a_guide_to_look_at_is_not_exported(tab):
    assert tab.post("/api/preview", bone="L9").status_code == 202
    assert "nothing is planned on L9" in tab.wait()["error"]
    tab.post("/api/preview", bone="L3")
    work = tab.wait()
    assert work["error"] == "" and work["previews"] == ["L3"]
    assert len(tab.get("/api/mesh/preview/L3").content) > 200
    assert not list(tab.session.folder.root.glob("guides/*"))
    tab.edit({"diameter_mm": 5.0})
    assert tab.get("/api/work").json()["previews"] == []
    assert tab.get("/api/mesh/preview/L3").status_code == 422


def test_what_takes_longer_is_settled_before_it_is_written(tab, other_tab, monkeypatch):
    monkeypatch.setattr(BallBench, "slow", True)
    revision = tab.revision
    assert tab.edit({"diameter_mm": 5.0}).status_code == 200
    for _ in range(200):
        state = tab.state()
        if not state["settling"]:
            break
    assert state["revision"] == revision + 2
    tab.revision = revision + 1
    assert approve(tab).status_code == 409
    assert tab.edit({"diameter_mm": 4.0}).status_code == 200
    other_tab.revision = revision
    assert other_tab.edit({"diameter_mm": 3.0}).status_code == 409
    for _ in range(200):
        if not tab.state()["settling"]:
            break
    tab.edit({"diameter_mm": 5.0})
    for _ in range(200):
        if not tab.state()["settling"]:
            break
    assert plan_of(tab)["paths"][0]["diameter_mm"] == 5.0
    assert "waits" not in plan_of(tab)


def settled(tab):
    """The state once nothing waits any more."""
    for _ in range(200):
        state = tab.state()
        if not state["settling"]:
            return state
    raise AssertionError("it does not settle")


@pytest.fixture
def held(monkeypatch):
    """Changes settle only when the test lets them."""
    go_on, settle = threading.Event(), BallBench.settle

    def slow(self, plan):
        assert go_on.wait(20)
        return settle(self, plan)

    monkeypatch.setattr(BallBench, "slow", True)
    monkeypatch.setattr(BallBench, "settle", slow)
    yield go_on
    go_on.set()


def test_what_still_settles_is_neither_approved_nor_built(tab, held):
    approve(tab)
    tab.wait()
    tab.post("/api/preview", bone="L3")
    assert tab.wait()["previews"] == ["L3"]
    state = tab.edit({"diameter_mm": 5.0}).json()
    assert state["settling"] and state["plan_sha256"] is None
    assert state["approval"]["state"] == "stale" and "worked out" in state["approval"]["why"]
    assert state["work"]["previews"] == []
    for path, told in (("/api/build", {}), ("/api/preview", {"bone": "L3"})):
        answer = tab.post(path, **told)
        assert answer.status_code == 422 and "worked out" in answer.json()["error"]
    assert "worked out" in approve(tab).json()["error"]
    held.set()
    state = settled(tab)
    assert state["plan_sha256"] and state["approval"]["state"] == "stale"


def test_changes_made_while_others_settle_stand_in_the_history(tab, held):
    tab.edit({"diameter_mm": 5.0})
    tab.edit({"diameter_mm": 4.0}, by="B. Engineer")
    held.set()
    told = [(entry["by"], entry["what"]) for entry in settled(tab)["history"]]
    assert told == [("A. Surgeon", "diameter_mm 5"), ("B. Engineer", "diameter_mm 4")]
    assert plan_of(tab)["paths"][0]["diameter_mm"] == 4.0


def test_what_settles_does_not_overwrite_a_plan_changed_by_hand(tab, held):
    tab.edit({"diameter_mm": 5.0})
    told = plan_of(tab)
    told["paths"][0]["diameter_mm"] = 4.0
    tab.session.folder.plan.write_text(json.dumps(told))
    held.set()
    tab.session.finish()
    assert plan_of(tab)["paths"][0]["diameter_mm"] == 4.0
    state = tab.state()
    assert state["paths"][0]["diameter_mm"] == 4.0 and not state["settling"]
    assert state["folder_changed"] and state["undo"] == 0


def test_stopping_waits_for_what_settles(tab, held):
    tab.edit({"diameter_mm": 5.0})
    assert plan_of(tab)["paths"][0]["diameter_mm"] == 6.0
    threading.Timer(0.2, held.set).start()
    tab.session.finish()
    assert plan_of(tab)["paths"][0]["diameter_mm"] == 5.0


@pytest.mark.parametrize(
    ("error", "words"),
    [(PlanError("no pin fits"), "no pin fits"), (ZeroDivisionError("1/0"), "ZeroDivisionError")],
)
def test_what_can_not_be_settled_goes_back_and_says_so(tab, monkeypatch, error, words):
    def fails(self, plan):
        raise error

    tab.edit({"diameter_mm": 5.5})
    before = tab.session.folder.plan.read_bytes()
    monkeypatch.setattr(BallBench, "slow", True)
    monkeypatch.setattr(BallBench, "settle", fails)
    tab.edit({"diameter_mm": 5.0})
    state = settled(tab)
    assert "was not kept" in state["refused"] and words in state["refused"]
    assert state["paths"][0]["diameter_mm"] == 5.5 and (state["undo"], state["redo"]) == (1, 0)
    assert tab.session.folder.plan.read_bytes() == before
    assert [entry["what"] for entry in state["history"]] == ["diameter_mm 5.5"]
    monkeypatch.setattr(BallBench, "slow", False)
    assert tab.edit({"diameter_mm": 4.0}).json()["refused"] == ""


def test_the_state_is_of_one_moment(tab, other_tab, monkeypatch):
    """Another tab's change while an answer is laid out: its revision is not told of this plan."""
    told, now = state_module.plan_to_json, []

    def meddled(plan):
        if not now:
            now.append(True)
            assert other_tab.edit({"diameter_mm": 5.0}).status_code == 200
        return told(plan)

    monkeypatch.setattr(state_module, "plan_to_json", meddled)
    state = tab.state()
    assert state["paths"][0]["diameter_mm"] == 6.0 and state["undo"] == 0
    assert tab.edit({"diameter_mm": 3.0}).status_code == 409
    assert approve(tab).status_code == 409
    assert plan_of(tab)["paths"][0]["diameter_mm"] == 5.0


def test_a_damaged_approval_does_not_keep_the_page_away(tab):
    tab.session.folder.approval.write_text("{")
    answer = tab.get("/api/case")
    assert answer.status_code == 200 and answer.json()["approval"]["state"] == "stale"
    assert "approval.json" in answer.json()["approval"]["why"]
    assert approve(tab).json()["approval"]["state"] == "valid"
    tab.wait()


def test_a_report_drawn_while_the_plan_changed_goes(tab, monkeypatch):
    """Approval draws the report beside the page; an edit meanwhile must not be left with it."""
    drawn = steps.render_report

    def meddled(case):
        text = drawn(case)
        assert tab.edit({"diameter_mm": 5.0}).status_code == 200
        return text

    monkeypatch.setattr(steps, "render_report", meddled)
    approve(tab)
    assert tab.wait()["error"] == ""
    assert not tab.session.folder.report.exists()
    assert tab.state()["reports"] == []


def test_an_approval_beside_a_preview_gets_its_report_after_it(tab, ball, monkeypatch):
    going, go_on = held_build(ball, monkeypatch)
    tab.post("/api/preview", bone="L3")
    assert going.wait(20)
    assert approve(tab).status_code == 200
    assert "Approved by" not in tab.session.folder.report.read_text(encoding="utf-8")
    go_on.set()
    work = tab.wait()
    assert (work["kind"], work["error"], work["previews"]) == ("preview", "", ["L3"])
    assert "Approved by A. Surgeon" in tab.session.folder.report.read_text(encoding="utf-8")


@pytest.mark.parametrize("text", ["{", "[]", '{"entries": 3}', ""])
def test_a_damaged_history_is_put_aside(tab, text):
    history = tab.session.folder.root / "history.json"
    history.write_text(text, encoding="utf-8")
    assert tab.state()["history"] == []
    assert len(tab.edit({"diameter_mm": 5.0}).json()["history"]) == 1
    assert (history.with_name("history.damaged.json")).read_text(encoding="utf-8") == text
    assert len(tab.edit({"diameter_mm": 4.0}).json()["history"]) == 2


def test_a_report_shows_no_approval_of_another_plan(tab):
    approve(tab)
    tab.wait()
    assert "Approved by A. Surgeon" in tab.session.folder.report.read_text(encoding="utf-8")
    tab.edit({"diameter_mm": 5.0})
    steps.redraw(tab.session.folder, lambda text, share: None)
    text = tab.session.folder.report.read_text(encoding="utf-8")
    assert "Approved by" not in text and "not approved" in text


def test_planning_again_beside_the_page(tab):
    replan_case(tab.session.folder.root)
    tab.state()
    assert approve(tab).status_code == 200
    tab.wait()
    build_case(tab.session.folder.root)
    assert tab.state()["guides"]


def test_stop(tab):
    assert tab.post("/api/stop").json() == {"stopped": True}
    assert tab.stopped == [True]
