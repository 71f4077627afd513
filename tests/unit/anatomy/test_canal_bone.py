import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.transform import Rotation

from guidegen.anatomy.canal_bone import CanalLimits, canal_bone
from guidegen.model.frames import PATIENT, Pose
from guidegen.model.landmarks import Landmark, Landmarks
from guidegen.model.volume import CTVolume, Grid

LIMITS = CanalLimits(bone_hu=200.0, inside_mm=1.5, min_piece_mm3=5.0)
RADIUS, VOXEL = 8.0, 0.8
BEND = 1 / 120.0
"""Curvature of the canal's course, 1/mm: 14 deg from level to level of 30 mm."""


def course(z, bend):
    """Y of the canal's centre and the slope dy/dz of its course, at height z."""
    return 22.0 + bend * z**2 / 2, bend * z


def scan(fragment=None, bend=0.0, noise=0.0, blur=0.6, seed=3):
    """A canal of radius 8 in solid bone; ``fragment`` (x, y, z, radius, HU) is a ball in it."""
    shape = (120, 60, 60)
    grid = Grid(
        np.array([[0, 0, VOXEL, -24.0], [0, VOXEL, 0, 0.0], [VOXEL, 0, 0, -48.0], [0, 0, 0, 1.0]]),
        shape,
    )
    x, y, z = np.moveaxis(grid.patient(np.moveaxis(np.indices(shape), 0, -1)), -1, 0)
    hu = np.where(np.hypot(x, y - course(z, bend)[0]) < RADIUS, 30.0, 600.0)
    if fragment is not None:
        fx, fy, fz, radius, value = fragment
        hu[(x - fx) ** 2 + (y - fy) ** 2 + (z - fz) ** 2 < radius**2] = value
    hu = ndimage.gaussian_filter(hu, blur / VOXEL)
    hu += np.random.default_rng(seed).normal(0.0, noise, shape)
    return CTVolume(np.round(hu).astype(np.int16), grid)


def level(z=0.0, bend=0.0, pushed=0.0, radius=RADIUS, turn=None):
    """Landmarks of a level at height z of the course; ``pushed``: its canal centre, backwards."""
    y, slope = course(z, bend)
    axes = Rotation.from_euler("x", -np.arctan(slope)).as_matrix()
    if turn is not None:
        axes = axes @ Rotation.from_euler("z", turn, degrees=True).as_matrix()
    pose = Pose.from_axes(axes, (0.0, y - 22.0, z), PATIENT, "L1")
    centre = np.array([0.0, y + pushed, z])
    marks = [Landmark("canal_centre", centre, 0.5, "made", {"radius_mm": radius})]
    for name, up in (("superior", 1.0), ("inferior", -1.0)):
        at = pose.points((0.0, 0.0, 13.0 * up))
        marks.append(Landmark(f"{name}_endplate_centre", at, 0.2, "made"))
    return Landmarks("L1", pose, tuple(marks))


def neighbours(bend=0.0):
    return level(30.0, bend), level(-30.0, bend)


BALL = (0.0, 16.5, 4.0, 3.0, 500.0)
"""Reaches 5.5 mm into the canal, whose front wall is at y = 14."""


@pytest.mark.parametrize("bend", [0.0, BEND, -BEND])
@pytest.mark.parametrize("noise", [0.0, 40.0])
def test_an_open_canal_holds_no_bone(bend, noise):
    volume = scan(bend=bend, noise=noise)
    assert canal_bone(volume, level(bend=bend), neighbours(bend), LIMITS).n_pieces == 0
    assert canal_bone(scan(noise=noise), level(), (), LIMITS).volume_mm3 == 0.0


@pytest.mark.parametrize("turn", [None, 40.0])
def test_a_fragment_is_found_with_its_volume_and_reach(turn):
    found = canal_bone(scan(BALL, blur=0.3), level(turn=turn), neighbours(), LIMITS)
    assert found.n_pieces == 1
    assert found.reach_mm == pytest.approx(5.5, abs=0.7)
    beyond = 5.5 - LIMITS.inside_mm  # the ball's cap beyond the margin
    cap = np.pi * beyond**2 * (3 * BALL[3] - beyond) / 3
    assert found.volume_mm3 == pytest.approx(cap, rel=0.35)


def test_a_small_fragment_is_seen_though_the_levels_own_canal_gives_way():
    """A fragment of 3 mm makes this level's own circle smaller and pushes it back by half."""
    fragment = (0.0, 13.0, 4.0, 4.0, 500.0)
    own = level(pushed=1.5, radius=6.5)
    volume = scan(fragment)
    assert canal_bone(volume, own, (), LIMITS).n_pieces == 0, "the test is too easy"
    found = canal_bone(volume, own, neighbours(), LIMITS)
    assert found.n_pieces == 1
    assert 1.5 < found.reach_mm < 3.5


def test_a_fragment_in_a_bent_canal():
    found = canal_bone(scan(BALL, bend=BEND), level(bend=BEND), neighbours(BEND), LIMITS)
    assert found.n_pieces == 1
    assert found.reach_mm == pytest.approx(5.5, abs=1.0)


@pytest.mark.parametrize(
    ("what", "fragment"),
    [
        ("a vein or the cord", (0.0, 17.0, 0.0, 3.0, 150.0)),
        ("a speck", (0.0, 20.0, 0.0, 0.9, 500.0)),
        ("the rim beside the disc above", (0.0, 16.0, 16.5, 3.0, 500.0)),
        ("a ligament's edge", (0.0, 30.0, 0.0, 1.2, 500.0)),
    ],
)
def test_what_is_no_fragment_is_not_found(what, fragment):
    assert canal_bone(scan(fragment), level(), neighbours(), LIMITS).n_pieces == 0, what


def test_two_fragments_are_counted_and_limits_decide():
    volume = scan(BALL)
    other = scan((0.0, 17.0, -6.0, 3.0, 500.0))
    both = CTVolume(np.maximum(volume.hu, other.hu), volume.grid)
    assert canal_bone(both, level(), neighbours(), LIMITS).n_pieces == 2
    deaf = CanalLimits(bone_hu=1500.0, inside_mm=1.5, min_piece_mm3=5.0)
    assert canal_bone(both, level(), neighbours(), deaf).n_pieces == 0
    large = CanalLimits(bone_hu=200.0, inside_mm=1.5, min_piece_mm3=500.0)
    assert canal_bone(both, level(), neighbours(), large).n_pieces == 0
    deep = CanalLimits(bone_hu=200.0, inside_mm=7.0, min_piece_mm3=5.0)
    assert canal_bone(both, level(), neighbours(), deep).n_pieces == 0
