"""Commands in processes of their own: they end, are ended, and leave nothing running."""

import os
import subprocess
import sys
import time

import psutil
import pytest

from guidegen.batch import alive
from guidegen.batch.alive import end_family, is_elsewhere, process_of, write_process
from guidegen.batch.process import LOG, OUTPUT, RUNNING, Limits, run_command


@pytest.fixture
def run(tmp_path, tricks):
    """Run a command as a case of a name."""

    def go(name, *arguments, **limits):
        aside = tmp_path / name
        aside.mkdir()
        given = arguments or ("phantom", "nothing")
        if "until" in limits:
            limits["until"] += time.monotonic()
        return run_command([*given, "--out", str(aside)], aside, Limits(**limits)), aside

    return go


def children():
    return {one.pid for one in psutil.Process().children(recursive=True)}


def test_a_command_says_what_it_says(run):
    ended, aside = run("plain", "procedures", "--bogus")
    assert (ended.code, ended.stopped) == (1, "")
    assert (aside / LOG).read_text().startswith("guidegen: No such option")
    assert 10 < ended.peak_mb < 2000
    assert process_of(aside / RUNNING) is None


def test_what_it_prints_is_its_output(tmp_path, tricks):
    ended = run_command(["--version"], tmp_path, Limits())
    assert ended.code == 0 and ended.output.startswith("guidegen ")
    assert (tmp_path / OUTPUT).read_text() == ended.output


def test_letters_come_through_whatever_the_system_writes(run, monkeypatch):
    monkeypatch.setenv("PYTHONIOENCODING", "latin-1")
    ended, aside = run("plain", "phantom", "größe", "--json")
    assert ended.code == 1 and "größe" in ended.output
    assert "größe" in (aside / LOG).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["hangs", "forks"])
def test_one_that_hangs_is_ended_with_all_it_started(run, name):
    before, start = children(), time.monotonic()
    ended, aside = run(name, until=4.0)
    assert ended.stopped == "time" and time.monotonic() - start < 60
    assert children() == before
    assert process_of(aside / RUNNING) is None


def test_one_that_eats_memory_is_ended(run):
    ended, _ = run("eats", memory_bytes=300_000_000)
    assert ended.stopped == "memory" and 300 < ended.peak_mb < 1000


def test_one_that_nobody_wants_any_more_is_ended(run, tmp_path):
    asked = []

    def wanted():
        asked.append(1)
        return len(asked) < 3

    ended, _ = run("hangs", wanted=wanted)
    assert ended.stopped == "unwanted"


@pytest.mark.parametrize(("name", "code"), [("shot", -9), ("quits", 1), ("lies", 0)])
def test_one_that_ends_itself(run, name, code):
    ended, _ = run(name)
    assert (ended.stopped, ended.output) == ("", "")
    assert ended.code == code


def sleeper():
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])


def test_a_process_is_found_again_as_long_as_it_runs(tmp_path):
    process, path = sleeper(), tmp_path / "p.json"
    try:
        write_process(path, process.pid)
        assert process_of(path).pid == process.pid and not is_elsewhere(path)
        end_family(process.pid)
        process.wait()
        assert process_of(path) is None and not is_elsewhere(path)
    finally:
        process.kill()


def test_another_process_of_the_same_number_is_not_it(tmp_path, monkeypatch):
    path = tmp_path / "p.json"
    write_process(path, os.getpid())
    assert process_of(path).pid == os.getpid()
    text = path.read_text()
    began = psutil.Process().create_time()
    path.write_text(text.replace(f"{began:.6f}".rstrip("0").split(".")[0], "1"))
    assert process_of(path) is None
    path.write_text(text)
    monkeypatch.setattr(alive.platform, "node", lambda: "another")
    assert process_of(path) is None and is_elsewhere(path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"pid": "x", "computer": 1, "started": 0}'])
def test_a_damaged_file_tells_of_nothing(tmp_path, text):
    (tmp_path / "p.json").write_text(text)
    assert process_of(tmp_path / "p.json") is None
    assert not is_elsewhere(tmp_path / "p.json")
    assert process_of(tmp_path / "absent.json") is None


def test_a_child_ends_with_its_parent(tmp_path, tricks):
    """A worker that is killed leaves nobody at work."""
    code = (
        "import subprocess, sys, os; p = subprocess.Popen([sys.executable, '-c', "
        "'import sys, time, threading; from guidegen.batch import child; "
        "threading.Thread(target=child._end_with, args=(int(sys.argv[1]),)).start(); "
        "time.sleep(600)', str(os.getpid())]); print(p.pid, flush=True); p.wait()"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    child = psutil.Process(int(parent.stdout.readline()))
    time.sleep(3.0)
    assert child.is_running()
    parent.kill()
    parent.wait()
    child.wait(30)
    assert not child.is_running()


def test_what_dask_sets_for_its_workers_stays_with_them(monkeypatch):
    """Its malloc setting made cases take half as long again."""
    from guidegen.batch.process import _environment

    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "65536")
    monkeypatch.setenv("KEPT_FOR_THIS_TEST", "yes")
    own = _environment()
    assert "MALLOC_TRIM_THRESHOLD_" not in own
    assert own["KEPT_FOR_THIS_TEST"] == "yes" and own["GUIDEGEN_PROCESSORS"] == "1"


def test_the_folder_a_batch_is_started_in_is_no_part_of_the_program(tmp_path, monkeypatch):
    (tmp_path / "guidegen.py").write_text("raise SystemExit(77)")
    (tmp_path / "numpy.py").write_text("raise SystemExit(78)")
    aside = tmp_path / "aside"
    aside.mkdir()
    monkeypatch.chdir(tmp_path)
    ended = run_command(["--version"], aside, Limits())
    assert ended.code == 0 and "guidegen" in ended.output
