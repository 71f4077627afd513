"""Markups edited in 3D Slicer, taken up into a case."""

import json
import shutil

import numpy as np
import pytest

from guidegen.cli import main
from guidegen.errors import NotApproved
from guidegen.export import history
from guidegen.export.approval import approve, require_approved
from guidegen.export.folder import CaseFolder
from guidegen.export.markups import markups_of
from guidegen.export.plan_json import read_plan
from guidegen.handover import taken_up

from ..unit.export.test_markups import in_ras
from ..unit.procedures import test_screw_bench as screws


def markup(folder, name="L3_left"):
    return json.loads((folder.root / "slicer" / f"{name}.mrk.json").read_text())


def saved(content, tmp_path, name="L3_left"):
    path = tmp_path / f"{name}.mrk.json"
    path.write_text(json.dumps(content))
    return path


def deeper(content, by_mm=2.0):
    content["markups"][0]["controlPoints"][1]["position"][1] -= by_mm
    return content


@pytest.fixture
def folder(planned):
    return CaseFolder(planned)


def everything(folder):
    return {p: p.read_bytes() for p in sorted(folder.root.rglob("*"))
            if p.is_file() and p != folder.log}  # fmt: skip


def test_a_moved_line_changes_the_plan_and_wants_a_new_approval(folder, tmp_path, capsys):
    approve(folder, "A. Surgeon")
    before = read_plan(folder.plan).paths[0]
    file = saved(deeper(markup(folder)), tmp_path)
    assert main(["import", str(folder.root), str(file), "--by", "A. Surgeon"]) == 0
    assert "taken up: L3_left" in capsys.readouterr().out
    after = read_plan(folder.plan).paths[0]
    assert np.allclose(after.tip_mm, before.tip_mm - [0, 2, 0]) and after.extra["edited"]
    assert np.allclose(markup(folder)["markups"][0]["controlPoints"][1]["position"], after.tip_mm)
    with pytest.raises(NotApproved, match="changed since it was approved"):
        require_approved(folder)
    assert "Approved by" not in folder.report.read_text(encoding="utf-8")
    entry = history.read(folder)[-1]
    assert (entry["by"], entry["item"]) == ("A. Surgeon", "L3_left")
    assert entry["plan_sha256"] == read_plan(folder.plan).extra["plan_sha256"]


def test_json_tells_what_was_taken_up(folder, tmp_path, capsys):
    file = saved(deeper(markup(folder)), tmp_path)
    assert main(["import", str(folder.root), str(file), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["command"] == "import" and told["items"] == ["L3_left"]


def test_a_line_in_ras_is_the_same_line(folder, tmp_path):
    file = saved(in_ras(deeper(markup(folder))), tmp_path)
    before = read_plan(folder.plan).paths[0]
    assert main(["import", str(folder.root), str(file)]) == 0
    assert np.allclose(read_plan(folder.plan).paths[0].tip_mm, before.tip_mm - [0, 2, 0])


def test_wrong_files_change_nothing(folder, tmp_path, capsys):
    good = saved(deeper(markup(folder)), tmp_path)
    before = everything(folder)
    unnamed = markup(folder)
    unnamed["markups"][0]["name"] = "F"
    for point in unnamed["markups"][0]["controlPoints"]:
        point["label"] = "F-1"
    for wrong in (
        [saved({}, tmp_path, "a")],
        [good, saved(unnamed, tmp_path, "F")],
        [good, good],
        [tmp_path / "absent.mrk.json"],
        [good, "--by", " "],
    ):
        assert main(["import", str(folder.root), *map(str, wrong)]) == 1
        said = capsys.readouterr().err.strip().splitlines()
        assert said[-1].startswith("guidegen: ") and "Traceback" not in "".join(said)
        assert everything(folder) == before
    assert main(["import", str(tmp_path), str(good)]) == 1


def test_a_case_whose_bones_were_changed_is_refused(folder, tmp_path, capsys):
    file = saved(deeper(markup(folder)), tmp_path)
    bone = folder.root / "bones" / "L3.stl"
    shutil.copy(folder.report, bone)
    assert main(["import", str(folder.root), str(file)]) == 1
    assert "bones/L3.stl is not the one" in capsys.readouterr().err


def drawn(entry, tip):
    from guidegen.export.atomic import plain
    from guidegen.export.slicer import line_markup
    from guidegen.model.plan import Path

    return plain(line_markup(Path("L3_left", "L3", "screw", "left", entry, tip, 6.0)))


def test_a_file_that_says_lps_and_holds_ras_is_not_taken_for_good():
    """The mirrored trap: the numbers of the other system, without saying so."""
    path = screws.path(screws.plan())
    content = drawn(path.entry_mm + np.array([0, 0, 0.5]), path.tip_mm)
    right = taken_up(screws.bench(), screws.plan(), markups_of(content, "a"))[0]
    assert screws.path(right).grade == "A"
    told = taken_up(screws.bench(), screws.plan(), markups_of(in_ras(content), "a"))[0]
    assert np.allclose(screws.path(told).entry_mm, screws.path(right).entry_mm, atol=1e-5)
    wrong = in_ras(content)
    wrong["markups"][0]["coordinateSystem"] = "LPS"
    with pytest.raises(Exception, match="from the back to the front"):
        taken_up(screws.bench(), screws.plan(), markups_of(wrong, "a"))
    mirrored = drawn(path.entry_mm * [-1, 1, 1], path.tip_mm * [-1, 1, 1])
    swapped = taken_up(screws.bench(), screws.plan(), markups_of(mirrored, "a"))[0]
    assert screws.codes(swapped)["outside_pedicle"] is True


def test_what_was_taken_up_is_kept_when_the_case_is_planned_again(folder, tmp_path):
    file = saved(deeper(markup(folder)), tmp_path)
    assert main(["import", str(folder.root), str(file)]) == 0
    drawn = read_plan(folder.plan).paths[0]
    assert main(["plan", str(folder.root)]) == 0
    kept = read_plan(folder.plan).paths[0]
    assert np.allclose(kept.tip_mm, drawn.tip_mm, atol=1e-5) and kept.extra["edited"] is True


def test_a_plan_that_was_damaged_is_told_when_the_case_is_planned_again(folder):
    folder.plan.write_text("{")
    assert main(["plan", str(folder.root)]) == 0
    assert [n.code for n in read_plan(folder.plan).warnings if n.red] == ["edit_lost"]
    assert main(["plan", str(folder.root)]) == 0
    assert not [n for n in read_plan(folder.plan).warnings if n.code == "edit_lost"]
