"""A case folder that was damaged or edited by hand: one sentence and 1 or 3, never a traceback."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from guidegen.cli import main

FILES = (
    *("plan.json", "approval.json", "case.toml", "landmarks.json", "ct.nii.gz"),
    *("bones/L3.stl", "bones/segmentation.nii.gz", "bones/segmentation.json"),
)
JUNK = (None, "x", {}, -1, 1e400, True)
"""What each value of a JSON file is replaced with."""


@pytest.fixture(scope="module")
def approved_once(tmp_path_factory, planned_once):
    out = Path(shutil.copytree(planned_once, tmp_path_factory.mktemp("approved") / "demo"))
    assert main(["approve", str(out), "--by", "A. Surgeon", "-q"]) == 0
    return out


@pytest.fixture
def approved(tmp_path, approved_once, ball):
    return Path(shutil.copytree(approved_once, tmp_path / "demo"))


def sentence(capsys) -> str:
    """What was told on stderr: nothing, or one sentence that is no confession of a bug."""
    told = capsys.readouterr().err
    assert "Traceback" not in told and "bug in guidegen" not in told
    assert told == "" or (told.startswith("guidegen: ") and told.count("\n") == 1)
    return told


def clean(case: Path) -> bool:
    return not [p for p in case.rglob("*") if p.name.startswith((".staging-", ".part-"))]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["gone", "empty", "half", "junk", "other"])
@pytest.mark.parametrize("verb", ["build", "approve", "plan"])
def test_damaged_file(name, damage, verb, approved, capsys):
    path = approved / name
    content = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        other = {"empty": b"", "half": content[: len(content) // 2], "junk": b"\0\xff\xfe junk"}
        path.write_bytes(other.get(damage, b"[]"))
    extra = ["--by", "B. Surgeon"] if verb == "approve" else []
    code = main([verb, str(approved), *extra, "-q"])
    told = sentence(capsys)
    assert code in ((1, 3) if verb == "build" else (0, 1, 3)), told
    assert bool(told) == (code != 0)
    assert clean(approved)
    assert not (approved / "guides").exists()


def places(value, at=()):
    """The way to every value inside a JSON value."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in pairs:
        yield (*at, key)
        if isinstance(item, (dict, list)):
            yield from places(item, (*at, key))


def replaced(text: str, at: tuple, value) -> str:
    content = json.loads(text)
    inner = content
    for key in at[:-1]:
        inner = inner[key]
    inner[at[-1]] = value
    return json.dumps(content)


@pytest.mark.parametrize("junk", JUNK, ids=repr)
def test_any_junk_in_a_plan_is_refused_or_harmless(junk, approved, capsys):
    """Every value of plan.json in turn; what can be approved must also build."""
    plan = approved / "plan.json"
    sound = plan.read_text()
    for at in places(json.loads(sound)):
        changed = replaced(sound, at, junk)
        if json.loads(changed) == json.loads(sound):
            continue
        plan.write_text(changed)
        assert main(["build", str(approved), "-q"]) == 3, at
        sentence(capsys)
        code = main(["approve", str(approved), "--by", "B", "-q"])
        sentence(capsys)
        if code == 0 and at[0] not in ("paths", "bones"):
            assert main(["build", str(approved), "-q"]) in (0, 1, 2, 3), at
            sentence(capsys)
            shutil.rmtree(approved / "guides", ignore_errors=True)
    assert clean(approved)


@pytest.mark.parametrize("junk", JUNK, ids=repr)
def test_any_junk_in_an_approval_ends_it(junk, approved, capsys):
    path = approved / "approval.json"
    sound = path.read_text()
    for at in places(json.loads(sound)):
        changed = replaced(sound, at, junk)
        path.write_text(changed)
        harmless = at == ("by",) and junk == "x"
        harmless |= at == ("unattended",) and junk is True
        if harmless:
            continue
        assert main(["build", str(approved), "-q"]) == 3, (at, junk)
        assert sentence(capsys), (at, junk)


@pytest.mark.parametrize("junk", ["3", '"x"', "[]", "{}", "nan", "true"])
def test_any_junk_in_case_toml(junk, approved, capsys):
    path = approved / "case.toml"
    lines = path.read_text().splitlines()
    for n, line in enumerate(lines):
        if "=" not in line or line.split("=")[1].strip() == junk:
            continue
        path.write_text("\n".join([*lines[:n], line.split("=")[0] + "= " + junk, *lines[n + 1 :]]))
        assert main(["build", str(approved), "-q"]) in (1, 3), line
        assert sentence(capsys)
        assert main(["approve", str(approved), "--by", "B", "-q"]) in (0, 1, 3), line
        sentence(capsys)
        shutil.copy(approved / "case.toml", approved / "case.toml.tried")


def test_an_approval_that_accepts_no_red_warning_is_none(tmp_path, ball, ball_ct, capsys):
    config = tmp_path / "settings.toml"
    config.write_text("red = true")
    case = tmp_path / "case"
    main(["plan", "ball", str(ball_ct), "--out", str(case), "--config", str(config), "-q"])
    accept = ["--accept", "unanchored_levels:spine"]
    assert main(["approve", str(case), "--by", "A", "-q", *accept]) == 0
    path = case / "approval.json"
    path.write_text(replaced(path.read_text(), ("accepted",), []))
    capsys.readouterr()
    assert main(["build", str(case), "-q"]) == 3
    assert "unanchored_levels:spine" in sentence(capsys)


def test_a_plan_on_a_bone_that_is_not_there(approved, capsys):
    plan = approved / "plan.json"
    plan.write_text(plan.read_text().replace('"bone": "L3"', '"bone": "L4"'))
    assert main(["approve", str(approved), "--by", "B", "-q"]) == 1
    assert "L3_left stands on L4" in sentence(capsys)


def test_a_scan_notice_can_not_be_edited_away(approved, capsys):
    record = approved / "case.toml"
    record.write_text(record.read_text() + "\n# looked at\n")
    assert main(["build", str(approved), "-q"]) == 3
    assert "case.toml" in sentence(capsys)
