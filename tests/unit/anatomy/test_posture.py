from dataclasses import replace

import numpy as np
import pytest

from guidegen.anatomy.posture import find_posture, table_side
from guidegen.model.volume import CTVolume, Grid, ScanInfo

BACK = np.array([0.0, 1.0, 0.0])


def scan(position="", table=None, flip=1.0, blanket=False):
    """An elliptic trunk; ``table`` is the side (y) of a thin curved shell, 25 mm off."""
    axes = np.diag([flip, flip, 1.0])
    matrix = np.eye(4)
    matrix[:3, :3] = axes[:, ::-1] @ np.diag([5.0, 2.0, 2.0])
    shape = (16, 180, 200)
    matrix[:3, 3] = -matrix[:3, :3] @ ((np.array(shape) - 1) / 2)
    grid = Grid(matrix, shape)
    kji = np.stack(np.meshgrid(*(np.arange(n) for n in shape), indexing="ij"), -1)
    x, y, z = np.moveaxis(grid.patient(kji), -1, 0)
    hu = np.full(shape, -990, np.int16)
    if table is not None:
        at = table * y + 0.001 * x**2 - 115.0
        hu[(np.abs(at) < 1.5) & (np.abs(x) < 190)] = 200
        hu[(at > 1.5) & (at < 30)] = -900
    if blanket:
        hu[np.abs(y + 100.0 + 0.15 * z) < 2.0] = -350
    hu[(x / 150) ** 2 + (y / 90) ** 2 < 1] = 30
    return CTVolume(hu, grid, ScanInfo("dicom", patient_position=position))


@pytest.mark.parametrize(
    ("position", "prone", "known"),
    [
        ("HFP", True, True),
        ("FFP", True, True),
        ("hfp ", True, True),
        ("HFS", False, True),
        ("FFS", False, True),
        ("HFDL", False, False),
        ("HFDR", False, False),
        ("FFDL", False, False),
        ("FFDR", False, False),
        ("LFP", False, False),
        ("", False, False),
        ("PRONE", False, False),
    ],
)
def test_stated_positions(position, prone, known):
    found = find_posture(scan(position), BACK)
    assert (found.prone, found.known) == (prone, known)
    assert not found.notices
    assert found.sentence


@pytest.mark.parametrize("flip", [1.0, -1.0])
@pytest.mark.parametrize(("side", "name"), [(1.0, "back"), (-1.0, "front")])
def test_table_side(side, name, flip):
    assert table_side(scan(table=side, flip=flip), BACK) == name
    assert (
        table_side(scan(table=side, flip=flip), -BACK) == {"back": "front", "front": "back"}[name]
    )


def test_no_table_no_statement():
    assert table_side(scan(), BACK) == ""
    assert table_side(scan(blanket=True), BACK) == ""
    assert table_side(scan(table=1.0, blanket=True), BACK) == "back"


@pytest.mark.parametrize(
    ("position", "table", "prone", "contradiction"),
    [
        ("HFP", -1.0, True, False),
        ("HFP", 1.0, False, True),
        ("FFP", 1.0, False, True),
        ("HFS", 1.0, False, False),
        ("HFS", -1.0, False, True),
        ("", -1.0, False, False),
        ("", 1.0, False, False),
    ],
)
def test_table_against_header(position, table, prone, contradiction):
    found = find_posture(scan(position, table), BACK)
    assert found.prone is prone
    assert found.known is (bool(position) and not contradiction)
    assert [n.red for n in found.notices] == ([True] if contradiction else [])
    if contradiction:
        assert found.notices[0].code == "posture_contradiction"
        assert position in found.sentence


@pytest.mark.parametrize(("seen", "prone"), [("back", False), ("front", True), ("", True)])
def test_what_the_whole_scan_showed_holds_where_a_crop_shows_no_table(seen, prone):
    crop = scan("HFP")
    whole = replace(crop, info=replace(crop.info, table=seen))
    assert find_posture(crop, BACK).prone  # the crop alone contradicts nothing
    found = find_posture(whole, BACK)
    assert (found.prone, found.table) == (prone, seen)
    assert [n.red for n in found.notices] == ([] if prone else [True])
    assert find_posture(scan("HFP", 1.0), BACK).table == "back"
