import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from guidegen.anatomy.back_cover import without_cloth, without_table
from guidegen.anatomy.back_profile import crossing, first_fall

T = np.arange(-14.0, 7.01, 0.5)


def profile(*layers, blur=0.6):
    """Grey values along T: fat, then layers (start in mm, HU), blurred."""
    t = np.arange(-20.0, 15.0, 0.05)
    hu = np.full(len(t), -100.0)
    for start, value in layers:
        hu[t >= start] = value
    return np.interp(T, t, gaussian_filter1d(hu, blur / 0.05)).astype(np.float32)


def fall(*layers, end=0.0, blur=0.6):
    return first_fall(profile(*layers, blur=blur)[None], T, np.array([end])).skin_mm[0]


@pytest.mark.parametrize("place", [-1.3, 0.0, 0.8])
@pytest.mark.parametrize("skin", [-100.0, 40.0, 120.0])
def test_bare_edge(place, skin):
    assert fall((place - 2.5, skin), (place, -1000.0)) == pytest.approx(place, abs=0.1)


@pytest.mark.parametrize(
    "layers",
    [
        [(-2, 100), (0, -1000), (1.0, -150), (2.5, -950)],
        [(-2, 100), (0, -1000), (0.5, 50), (2.5, -950)],
        [(-2, 100), (0, -250), (2.5, -920)],
        [(-2, 100), (0, -400), (3.0, -920)],
    ],
    ids=["sheet behind a gap", "table behind a thin gap", "cover without gap", "loose cover"],
)
def test_another_layer_is_not_skin(layers):
    end = layers[-1][0]
    assert fall(*layers, end=end) == pytest.approx(0.0, abs=0.5)
    plain = profile(*layers)
    assert T[plain > -425].max() > 0.4, "a plain half-level would be farther out"


def test_lung_under_the_chest_wall_is_inside():
    hu = profile((-13.0, -850.0), (-11.0, 50.0), (0.0, -1000.0))
    assert first_fall(hu[None], T, np.zeros(1)).skin_mm[0] == pytest.approx(0.0, abs=0.1)


def test_no_fall_no_skin():
    flat = np.full((1, len(T)), 40.0, np.float32)
    assert np.isnan(first_fall(flat, T, np.zeros(1)).skin_mm[0])


def test_crossing():
    values = np.array([[0.0, 0, 10, 10], [0, 0, 0, 0]])
    found = crossing(values, np.arange(4.0), np.array([2.5, 2.5]), np.zeros(2, dtype=int))
    assert found[0] == pytest.approx(1.25)
    assert np.isnan(found[1])


def cloth_errors(dense_hu, thick_mm, voxel_mm=0.7):
    """Skin found with and without cloth, by half-level and by the edge's spread."""
    bare, cloth = (-2, 20), [(0.0, dense_hu), (thick_mm, -1000.0)]
    hu = np.stack([profile(bare, (0.0, -1000.0))] * 300 + [profile(bare, *cloth)] * 300)
    falls = first_fall(hu, T, np.zeros(600))
    found = without_cloth(hu, T, falls, np.zeros(600), voxel_mm)
    return falls.skin_mm[-1], found[0], found[-1]


@pytest.mark.parametrize("dense", [-200.0, -300.0, -450.0])
def test_thin_cloth_is_taken_off(dense):
    half_level, bare, found = cloth_errors(dense, 1.2)
    assert bare == pytest.approx(0.0, abs=0.1)
    assert half_level > 0.45
    assert abs(found) < 0.5
    assert found < half_level - 0.15


def test_coarse_voxels_tell_nothing_of_cloth():
    half_level, _, found = cloth_errors(-300.0, 1.2, voxel_mm=3.0)
    assert found == half_level


def table(bend=0.0, n=2000):
    """Places, skin and table near and far sides: it touches within 15 mm of the midline."""
    places = np.random.default_rng(3).uniform(-60, 60, (n, 2))
    near = 50.0 + 0.02 * places[:, 1] + bend * np.sin(places[:, 0] / 5.0)
    touches = np.abs(places[:, 0]) < 15
    skin = np.where(touches, near + 2.0, near - 1.5)
    hidden = np.where(touches, np.nan, 1.0)
    return places, near, skin, (near * hidden, (near + 2.0) * hidden), touches


def test_touching_table_is_taken_off():
    places, near, skin, layer, touches = table()
    found = without_table(skin, layer, places)
    assert np.abs(found - near)[touches].max() < 0.05
    assert np.array_equal(found[~touches], skin[~touches])


def test_soft_or_absent_table_changes_nothing():
    places, _, skin, layer, _ = table(bend=2.0)
    assert np.array_equal(without_table(skin, layer, places), skin)
    none = (np.full(len(skin), np.nan),) * 2
    assert np.array_equal(without_table(skin, none, places), skin)
