"""One case on a worker: done, refused, stopped; nothing half made is left."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from guidegen.batch import result as outcomes
from guidegen.batch import work
from guidegen.batch.alive import write_process
from guidegen.batch.process import RUNNING, Ended
from guidegen.batch.work import BEGUN, killed, run_case
from guidegen.phantoms.definition import Expectation
from guidegen.phantoms.recipe import load_recipe

PHANTOM = """
phantom = "demo"
seed = 4
[scan]
spacing_mm = 3.0
slice_mm = 5.0
[run]
procedure = "pedicle-screws"
levels = "L3"
[expect.limits]
height = 0.9
"""


def left(job):
    """Files of a case in the batch's folder, without the batch's mark."""
    return sorted(
        path.relative_to(job.out).as_posix()
        for path in job.out.rglob("*")
        if path.is_file() and path.name != "batch.toml"
    )


def test_done(job, ball_ct, tricks):
    one = job("one", ball_ct, settings={"guide": {"fit_gap_mm": 0.3}})
    result = run_case(one)
    assert (result.outcome, result.exit, result.reason) == (outcomes.DONE, 0, "")
    assert result.key == one.key and result.seconds > 0 and result.peak_mb > 50
    assert result.facts["grades"] == {"L3_left": "A"}
    assert result.facts["skipped"] == ["L3_right"]
    assert result.facts["parts"] == ["guides/L3.stl", "models/L3.stl"]
    assert "fit_gap_mm = 0.3" in one.folder.record.read_text()
    assert one.log.read_text().startswith("[") and not (one.aside / "scan").exists()
    assert [path.name for path in one.pictures.iterdir()] == ["L3.jpg"]
    assert not [name for name in left(one) if "Muster" in name]
    told = [(one.out / name).read_bytes() for name in left(one)]
    assert not [text for text in told if b"Mustermann" in text or b"Erika" in text]


def test_red_warnings_do_not_stop_it_and_failed_checks_are_told(job, ball_ct, tricks):
    result = run_case(job("one", ball_ct, settings={"red": True, "failing": ["guides/L3.stl"]}))
    assert (result.outcome, result.exit) == (outcomes.FAILED, 2)
    assert "guides/L3.stl is" in result.reason and result.facts["red"] == ["unanchored_levels"]
    assert len(result.facts["failed"]) >= 1


@pytest.mark.parametrize(
    ("name", "outcome", "said"),
    [
        ("crashes", outcomes.CRASHED, "SIGABRT"),
        ("quits", outcomes.CRASHED, "ended with code 1"),
        ("lies", outcomes.CRASHED, "ended with code 0"),
        ("shot", outcomes.KILLED, "from outside"),
    ],
)
def test_what_ends_without_an_answer(job, ball_ct, tricks, name, outcome, said):
    one = job(name, ball_ct)
    result = run_case(one)
    assert (result.outcome, result.exit) == (outcome, None)
    assert said in result.reason
    assert not one.folder.root.exists()


@pytest.mark.parametrize("plan", ["", "{", "[]", "{}"])
@pytest.mark.parametrize("outcome", [outcomes.DONE, outcomes.FAILED])
def test_a_case_without_a_plan_is_not_done(job, ball_ct, outcome, plan):
    one = job("one", ball_ct)
    one.aside.mkdir(parents=True)
    one.folder.root.mkdir(parents=True)
    one.folder.plan.write_text(plan)
    result = work._ended(one, 0.0, Ended(0, "", 1.0, "{}"), outcome, "")
    assert (result.outcome, result.exit) == (outcomes.CRASHED, None)
    assert "no plan" in result.reason and not one.folder.root.exists()


def test_one_that_hangs(job, ball_ct, tricks):
    one = job("hangs", ball_ct, timeout_s=3.0)
    result = run_case(one)
    assert (result.outcome, result.exit) == (outcomes.LATE, None)
    assert result.reason == "it took longer than 3 s" and result.seconds >= 3.0


def test_one_that_eats_memory(job, ball_ct, tricks):
    result = run_case(job("eats", ball_ct, memory_bytes=300_000_000))
    assert (result.outcome, result.reason) == (
        outcomes.MEMORY,
        "it needed more than 0.3 GB of memory",
    )


def test_a_refusal_does_not_name_the_scan(job, tmp_path, tricks):
    scan = tmp_path / "Mustermann Erika"
    scan.mkdir()
    (scan / "Erika.nii").write_bytes(b"junk" * 200)
    one = job("one", scan)
    result = run_case(one)
    assert (result.outcome, result.exit) == (outcomes.REFUSED, 1)
    assert len(result.reason) > 10 and "Mustermann" not in result.reason
    assert result.reason.split(":")[0] in one.log.read_text()
    assert "Mustermann" not in one.log.read_text()


def test_an_unknown_setting_is_refused_by_name(job, ball_ct, tricks):
    result = run_case(job("one", ball_ct, settings={"guide": {"fit_gap": 0.3}}))
    assert result.outcome == outcomes.REFUSED and "fit_gap_mm" in result.reason


def test_what_an_earlier_run_left_goes_first(job, ball_ct, tricks):
    one = job("quits", ball_ct)
    for path in (one.folder.plan, one.result, one.truth, one.log, one.pictures / "L9.jpg"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("old")
    run_case(one)
    shutil.rmtree(one.aside)
    assert left(one) == ["logs/quits.txt"]
    assert "old" not in one.log.read_text()


def test_a_case_that_this_run_began_already_was_killed(job, ball_ct, tricks):
    one = job("one", ball_ct)
    one.aside.mkdir(parents=True)
    (one.aside / BEGUN).write_text(one.run)
    (one.aside / "log.txt").write_text(f"[ 10%] read {ball_ct}\n")
    one.folder.plan.parent.mkdir(parents=True)
    one.folder.plan.write_text("half made")
    result = run_case(one)
    assert result.outcome == outcomes.KILLED
    assert left(one) == ["logs/one.txt"] and "Erika" not in one.log.read_text()


def test_what_a_killed_worker_left_running_is_ended(job, ball_ct):
    one = job("one", ball_ct)
    one.aside.mkdir(parents=True)
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    write_process(one.aside / RUNNING, process.pid)
    assert killed(one).outcome == outcomes.KILLED
    assert process.wait(30) != 0


def test_a_case_that_this_run_finished_is_not_run_a_second_time(job, ball_ct, tricks):
    """dask asks again for a result whose worker died with it."""
    one = job("one", ball_ct)
    first = run_case(one)
    before = one.folder.plan.stat().st_mtime_ns
    assert replace(run_case(one), seconds=first.seconds, peak_mb=first.peak_mb) == first
    assert one.folder.plan.stat().st_mtime_ns == before
    assert run_case(replace(one, run="another")).outcome == outcomes.DONE
    assert one.folder.plan.stat().st_mtime_ns > before


def test_a_case_that_another_run_left_begins_anew(job, ball_ct, tricks):
    one = job("one", ball_ct)
    one.aside.mkdir(parents=True)
    (one.aside / BEGUN).write_text("an earlier run")
    assert run_case(one).outcome == outcomes.DONE


def test_a_batch_that_was_stopped_is_obeyed(job, ball_ct, tricks, monkeypatch):
    """Its folder for what is under way goes: the worker ends what it does and touches nothing."""
    one = job("hangs", ball_ct)
    looks = []

    def wanted(of):
        looks.append(of)
        return len(looks) < 3

    monkeypatch.setattr(work, "_wanted", wanted)
    one.folder.root.mkdir(parents=True)
    result = run_case(one)
    assert result.outcome == outcomes.NOT_RUN and "stopped" in result.reason
    assert one.aside.exists(), "it may be another run's by now"


def test_a_worker_with_another_program_does_nothing(job, ball_ct):
    one = replace(job("one", ball_ct), program="other")
    result = run_case(one)
    assert result.outcome == outcomes.NOT_RUN and "another guidegen" in result.reason
    assert left(one) == []


def test_a_worker_that_does_not_see_the_folder(job, ball_ct, tmp_path):
    one = replace(job("one", ball_ct), out=tmp_path / "elsewhere")
    result = run_case(one)
    assert result.outcome == outcomes.NOT_RUN and "all computers share" in result.reason
    assert not one.out.exists()


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a folder it can't write")
def test_a_folder_that_can_not_be_written(job, ball_ct):
    one = job("one", ball_ct)
    one.out.chmod(0o500)
    assert run_case(one).outcome == outcomes.NOT_RUN
    one.out.chmod(0o700)


def test_an_error_of_the_system_is_told(job, ball_ct, monkeypatch):
    def full(one):
        raise OSError(28, "No space left on device", str(one.out))

    monkeypatch.setattr(work, "_clear", full)
    result = run_case(job("one", ball_ct))
    assert result.outcome == outcomes.NOT_RUN and "the disk is full" in result.reason


# -- phantoms -------------------------------------------------------------------------------------


def test_a_phantom_that_can_not_be_made_is_never_rightly_refused(job, tmp_path, tricks):
    (tmp_path / "p.toml").write_text(PHANTOM.replace("demo", "nobody"))
    wish = Expectation(exit=1)
    one = job("p", tmp_path / "p.toml", "pedicle-screws", expect=wish)
    result = run_case(one)
    assert (result.outcome, result.exit) == (outcomes.NOT_RUN, None)
    assert result.reason.startswith("the phantom could not be made: p.toml")


def test_errors_are_held_against_what_was_really_asked(job, tmp_path, monkeypatch):
    (tmp_path / "p.toml").write_text(PHANTOM)
    seen = {}

    def errors_of(plan, landmarks, truth, recipe):
        seen.update(truth=truth, recipe=recipe)
        return ()

    monkeypatch.setattr(work, "errors_of", errors_of)
    one = job(
        *("p", tmp_path / "p.toml", "pedicle-screws"),
        options={"levels": "L4"},
        settings={"screw": {"min_corridor_mm": 5.0}},
        expect=Expectation(limits={"height": 0.7}),
    )
    one.truth.parent.mkdir()
    one.truth.write_text(json.dumps({"expect": {"limits": {"height": 0.9}}}))
    assert work._errors(one) == ()
    run = seen["recipe"].run
    assert (run.levels, run.settings) == ("L4", {"screw": {"min_corridor_mm": 5.0}})
    assert seen["truth"]["expect"]["limits"] == {"height": 0.7}
    assert load_recipe(tmp_path / "p.toml").run.levels == "L3"


def test_no_truth_no_errors(job, ball_ct):
    assert work._errors(job("one", ball_ct)) == ()


def test_the_command_line(job, tmp_path):
    """Values never pass for options."""
    options = {"levels": "--force", "series": ["1", "2"], "accept_posture": True}
    one = job("one", tmp_path / "s", "knee", options=options | {"side": "left"})
    told = list(work._arguments(one, "SCAN"))
    assert told[:5] == ["run", "knee", "SCAN", "--out", str(one.folder.root)]
    assert "--levels=--force" in told and "--force" not in told
    assert {"--series=1", "--series=2", "--accept-posture", "--side=left"} <= set(told)
    off = list(work._arguments(job("two", tmp_path, options={"accept_posture": False}), "S"))
    assert not [one for one in off if "posture" in one]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{source} is empty", "INPUT is empty"),
        ("Mustermann is empty", "INPUT is empty"),
        ("xMustermann, Mustermann-2", "xMustermann, Mustermann-2"),
        ("{labels} and Erika_seg.nii.gz", "LABELS and LABELS"),
        ("{root}/plan.json", "CASE/plan.json"),
        ("{source}/deep/Erika M.dcm: no access: x", "INPUT: no access: x"),
        ("{source}\\deep\\Erika.dcm: no access", "INPUT: no access"),
        ("{out}/logs", "BATCH/logs"),
    ],
)
def test_paths_and_names_are_left_out(job, tmp_path, text, shown):
    labels = tmp_path / "Erika_seg.nii.gz"
    one = job("one", tmp_path / "Mustermann", options={"labels": labels})
    places = {"source": one.case.source, "labels": labels, "root": one.folder.root, "out": one.out}
    assert one.without_paths(text.format(**places)) == shown


def test_a_name_that_is_no_unicode_is_left_out_as_it_is_written(job):
    one = job("scan_1", Path("/x/M\udcfcller Erika.nii"))
    assert one.without_paths("/x/M?ller Erika.nii is no") == "INPUT is no"
    assert one.without_paths("M?ller Erika.nii is no") == "INPUT is no"


def test_names_that_are_known_stay(job):
    assert job("two", Path("/x/a")).without_paths("a scan") == "a scan"
    assert job("lidc", Path("/x/lidc.zip")).without_paths("lidc.zip is no") == "lidc.zip is no"
    assert job("t", Path("/x/tiny.toml")).without_paths("tiny.toml: no") == "tiny.toml: no"
