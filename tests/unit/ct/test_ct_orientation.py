"""Any orientation, slice order and tilt puts the body at the same place in the patient."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from guidegen.ct.reader import read_ct
from guidegen.ct.tilt import shifted
from guidegen.errors import UnsupportedScan

OBLIQUE = Rotation.from_euler("xyz", (17, -23, 31), degrees=True).as_matrix()

ORIENTATIONS = {
    "axial": ((1, 0, 0), (0, 1, 0)),
    "slices down": ((1, 0, 0), (0, -1, 0)),
    "prone": ((-1, 0, 0), (0, -1, 0)),
    "mirrored rows": ((-1, 0, 0), (0, 1, 0)),
    "coronal": ((1, 0, 0), (0, 0, -1)),
    "sagittal": ((0, 1, 0), (0, 0, -1)),
    "oblique": (tuple(OBLIQUE[:, 0]), tuple(OBLIQUE[:, 1])),
    "oblique down": (tuple(OBLIQUE[:, 0]), tuple(-OBLIQUE[:, 1])),
}


@pytest.mark.parametrize("name", ORIENTATIONS)
def test_body_lies_where_it_is(name, scan, tmp_path, centres, truth_mm):
    row, column = ORIENTATIONS[name]
    written = scan(row=row, column=column, spacing=(0.9, 1.1), shape=(80, 70))
    volume = read_ct(written.write(tmp_path / "in"))
    assert np.abs(centres(volume) - truth_mm).max() < 0.05
    assert volume.info.notices == ()
    axes = volume.grid.axes_kji
    assert axes[2, 0] > 0.5 and axes[1, 1] > 0.5 and axes[0, 2] > 0.5


@pytest.mark.parametrize(
    ("name", "shear"),
    [
        ("axial", (0.31, 0.0)),
        ("axial", (-0.42, 0.0)),
        ("axial", (0.5, 0.0)),
        ("slices down", (0.31, 0.0)),
        ("slices down", (-0.2, 0.13)),
        ("coronal", (0.2, -0.13)),
        ("oblique", (-0.31, 0.0)),
    ],
)
def test_tilted_gantry_is_put_straight(name, shear, scan, tmp_path, centres, truth_mm):
    row, column = ORIENTATIONS[name]
    written = scan(row=row, column=column, shear_mm=shear, shape=(90, 90))
    volume = read_ct(written.write(tmp_path / "in"))
    assert [n.code for n in volume.info.notices] == ["gantry_tilt"]
    assert np.abs(centres(volume) - truth_mm).max() < 0.05


def test_tilt_angle_is_told(scan, tmp_path):
    step = 1.25
    volume = read_ct(scan(shear_mm=(step * np.tan(np.radians(18.5)), 0)).write(tmp_path))
    assert "18.5 deg" in volume.info.notices[0].message


def test_straightened_values_match_the_body(scan, tmp_path, hu_at):
    volume = read_ct(scan(shear_mm=(0.37, 0.0), shape=(90, 90)).write(tmp_path))
    kji = np.stack(np.meshgrid(*(np.arange(n) for n in volume.hu.shape), indexing="ij"), -1)
    points = volume.grid.patient(kji)
    inside = np.linalg.norm(points, axis=-1) < 24
    error = volume.hu[inside] - hu_at(points[inside])
    assert np.abs(error).max() < 40 and np.abs(error).mean() < 2


def test_shift_moves_rows_downwards():
    values = np.exp(-((np.arange(40.0) - 18) ** 2) / 18)[:, None] * np.ones((1, 2))
    moved = shifted(values, 0.3)
    expected = np.exp(-((np.arange(41.0) - 18.3) ** 2) / 18)
    assert np.abs(moved[5:-5, 0] - expected[5:-5]).max() < 4e-3


def test_shear_that_varies_is_refused(scan, tmp_path):
    class Bent(scan):
        def origin(self, k):
            return super().origin(k) + np.array([0, 0.004 * k**2, 0])

    with pytest.raises(UnsupportedScan, match="sideways"):
        read_ct(Bent().write(tmp_path))


def test_same_scan_same_hash_whatever_the_order(scan, tmp_path):
    a = read_ct(scan().write(tmp_path / "a"))
    b = read_ct(scan(prefix="ZZ").write(tmp_path / "b"))
    assert a.sha256() == b.sha256()
    assert not a.hu.flags.writeable
