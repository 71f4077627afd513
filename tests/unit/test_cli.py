"""The command line: exit codes, one sentence on stderr, JSON on stdout."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from guidegen import __version__, commands, console
from guidegen.arguments import Talk
from guidegen.cli import main
from guidegen.errors import NotApproved

VERBS = "demo inspect plan import approve build run check phantom batch procedures".split()  # noqa: SIM905


def result(capsys):
    return json.loads(capsys.readouterr().out)


def test_version_and_help(capsys):
    assert main(["--version"]) == 0
    assert __version__ in capsys.readouterr().out
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(f"  {verb} " in text for verb in VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_an_example(verb, capsys):
    assert main([verb, "--help"]) == 0
    assert f"Example: guidegen {verb}" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["bogus"],
        ["plan"],
        ["plan", "ball"],
        ["plan", "ball", "scan.nii.gz"],
        ["plan", "no-such-case"],
        ["plan", "no-such-case", "--levels", "L3"],
        ["plan", "no-such-procedure", "scan.nii.gz", "--out", "case"],
        ["plan", "ball", "scan.nii.gz", "--out", "case", "--bogus"],
        ["plan", "ball", "no-such-scan", "--out", "case"],
        ["approve", "no-such-case"],
        ["approve", "no-such-case", "--by", "X"],
        ["build", "no-such-case"],
        ["check", "no-such-part.stl"],
        ["inspect", "no-such-input"],
        ["phantom", "no-such-phantom"],
        ["phantom"],
        ["run", "ball", "scan.nii.gz", "--out", "case"],
    ],
)
def test_usage_errors_and_bad_input_are_1(arguments, ball, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 1
    told = capsys.readouterr()
    assert told.err.startswith("guidegen: ")
    assert "Traceback" not in told.err
    assert list(tmp_path.iterdir()) == []


def test_whole_flow(ball, ball_ct, tmp_path, capsys):
    case = str(tmp_path / "case")
    assert main(["plan", "ball", str(ball_ct), "--out", case, "--json", "-q"]) == 0
    planned = result(capsys)
    assert planned["plan"]["paths"][0]["name"] == "L3_left"
    assert main(["build", case]) == 3
    assert "guidegen approve" in capsys.readouterr().err
    assert main(["approve", case, "--by", "A. Surgeon"]) == 0
    capsys.readouterr()
    assert main(["build", case, "--json"]) == 0
    built = result(capsys)
    assert built["exported"] == ["guides/L3.stl", "models/L3.stl"]
    assert main(["check", f"{case}/models/L3.stl"]) in (0, 2)
    assert main(["plan", case]) == 0
    assert main(["build", case]) == 3
    log = (tmp_path / "case" / "log.txt").read_text()
    assert "ended with NotApproved" in log
    assert str(tmp_path) not in log


def test_red_warnings_are_accepted_one_by_one(ball, ball_ct, tmp_path, capsys):
    config = tmp_path / "settings.toml"
    config.write_text("red = true")
    case = str(tmp_path / "case")
    assert main(["plan", "ball", str(ball_ct), "--out", case, "--config", str(config)]) == 0
    assert "RED warning unanchored_levels:spine" in capsys.readouterr().out
    plan = json.loads((tmp_path / "case" / "plan.json").read_text())
    assert [w["code"] for w in plan["warnings"] if w.get("red")] == ["unanchored_levels"]
    assert main(["approve", case, "--by", "A"]) == 3
    assert "--accept unanchored_levels:spine" in capsys.readouterr().err
    assert main(["approve", case, "--by", "A", "--accept", "other:spine"]) == 1
    assert main(["approve", case, "--by", " ", "--accept", "unanchored_levels:spine"]) == 1
    assert main(["approve", case, "--by", "A", "--accept", "unanchored_levels:spine"]) == 0
    approval = json.loads((tmp_path / "case" / "approval.json").read_text())
    assert approval["accepted"] == ["unanchored_levels:spine"]
    assert approval["unattended"] is False


def test_run_is_stamped_unattended(ball, ball_ct, tmp_path, capsys):
    config = tmp_path / "settings.toml"
    config.write_text('red = true\nfailing = ["models/L3.stl"]')
    out = tmp_path / "case"
    arguments = ["run", "ball", str(ball_ct), "--out", str(out), "--config", str(config)]
    assert main([*arguments, "--approve-as", "Night"]) == 2
    assert "FAILED ball models/L3.stl" in capsys.readouterr().out
    approval = json.loads((out / "approval.json").read_text())
    assert approval["unattended"] is True
    assert approval["by"] == "Night"
    guide = next(
        entry
        for entry in json.loads((out / "manifest.json").read_text())["files"]
        if entry["file"] == "guides/L3.stl"
    )
    assert guide["label"].endswith("unattended")


def test_a_guide_that_cannot_be_made_fails_alone_and_says_why(ball, ball_ct, tmp_path, capsys):
    config = tmp_path / "settings.toml"
    config.write_text('unmade = "a sleeve needs free space <here>"')
    out = tmp_path / "case"
    arguments = ["run", "ball", str(ball_ct), "--out", str(out), "--config", str(config)]
    assert main([*arguments, "--approve-as", "Night"]) == 2
    said = "FAILED made guides/L3.stl: 0, wanted equal 1 count (a sleeve needs free space <here>)"
    assert said in capsys.readouterr().out
    assert said in (out / "log.txt").read_text()
    assert "a sleeve needs free space &lt;here&gt;" in (out / "report.html").read_text()
    checks = json.loads((out / "checks.json").read_text())["checks"]
    failed = {c["code"]: c for c in checks if not c["passed"]}
    assert set(failed) == {"made", "path_in_one_guide"}
    assert failed["made"]["reason"] == "a sleeve needs free space <here>"
    assert not (out / "guides" / "L3.stl").exists()
    assert (out / "models" / "L3.stl").exists()


def test_quiet_says_what_failed_on_stderr_and_nothing_else(ball, ball_ct, tmp_path, capsys):
    config = tmp_path / "own.toml"
    config.write_text('failing = ["models/L3.stl"]')
    run = ["run", "ball", str(ball_ct), "--config", str(config), "-q", "--approve-as", "N"]
    assert main([*run, "--out", str(tmp_path / "case")]) == 2
    out, err = capsys.readouterr()
    assert out == "" and "FAILED" in err and "models/L3.stl" in err
    config.write_text("")
    assert main([*run, "--out", str(tmp_path / "whole")]) == 0
    assert capsys.readouterr() == ("", "")


def test_a_wrong_setting_names_the_nearest(ball, ball_ct, tmp_path, capsys):
    config = tmp_path / "settings.toml"
    for text, wanted in (
        ("diametre_mm = 5", "nearest is diameter_mm"),
        ("[guide]\nfit_gab_mm = 1", "nearest is fit_gap_mm"),
        ('diameter_mm = "wide"', "diameter_mm"),
        ("diameter_mm = ", "not valid TOML"),
    ):
        config.write_text(text)
        case = str(tmp_path / "case")
        assert main(["plan", "ball", str(ball_ct), "--out", case, "--config", str(config)]) == 1
        assert wanted in capsys.readouterr().err
        assert not (tmp_path / "case").exists()


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (MemoryError(), 1, "ran out of memory"),
        (KeyboardInterrupt(), 1, "stopped"),
        (OSError(28, "No space left on device"), 1, "disk is full"),
        (ZeroDivisionError("patient MUSTERMANN"), 1, "bug in guidegen (ZeroDivisionError)"),
        (NotApproved("not\napproved"), 3, "not approved"),
    ],
)
def test_every_error_is_one_sentence(error, code, text, capsys):
    def work(progress):
        raise error

    assert console.perform("plan", Talk(json=True), work) == code
    told = capsys.readouterr()
    assert text in told.err
    assert told.err.count("\n") == 1
    assert "MUSTERMANN" not in told.err
    assert json.loads(told.out)["exit"] == code


def test_progress_is_plain_lines_without_a_terminal(capsys):
    def work(progress):
        for n in range(10):
            progress(f"bones: part {n}", n / 10)
        return console.Outcome({}, ("done",))

    assert console.perform("plan", Talk(), work) == 0
    told = capsys.readouterr()
    assert told.err == "[  0%] bones\n"
    assert told.out == "done\n"
    console.perform("plan", Talk(verbose=True), work)
    assert capsys.readouterr().err.count("\n") == 10
    console.perform("plan", Talk(quiet=True), work)
    told = capsys.readouterr()
    assert (told.err, told.out) == ("", "")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_an_unwritable_folder(ball, ball_ct, tmp_path, capsys):
    tmp_path.chmod(0o500)
    assert main(["plan", "ball", str(ball_ct), "--out", str(tmp_path / "case")]) == 1
    assert "can't be written" in capsys.readouterr().err


def test_a_phantom_is_there_whole_or_not_at_all(monkeypatch, tmp_path, capsys):
    def half(name, out, scan):
        out.mkdir(exist_ok=True)
        (out / "CT0001.dcm").write_bytes(b"half")
        try:
            raise OSError(28, "No space left on device")
        except OSError as error:
            raise OSError("with tag (7FE0,0010) got exception") from error

    monkeypatch.setattr(commands, "write_phantom", half)
    for arguments in (["phantom", "demo"], ["demo"]):
        assert main([*arguments, "--out", str(tmp_path / "out"), "-q"]) == 1
        assert "disk is full" in capsys.readouterr().err
        assert list(tmp_path.iterdir()) == []


def test_a_phantom_replaces_nothing(tmp_path, capsys):
    (tmp_path / "note.txt").write_text("mine")
    assert main(["phantom", "demo", "--out", str(tmp_path), "-q"]) == 1
    told = capsys.readouterr().err
    assert "is not empty" in told and "--force" not in told


def test_python_dash_m():
    done = subprocess.run(
        [sys.executable, "-m", "guidegen", "procedures", "--json"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["command"] == "procedures"
