"""Hip, knee and ankle as blocks of one series or as several series: one volume, nothing moved."""

from dataclasses import replace

import numpy as np
import pytest
from pydicom.uid import generate_uid

from guidegen.ct import together
from guidegen.ct.hounsfield import AIR_HU
from guidegen.ct.inspect import list_series
from guidegen.ct.reader import read_ct
from guidegen.ct.together import gaps_mm, put_together
from guidegen.errors import IncompleteSeries, InputError, UnsupportedScan
from guidegen.model.volume import Grid


def grid_of(origin, steps_kji, shape):
    """Upright LPS grid: k up, j to the back, i to the left."""
    matrix = np.eye(4)
    matrix[:3, :3] = np.eye(3)[:, ::-1] * steps_kji
    matrix[:3, 3] = origin
    return Grid(matrix, shape)


def ramp(grid):
    """A different value at every place: 3 x - 2 y + z, in HU."""
    kji = np.stack(np.meshgrid(*(np.arange(n) for n in grid.shape_kji), indexing="ij"), -1)
    return np.rint(grid.patient(kji) @ (3.0, -2.0, 1.0)).astype(np.int16)


def blocks_in_one_series(one, folder, lift_mm):
    """Three blocks of 14 slices of the balls' scan, each lifted by so much."""
    for n, lift in enumerate(lift_mm):
        for k in range(20, 34):
            data = one.slice(k)
            data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = generate_uid()
            data.InstanceNumber = 100 * n + k
            x, y, z = one.origin(k)
            data.ImagePositionPatient = [x, y, z + lift]
            data.save_as(folder / f"{n}_{k}", enforce_file_format=True)


def written(folder, *series):
    """Write series side by side."""
    for n, one in enumerate(series):
        one.write(folder / f"series{n}")


def test_blocks_come_to_their_places_and_the_middle_one_is_copied():
    foot = grid_of((-20, 5, -300), (1.0, 0.5, 0.5), (30, 40, 50))
    knee = grid_of((-11.3, 2.2, 0), (1.0, 0.5, 0.5), (25, 44, 60))
    hip = grid_of((-30, -10, 400.4), (1.0, 0.5, 0.5), (35, 90, 80))
    (hu, grid), coarser = put_together([(ramp(g), g) for g in (hip, foot, knee)])
    assert not coarser
    first = np.rint(grid.kji(knee.patient((0, 0, 0)))).astype(int)
    own = hu[tuple(slice(a, a + n) for a, n in zip(first, knee.shape_kji, strict=True))]
    assert np.array_equal(own, ramp(knee))
    held = np.argwhere(hu != AIR_HU)
    wanted = grid.patient(held) @ (3.0, -2.0, 1.0)
    assert np.abs(hu[tuple(held.T)] - wanted).max() <= 1.5  # rounded twice
    n_all = sum(int(np.prod(g.shape_kji)) for g in (foot, knee, hip))
    assert 0.9 * n_all < len(held) <= n_all
    between = grid.kji([(0, 0, -150)])[0, 0], grid.kji([(0, 0, 200)])[0, 0]
    assert all((hu[round(k)] == AIR_HU).all() for k in between)


def test_the_finer_of_two_that_overlap_wins():
    coarse = grid_of((0, 0, 0), (2.0, 1.0, 1.0), (30, 60, 60))
    fine = grid_of((20, 20, 20), (1.0, 0.5, 0.5), (20, 40, 40))
    blocks = [(np.full(g.shape_kji, v, np.int16), g) for g, v in ((fine, 700), (coarse, 100))]
    (hu, grid), _ = put_together(blocks)
    assert hu[tuple(np.rint(grid.kji((30, 30, 30))).astype(int))] == 700
    assert hu[tuple(np.rint(grid.kji((30, 30, 50))).astype(int))] == 100
    assert hu[tuple(np.rint(grid.kji((5, 50, 30))).astype(int))] == 100
    assert not (hu == AIR_HU).any()


def test_a_grid_that_would_be_too_large_gets_coarser_and_says_so(monkeypatch):
    monkeypatch.setattr(together, "MOST_VOXELS", 20_000)
    low = grid_of((0, 0, 0), (1.0, 1.0, 1.0), (20, 30, 30))
    high = grid_of((4, 5, 60), (1.0, 1.0, 1.0), (20, 30, 30))
    (hu, grid), coarser = put_together([(ramp(low), low), (ramp(high), high)])
    assert coarser and np.prod(grid.shape_kji) <= 20_000
    held = np.argwhere(hu != AIR_HU)
    wanted = grid.patient(held) @ (3.0, -2.0, 1.0)
    assert len(held) > 5000
    assert np.abs(hu[tuple(held.T)] - wanted).max() <= 4.0


def test_blocks_turned_against_each_other_are_refused():
    low = grid_of((0, 0, 0), (1.0, 1.0, 1.0), (10, 10, 10))
    matrix = np.array(low.patient_from_kji)
    a = np.radians(0.5)
    turn = np.array([(np.cos(a), -np.sin(a), 0), (np.sin(a), np.cos(a), 0), (0, 0, 1)])
    matrix[:3, :3] = turn @ matrix[:3, :3]
    turned = Grid(matrix, low.shape_kji)
    with pytest.raises(UnsupportedScan, match="parallel"):
        put_together([(ramp(low), low), (ramp(low), turned)])


def test_gaps_are_told_from_foot_to_head_and_overlaps_are_none():
    grids = [grid_of((0, 0, z), (1.0, 1.0, 1.0), (20, 5, 5)) for z in (100, 0, 15, 50)]
    assert gaps_mm(grids) == pytest.approx([15.0, 30.0])


def test_a_series_of_blocks_is_used_whole_where_it_may_be(scan, tmp_path):
    one = scan()
    blocks_in_one_series(one, tmp_path, (0, 100, 230))
    with pytest.raises(IncompleteSeries):
        read_ct(tmp_path)
    volume = read_ct(tmp_path, in_blocks=True)
    parts = [read_ct(tmp_path, f"{one.series_uid}#{n}") for n in (1, 2, 3)]
    found = next(n for n in volume.info.notices if n.code == "blocks")
    assert not found.red and "3 blocks" in found.message and "82 and 113 mm" in found.message
    assert not any(n.code == "one_block" for n in volume.info.notices)
    for part in parts:
        low = np.rint(volume.grid.kji(part.grid.patient((0, 0, 0)))).astype(int)
        place = tuple(slice(a, a + n) for a, n in zip(low, part.hu.shape, strict=True))
        assert np.array_equal(volume.hu[place], part.hu)
    assert (volume.hu != AIR_HU).any(axis=(1, 2)).sum() == 42
    named = read_ct(tmp_path, [f"{one.series_uid}#{n}" for n in (3, 1, 2)])
    assert named.sha256() == volume.sha256()
    assert read_ct(tmp_path, one.series_uid, in_blocks=True).sha256() == volume.sha256()
    with pytest.raises(IncompleteSeries):
        read_ct(tmp_path, one.series_uid)


def test_a_series_with_lost_slices_is_no_series_of_blocks(scan, tmp_path):
    folder = scan().write(tmp_path, skip=range(24, 32))
    with pytest.raises(IncompleteSeries):
        read_ct(folder, in_blocks=True)
    blocks = [r.uid for r in list_series(folder) if r.is_block]
    volume = read_ct(folder, blocks)
    found = next(n for n in volume.info.notices if n.code == "blocks")
    assert found.red and "may be lost" in found.message


def test_an_odd_slice_between_the_blocks_is_no_block(scan, tmp_path):
    one = scan()
    blocks_in_one_series(one, tmp_path, (0, 100, 230))
    data = one.slice(20)
    data.ImagePositionPatient = [*one.origin(20)[:2], one.origin(20)[2] + 60]
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    data.save_as(tmp_path / "odd", enforce_file_format=True)
    with pytest.raises(IncompleteSeries):
        read_ct(tmp_path, in_blocks=True)


def test_several_series_of_one_frame_are_put_together(scan, tmp_path):
    low, high = scan(offset_mm=-40.0), scan(series_uid=generate_uid(), offset_mm=40.0)
    written(tmp_path, low, high)
    both = read_ct(tmp_path, [high.series_uid, low.series_uid])
    single = [read_ct(tmp_path, s.series_uid) for s in (low, high)]
    assert both.info.series not in [v.info.series for v in single]
    for part in single:
        first = np.rint(both.grid.kji(part.grid.patient((0, 0, 0)))).astype(int)
        place = tuple(slice(a, a + n) for a, n in zip(first, part.hu.shape, strict=True))
        assert np.array_equal(both.hu[place], part.hu)


@pytest.mark.parametrize("what", ["other", "none"])
def test_series_of_other_frames_are_not_put_together(scan, tmp_path, what):
    low = scan()
    other = generate_uid() if what == "other" else ""
    high = replace(low, series_uid=generate_uid(), offset_mm=200.0, frame_uid=other)
    written(tmp_path, low, high)
    with pytest.raises(InputError, match="one frame of reference"):
        read_ct(tmp_path, [high.series_uid, low.series_uid])


def test_series_of_other_positions_are_not_put_together(scan, tmp_path):
    low = scan()
    extra = {**low.extra, "PatientPosition": "FFS"}
    high = replace(low, series_uid=generate_uid(), offset_mm=200.0, extra=extra)
    written(tmp_path, low, high)
    with pytest.raises(InputError, match="lay the same way"):
        read_ct(tmp_path, [high.series_uid, low.series_uid])
