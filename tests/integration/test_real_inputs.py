"""Real scans through the command line: planned, or one sentence and no trace."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from guidegen.cli import main

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
AWKWARD = sorted((DATA / "awkward").rglob("*")) + sorted((DATA / "mesh").iterdir())

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is not on this machine")


def refused(arguments, out, capsys) -> str:
    """Run, and require exit 1, one sentence and no trace of a case."""
    assert main([*map(str, arguments), "--out", str(out), "-q"]) == 1
    told = capsys.readouterr()
    assert told.out == "" and told.err.startswith("guidegen: ") and told.err.count("\n") == 1
    assert "Traceback" not in told.err and "bug in guidegen" not in told.err
    assert not out.exists() and not list(out.parent.glob(".*"))
    return told.err


@pytest.mark.parametrize("path", AWKWARD, ids=lambda p: p.relative_to(DATA).as_posix())
def test_no_awkward_input_is_planned(path, tmp_path, capsys):
    """Not one of them holds a whole vertebra."""
    refused(["plan", "pedicle-screws", path], tmp_path / "case", capsys)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["STS_047", "STS_028", "STS_042"])
def test_a_knee_is_no_spine(name, tmp_path, capsys):
    source = DATA / "ct" / "ibsi_sts" / name
    told = refused(["plan", "pedicle-screws", source], tmp_path / "case", capsys)
    assert "spine" in told


@pytest.mark.slow
def test_a_label_map_of_another_scan(tmp_path, capsys):
    source = DATA / "ct" / "totalseg_example_lumbar_3mm"
    order = ["plan", "pedicle-screws", source / "example_ct.nii.gz"]
    told = refused([*order, "--labels", source / "example_seg.nii.gz"], tmp_path / "a", capsys)
    assert "belongs to another scan" in told


@pytest.mark.slow
def test_a_zip_and_its_folder_give_the_same_case(tmp_path):
    """Bit for bit, whatever the folder is called and however its files are ordered."""
    packed = DATA / "ct" / "lidc_0314_thorax_1.0mm.zip"
    loose = tmp_path / "Möller, Ärzte (1)" / "scan"
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(loose)
    files = sorted(p for p in loose.rglob("*") if p.is_file())
    for n, path in enumerate(files):
        path.rename(path.with_name(f"{(n * 7919) % 100_003:06d}"))
    cases = []
    for source in (packed, loose.parent):
        case = tmp_path / f"of{len(cases)}" / "case"
        options = ["--levels", "T11", "--lowest-level", "T11", "-q"]
        assert main(["plan", "pedicle-screws", str(source), "--out", str(case), *options]) == 0
        cases.append(case)
    names = [{p.relative_to(c).as_posix() for p in c.rglob("*") if p.is_file()} for c in cases]
    assert names[0] == names[1] and "plan.json" in names[0]
    for name in names[0] - {"log.txt"}:
        assert (cases[0] / name).read_bytes() == (cases[1] / name).read_bytes(), name
