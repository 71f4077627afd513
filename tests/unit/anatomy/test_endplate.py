import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.transform import Rotation

from guidegen.anatomy.endplate import GreyEndplates
from guidegen.anatomy.fracture import SHARES, measure_shape
from guidegen.model.frames import PATIENT, Pose
from guidegen.model.volume import CTVolume, Grid

from .wedge_body import WedgeBody

FINE, SLICE = 0.2, 1.0


def scan(body, phase_mm=0.0, plate_hu=900.0, noise=15.0):
    """Scan a wedge body with a cortex of 0.8 mm on its plates, in slices of 1 mm."""
    n = (300, 70, 60)
    z = -30.0 + phase_mm + FINE * np.arange(n[0])
    y, x = -35.0 + np.arange(n[1]), -30.0 + np.arange(n[2])
    half = (body.front_mm + (y + 15.0) / 30.0 * (body.back_mm - body.front_mm)) / 2
    inside = (np.abs(y) < 15)[:, None] & (np.abs(x) < 20)[None, :]
    depth = half[None, :, None] - np.abs(z)[:, None, None]
    hu = np.where(depth > 0.8, 150.0, np.where(depth > 0, plate_hu, 60.0))
    hu = np.where(inside[None], hu, 60.0)
    step = round(SLICE / FINE)
    slices = ndimage.uniform_filter1d(hu, step, axis=0)[step // 2 :: step]
    slices = slices + np.random.default_rng(1).normal(0.0, noise, slices.shape)
    matrix = np.array(
        [[0, 0, 1, -30.0], [0, 1, 0, -35.0], [SLICE, 0, 0, z[step // 2]], [0, 0, 0, 1.0]]
    )
    return CTVolume(np.round(slices).astype(np.int16), Grid(matrix, slices.shape))


def wrong_surface(body, by_mm):
    """The same body with its upper plate tilted, as a surface that follows the slices has."""
    bone = body.bone()
    points = np.array(bone.vertices_mm)
    on_top = (points[:, 2] > 7) & (np.abs(points[:, 1]) < 15.1) & (np.abs(points[:, 0]) > 19)
    points[on_top, 2] += by_mm * np.sign(points[on_top, 1])
    return type(bone)(bone.name, points, bone.faces)


@pytest.mark.parametrize("phase", [0.0, 0.3, 0.5, 0.8])
def test_heights_come_from_the_grey_values_where_the_surface_is_off(phase):
    body = WedgeBody(20.0, 25.0)
    bone, volume = wrong_surface(body, 0.4), scan(body, phase)
    alone = measure_shape(bone, body.landmarks())
    shape = measure_shape(bone, body.landmarks(), volume)
    assert abs(alone.kyphosis_deg - body.kyphosis_deg) > 1.0, "the test is too easy"
    for place, share in SHARES.items():
        assert shape.heights_mm[place] == pytest.approx(body.height(share), abs=0.25)
    assert shape.kyphosis_deg == pytest.approx(body.kyphosis_deg, abs=0.5)


def test_without_bright_plates_the_surface_stands():
    body = WedgeBody(20.0, 25.0)
    plain = measure_shape(body.bone(), body.landmarks())
    faint = measure_shape(body.bone(), body.landmarks(), scan(body, plate_hu=160.0))
    assert faint.heights_mm == plain.heights_mm
    assert faint.kyphosis_deg == plain.kyphosis_deg


@pytest.mark.parametrize("off", [-0.7, 0.0, 0.6])
def test_middles_are_told_from_where_one_looks(off):
    body = WedgeBody(24.0, 24.0)
    pose = Pose.from_axes(np.eye(3), (0, 0, 0), PATIENT, "L1")
    grey = GreyEndplates(scan(body, 0.35, noise=0.0), pose, body.bone().vertices_mm)
    spots = np.array([[x, y, 12.0 + off] for x in (-9.0, 0.0, 7.0) for y in (-8.0, 0.0, 8.0)])
    assert grey.middles(spots) == pytest.approx(np.full(9, -0.4 - off), abs=0.12)
    far = spots + np.array([0.0, 0.0, 6.0])
    assert np.isnan(grey.middles(far)).all()


def test_a_turned_frame_sees_the_same():
    body = WedgeBody(24.0, 24.0)
    turn = Rotation.from_euler("z", 60, degrees=True).as_matrix()
    pose = Pose.from_axes(turn, (0, 0, 0), PATIENT, "L1")
    grey = GreyEndplates(scan(body, noise=0.0), pose, body.bone().vertices_mm)
    assert grey.middles(np.array([[0.0, 0.0, -12.0]])) == pytest.approx([0.4], abs=0.15)
