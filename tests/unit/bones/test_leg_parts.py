"""The pieces of the search for leg bones, one by one."""

import numpy as np
import pytest

from guidegen.bones.leg_scan import as_scanned, block_numbers, upright
from guidegen.bones.leg_shafts import companions, find_shafts, section_labels
from guidegen.bones.leg_solid import LEAST_SEEN, directions_met
from guidegen.bones.leg_split import split
from guidegen.bones.leg_waists import find_waists
from guidegen.model.volume import CTVolume, Grid

STEP = np.array([1.2, 1.2, 1.2])


def test_marrow_is_surrounded_and_a_notch_is_not() -> None:
    shell = np.zeros((40, 40, 40), dtype=bool)
    shell[5:35, 5:35, 5:35] = True
    shell[7:33, 7:33, 7:33] = False
    shell[18:24, 18:24, 5:7] = False
    seen = directions_met(shell, STEP)
    assert seen[7:33, 7:33, 9:33].min() >= LEAST_SEEN
    cup = shell.copy()
    cup[:, :, :7] = False
    assert directions_met(cup, STEP)[20, 20, 8] < LEAST_SEEN
    assert seen[20, 20, 2] < LEAST_SEEN


def test_a_cut_through_bone_counts_as_wall() -> None:
    tube = np.zeros((30, 30, 30), dtype=bool)
    tube[:, 8:22, 8:22] = True
    tube[:, 10:20, 10:20] = False
    seen = directions_met(tube, STEP)
    assert seen[:, 10:20, 10:20].min() >= LEAST_SEEN
    assert seen[15, 2, 15] < LEAST_SEEN


def _rods() -> np.ndarray:
    k, j, i = np.indices((60, 60, 60))
    thick = np.hypot(j - 20, i - 20) < 10
    thin = np.hypot(j - 45, i - 40) < 4
    return np.asarray(thick | (thin & (k > 10)))


def test_shafts_and_their_companions() -> None:
    shafts = find_shafts(section_labels(_rods()), STEP)
    assert len(shafts) == 2
    thick, thin = sorted(shafts, key=lambda s: -float(np.median(s.areas_mm2)))
    assert companions(thick, thin)
    assert not companions(thin, thick)
    assert np.allclose(thick.middles_ji_mm, 24.0, atol=0.6)
    assert len(thin.slices) == 49


def test_a_ball_is_no_shaft() -> None:
    k, j, i = np.indices((60, 60, 60))
    ball = (k - 30) ** 2 + (j - 30) ** 2 + (i - 30) ** 2 < 17**2
    assert find_shafts(section_labels(ball), STEP) == []


@pytest.mark.parametrize(("rest", "n"), [(6, 1), (26, 0)])
def test_a_waist_is_found_where_little_passes(rest: int, n: int) -> None:
    solid = np.zeros((70, 60, 60), dtype=bool)
    solid[15:55, 12:48, 12:48] = True
    solid[33:36] = False
    solid[33:36, 30 - rest // 2 : 30 + rest // 2, 14:46] = True
    if rest > 20:
        solid[33:36, 12:48, 12:48] = True
    waists = find_waists(solid, section_labels(solid), STEP)
    assert len(waists) == n
    if n:
        assert abs(waists[0].point[0] - 34 * 1.2) < 2.5
        assert waists[0].normal[0] > 0.97


def test_a_cut_follows_the_dark_sheet() -> None:
    hu = np.full((30, 20, 20), 400.0)
    hu[17] = 150.0
    bone = np.ones(hu.shape, dtype=bool)
    one, other = np.zeros_like(bone), np.zeros_like(bone)
    one[:3] = other[-3:] = True
    found = split(hu, bone, one, other)
    assert found[:17].all()
    assert not found[18:].any()


def test_blocks_are_counted() -> None:
    hu = np.full((10, 4, 4), -1024, dtype=np.int16)
    hu[1:4, 2, 2] = 0
    hu[6:, 0, 0] = 30
    assert block_numbers(hu).tolist() == [0, 1, 1, 1, 0, 0, 2, 2, 2, 2]


def test_upright_and_back() -> None:
    matrix = np.zeros((4, 4))
    matrix[0, 1], matrix[1, 0], matrix[2, 2], matrix[3, 3] = 0.7, 0.9, -1.5, 1
    hu = np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6)
    scan = CTVolume(hu, Grid(matrix, hu.shape))
    stood = upright(scan)
    assert stood.grid.axes_kji[2, 0] == pytest.approx(1)
    place = np.argwhere(stood.hu == 77)[0]
    assert np.allclose(stood.grid.patient(place), scan.grid.patient(np.argwhere(hu == 77)[0]))
    back, grid = as_scanned(stood.hu.astype(np.uint16), stood.grid, scan.grid)
    assert grid.same_as(scan.grid)
    assert (back == hu).all()
