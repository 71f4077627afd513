"""A batch: what is run, what is kept, what a stop leaves."""

import os
import shutil
from contextlib import contextmanager
from dataclasses import replace

import pytest

from guidegen.batch import run as batch
from guidegen.batch.alive import write_process
from guidegen.batch.cases import BatchCase
from guidegen.batch.dataset import MARK
from guidegen.batch.result import DONE, KILLED, LATE, MEMORY, NOT_RUN, REFUSED, Result
from guidegen.batch.run import AT_WORK, Asking, run_batch
from guidegen.errors import InputError
from guidegen.export.atomic import write_json, write_text
from guidegen.phantoms.definition import Expectation
from tests.unit.batch.conftest import FACTS


class Workers:
    """What pretended workers make of each case, and which they were given."""

    def __init__(self):
        self.ran = []
        self.outcomes = {}
        self.stop_before = None
        self.opened = 0

    @contextmanager
    def open(self, where, n_jobs):
        self.opened += 1
        yield self

    def run(self, client, jobs, wait_s):
        yield None, tuple(job.case.name for job in jobs)
        for job in jobs:
            name = job.case.name
            if name == self.stop_before:
                raise KeyboardInterrupt
            self.ran.append(name)
            outcome, further = self.outcomes.get(name, (DONE, {}))
            result = Result(name, "its own", outcome, 0 if outcome == DONE else 1, **further)
            if outcome == DONE:
                files = ("plan.json", "report.html", *FACTS["parts"])
                for file in files:
                    write_text(job.folder.root / file, "")
                told = {"files": [{"file": file} for file in files]}
                write_json(job.folder.manifest, told)
                result = replace(result, facts=FACTS)
            yield result, ()


@pytest.fixture
def hands(monkeypatch):
    made = Workers()
    monkeypatch.setattr(batch, "workers", made.open)
    monkeypatch.setattr(batch, "run_jobs", made.run)
    return made


@pytest.fixture
def cases(tmp_path):
    def make(names="abc"):
        for name in names:
            (tmp_path / "scans" / name).mkdir(parents=True, exist_ok=True)
        return [BatchCase(n, "knee", tmp_path / "scans" / n) for n in names]

    return make


@pytest.fixture
def asking(tmp_path):
    return Asking(tmp_path / "out")


def test_a_second_run_does_nothing(hands, cases, asking):
    hands.outcomes = {"b": (REFUSED, {"reason": "no"}), "c": (KILLED, {})}
    first = run_batch(cases(), asking)
    assert hands.ran == ["a", "b", "c"] and [row.kept for row in first] == [False] * 3
    page = (asking.out / "summary.csv").read_text()
    second = run_batch(cases(), asking)
    assert hands.ran == ["a", "b", "c"] and hands.opened == 1
    assert [row.kept for row in second] == [True] * 3
    assert [row.result.outcome for row in second] == [DONE, REFUSED, KILLED]
    assert (asking.out / "summary.csv").read_text() == page.replace(",no\n", ",yes\n")
    assert sorted(path.name for path in asking.out.iterdir()) == [
        *("batch.toml", "cases", "results", "summary.csv", "summary.html"),
    ]


def test_again_runs_what_was_not_as_expected(hands, cases, asking):
    hands.outcomes = {"b": (REFUSED, {}), "c": (KILLED, {})}
    run_batch(cases(), asking)
    run_batch(cases(), replace(asking, again=True))
    assert hands.ran == ["a", "b", "c", "b", "c"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda out: shutil.rmtree(out / "cases" / "b"),
        lambda out: (out / "cases" / "b" / "guides" / "L3.stl").unlink(),
        lambda out: (out / "cases" / "b" / "plan.json").unlink(),
        lambda out: (out / "cases" / "b" / "report.html").unlink(),
        lambda out: (out / "cases" / "b" / "manifest.json").unlink(),
        lambda out: (out / "cases" / "b" / "manifest.json").write_text('{"files": 3}'),
        lambda out: (out / "cases" / "b" / "manifest.json").write_text('{"files": [3]}'),
        lambda out: (out / "results" / "b.json").unlink(),
        lambda out: (out / "results" / "b.json").write_text("{"),
        lambda out: (out / "results" / "a.json").replace(out / "results" / "b.json"),
    ],
)
def test_what_is_gone_or_damaged_is_made_again(hands, cases, asking, damage):
    run_batch(cases("bc"), asking)
    (asking.out / "results" / "a.json").write_text((asking.out / "results" / "c.json").read_text())
    damage(asking.out)
    rows = run_batch(cases("bc"), asking)
    assert hands.ran == ["b", "c", "b"] and [row.kept for row in rows] == [False, True]


def test_a_changed_case_is_run_again_and_others_are_not(hands, cases, asking, tmp_path):
    run_batch(cases(), asking)
    (tmp_path / "scans" / "b" / "1").write_text("new")
    run_batch(cases(), asking)
    assert hands.ran == ["a", "b", "c", "b"]


@pytest.mark.parametrize(
    "file, told", [("history.json", {}), ("approval.json", {"by": "Dr X", "unattended": False})]
)
def test_work_of_hands_is_not_made_anew(hands, cases, asking, tmp_path, file, told):
    run_batch(cases("ab"), asking)
    folder = asking.out / "cases" / "b"
    write_json(folder / "approval.json", {"by": "guidegen batch", "unattended": True})
    write_json(folder / file, told)
    (folder / "guides" / "L3.stl").unlink()  # as a change by hand does
    assert run_batch(cases("ab"), asking)[1].kept
    (tmp_path / "scans" / "b" / "1").write_text("new")
    row = run_batch(cases("ab"), asking)[1]
    assert row.result.outcome == NOT_RUN and "by hand" in row.result.reason
    assert hands.ran == ["a", "b"] and (folder / file).is_file()
    shutil.rmtree(folder)
    assert run_batch(cases("ab"), asking)[1].result.outcome == DONE
    assert hands.ran == ["a", "b", "b"]


def test_again_does_not_go_over_work_of_hands(hands, cases, asking):
    run_batch(cases("a"), asking)
    write_json(asking.out / "cases" / "a" / "history.json", {})
    wish = [replace(case, expect=Expectation(exit=1)) for case in cases("a")]
    row = run_batch(wish, replace(asking, again=True))[0]
    assert row.result.outcome == NOT_RUN and hands.ran == ["a"]


def test_a_data_set_that_lost_and_gained_a_case(hands, cases, asking):
    run_batch(cases("abc"), asking)
    rows = run_batch(cases("acd"), asking)
    assert hands.ran == ["a", "b", "c", "d"]
    assert [row.case.name for row in rows] == ["a", "c", "d"]
    assert (asking.out / "cases" / "b" / "plan.json").is_file(), "what was made is not thrown away"


@pytest.mark.parametrize(
    ("outcome", "told", "change", "again"),
    [
        (LATE, {"seconds": 10.4}, {"timeout_s": 10.0}, False),
        (LATE, {"seconds": 10.4}, {"timeout_s": 60.0}, True),
        (LATE, {"seconds": 10.4}, {"timeout_s": None}, True),
        (MEMORY, {"peak_mb": 2010.0}, {"memory_bytes": 2_000_000_000}, False),
        (MEMORY, {"peak_mb": 2010.0}, {"memory_bytes": 4_000_000_000}, True),
    ],
)
def test_what_met_a_limit_is_run_again_under_a_higher_one(
    hands, cases, asking, outcome, told, change, again
):
    asking = replace(asking, timeout_s=10.0, memory_bytes=2_000_000_000)
    hands.outcomes = {"a": (outcome, told)}
    run_batch(cases("a"), asking)
    run_batch(cases("a"), replace(asking, **change))
    assert hands.ran == (["a", "a"] if again else ["a"])


def test_what_could_not_be_run_is_tried_again(hands, cases, asking):
    hands.outcomes = {"a": (NOT_RUN, {"reason": "no worker"})}
    assert run_batch(cases("a"), asking)[0].surprises == ("not run",)
    hands.outcomes = {}
    assert run_batch(cases("a"), asking)[0].as_expected


def test_what_can_not_be_run_needs_no_worker(hands, cases, asking, tmp_path):
    bad = BatchCase("b", "", tmp_path / "b.toml", problem="b.toml is not valid TOML")
    rows = run_batch([bad], asking)
    assert hands.opened == 0
    assert (rows[0].result.outcome, rows[0].result.reason) == (NOT_RUN, bad.problem)
    rows = run_batch([*cases("a"), bad], asking)
    assert hands.ran == ["a"] and [row.as_expected for row in rows] == [True, False]


def test_a_stop_in_the_middle_loses_nothing(hands, cases, asking):
    run_batch(cases("a"), asking)
    hands.stop_before = "c"
    with pytest.raises(KeyboardInterrupt):
        run_batch(cases(), asking)
    page = (asking.out / "summary.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in page[1:]] == ["a", "b", "c"]
    assert "stopped before its end" in page[3]
    assert not (asking.out / AT_WORK).exists() and not (asking.out / ".work").exists()
    hands.stop_before = None
    rows = run_batch(cases(), asking)
    assert hands.ran == ["a", "b", "c"] and all(row.as_expected for row in rows)


def test_workers_that_can_not_be_had_leave_no_folder(cases, asking, monkeypatch):
    @contextmanager
    def none(where, n_jobs):
        raise InputError("no dask scheduler answers")
        yield

    monkeypatch.setattr(batch, "workers", none)
    with pytest.raises(InputError):
        run_batch(cases(), asking)
    assert not asking.out.exists()


def test_another_folder_is_left_alone(hands, cases, asking):
    asking.out.mkdir()
    (asking.out / "letter.txt").write_text("dear")
    with pytest.raises(InputError, match="something else than a batch"):
        run_batch(cases(), asking)
    assert [path.name for path in asking.out.iterdir()] == ["letter.txt"]
    with pytest.raises(InputError, match="is a file"):
        run_batch(cases(), replace(asking, out=asking.out / "letter.txt"))


def test_not_into_a_scan(hands, cases, tmp_path):
    for out in (tmp_path / "scans" / "a", tmp_path / "scans" / "a" / "deep" / "out"):
        with pytest.raises(InputError, match="lies in a scan"):
            run_batch(cases(), Asking(out))
    (tmp_path / "scans" / "a" / "DICOMDIR").write_text("")
    lists = [BatchCase("a", "knee", tmp_path / "scans" / "a" / "DICOMDIR")]
    with pytest.raises(InputError, match="lies in a scan"):
        run_batch(lists, Asking(tmp_path / "scans" / "a" / "out"))
    run_batch(cases(), Asking(tmp_path / "scans" / "night"))
    assert hands.ran == ["a", "b", "c"]


def test_two_batches_do_not_work_in_one_folder(hands, cases, asking):
    asking.out.mkdir()
    (asking.out / MARK).write_text("")
    write_process(asking.out / AT_WORK, os.getpid())
    with pytest.raises(InputError, match="another batch is at work"):
        run_batch(cases(), asking)
    text = (asking.out / AT_WORK).read_text()
    (asking.out / AT_WORK).write_text(text.replace(str(os.getpid()), "999999999"))
    run_batch(cases(), asking)
    assert hands.ran == ["a", "b", "c"]


def test_of_two_batches_that_begin_together_one_goes_on(hands, cases, asking, monkeypatch):
    @contextmanager
    def slow(where, n_jobs):
        asking.out.mkdir()
        write_process(asking.out / AT_WORK, os.getpid())
        yield hands

    monkeypatch.setattr(batch, "workers", slow)
    with pytest.raises(InputError, match="another batch is at work"):
        run_batch(cases(), asking)
    assert hands.ran == [] and (asking.out / AT_WORK).is_file(), "it is the other one's"


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan")])
def test_a_timeout_is_a_time(tmp_path, value):
    with pytest.raises(InputError, match="more than 0 s"):
        Asking(tmp_path, timeout_s=value)


def test_progress_tells_what_ends_and_what_runs(hands, cases, asking):
    said = []
    hands.outcomes = {"b": (REFUSED, {"reason": "no: why"})}
    run_batch(cases(), asking, lambda text, share: said.append((text, share)))
    assert said[0] == ("0 of 3 cases · 3 to run", 0.0)
    assert said[1][0] == "0 of 3 cases · running a, b, c"
    assert said[3][0].endswith("b refused in 0 s, NOT as expected (exit 1, wanted 0)")
    assert said[-1][1] == 1.0
    assert not any(": " in text for text, _ in said), "the plain lines show what is before one"


def test_no_cases(hands, asking):
    assert run_batch([], asking) == ()
