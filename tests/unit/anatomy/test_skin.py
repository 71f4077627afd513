import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from guidegen.anatomy.back_view import reconstructed_circles
from guidegen.anatomy.skin import find_skin, leaves_skin, midline_distance, skin_over
from guidegen.errors import AnatomyError
from guidegen.mesh.heights import closed_under
from guidegen.mesh.quality import is_sound
from guidegen.mesh.sampling import face_areas_normals
from guidegen.model.bone import SKIN, Bone
from guidegen.model.frames import PATIENT, Pose
from guidegen.model.volume import CTVolume

from . import backs
from .backs import FRAME, Scan, turned

BACK = np.array([0.0, 1.0, 0.0])
SPAN = (-15.0, 15.0)


def errors(skin, frame=FRAME):
    """Places (N, 3) and errors (N,) of the skin's faces, mm; the whole middle must be there."""
    normals = face_areas_normals(skin.vertices_mm, skin.faces)[1]
    back = normals @ frame.axes[:, 1] > 0.25
    places = skin.vertices_mm[skin.faces[back]].mean(axis=1)
    local = frame.inverse.points(places)
    for x in (-28, 0, 28):
        for z in (-14, 0, 14):
            assert np.hypot(local[:, 0] - x, local[:, 2] - z).min() < 2.0, (x, z)
    return places, backs.outside_mm(places)


def test_bare_back_is_found_to_a_third_of_a_voxel():
    skin = find_skin(Scan().volume(), FRAME, SPAN)
    places, off = errors(skin)
    assert skin.name == SKIN
    assert is_sound(skin.vertices_mm, skin.faces)
    assert len(skin.faces) <= 60_000
    assert abs(off.mean()) < 0.1
    assert np.abs(off).max() < 0.3
    assert np.ptp(places[:, 0]) > 200
    assert np.ptp(places[:, 2]) > 135


def test_noise_does_not_roughen_the_skin():
    skin = find_skin(Scan(noise=40.0).volume(), FRAME, SPAN)
    normals = face_areas_normals(skin.vertices_mm, skin.faces)[1]
    back = normals[:, 1] > 0.25
    places = skin.vertices_mm[skin.faces[back]].mean(axis=1)
    true = np.zeros_like(places)
    true[:, :2] = (places[:, :2] - (0, backs.MIDDLE_Y)) / backs.HALF**2
    true /= np.linalg.norm(true, axis=1)[:, None]
    lean = np.degrees(np.arccos(np.clip((normals[back] * true).sum(axis=1), -1, 1)))
    assert np.percentile(lean, 95) < 4.0


@pytest.mark.parametrize(
    ("turn", "frame"),
    [
        (np.diag([-1.0, -1.0, 1.0]), FRAME),
        (np.diag([-1.0, 1.0, -1.0]), FRAME),
        (np.diag([-1.0, 1.0, 1.0]), FRAME),
        (turned(8, -12, 15), FRAME),
        (np.eye(3), Pose.from_axes(turned(-15, 4, 6), (3, -2, 4), PATIENT, "bone")),
    ],
    ids=["prone", "feet first", "mirrored grid", "oblique grid", "leaning vertebra"],
)
def test_orientation_does_not_matter(turn, frame):
    low, high = (-140.0, -30.0, -100.0), (140.0, 95.0, 100.0)
    volume = Scan(low=low, high=high, turn=turn, spacing=1.5).volume()
    assert np.abs(errors(find_skin(volume, frame, SPAN), frame)[1]).max() < 0.5


@pytest.mark.parametrize(
    ("covers", "limit"),
    [
        ((backs.loose_gown,), 0.9),
        ((backs.flush_cover,), 0.6),
        ((backs.wires,), 0.4),
        ((backs.tube,), 1.0),
        ((backs.touching_table,), 0.9),
    ],
    ids=["gown", "mattress cover", "wires", "tube", "table"],
)
def test_what_lies_on_the_skin_is_not_skin(covers, limit):
    places, off = errors(find_skin(Scan(covers=covers, spacing=1.0).volume(), FRAME, SPAN))
    off = np.abs(off[np.abs(places[:, 0]) < 95])
    assert off.max() < limit
    assert np.percentile(off, 90) < 0.6


def test_what_lies_on_the_skin_matters():
    """The same covers as above would move a plain half-level by more than a millimetre."""
    for cover in (backs.flush_cover, backs.touching_table, backs.tube):
        scan = Scan(covers=(cover,), spacing=1.0, noise=0.0)
        x = -25.0 if cover is backs.tube else 3.0
        y = np.arange(40.0, 90.0, 0.1)
        line = np.stack([np.full_like(y, x), y, np.zeros_like(y)], axis=1)
        hu = map_coordinates(scan.volume().hu.astype(float), scan.grid().kji(line).T, order=1)
        assert y[np.argmax(hu < -450.0)] - backs.skin_height(x) > 1.5


def test_air_of_one_value_is_air():
    """A drawn scan without noise: the constant's border follows the patient, it is no circle."""
    volume = Scan(noise=0.0).volume()
    assert np.abs(errors(find_skin(volume, FRAME, SPAN))[1]).max() < 0.3


def cut_by_circle(radius, centre):
    scan = Scan(low=(-170.0, -170.0, -82.0), high=(170.0, 170.0, 82.0), spacing=1.5)
    return backs.padding(radius, centre)(scan.volume())


def test_columns_cut_by_the_reconstruction_circle_are_left_out():
    centre, radius = (-40.0, -80.0), 175.0
    skin = find_skin(cut_by_circle(radius, centre), FRAME, SPAN)
    places, off = errors(skin)
    inside = np.hypot(places[:, 0] - centre[0], places[:, 1] - centre[1])
    assert inside.max() < radius - 1.0
    assert np.abs(off).max() < 0.5
    assert places[:, 0].min() < -100
    x = places[:, 0].max()
    beyond = np.hypot(x + 6 - centre[0], backs.skin_height(x + 6) - centre[1])
    assert x < 100
    assert beyond > radius - 7.0


def test_circle_whose_air_is_clipped_to_the_padding_is_seen():
    """As many scanners do: half of the air has the padding's value."""
    volume = cut_by_circle(175.0, (-40.0, -80.0))
    clipped = CTVolume(np.maximum(volume.hu, -1000), volume.grid, volume.info)
    circles = reconstructed_circles(clipped)
    assert np.isfinite(circles).all()
    assert circles[:, 2] * 1.5 == pytest.approx(175.0, abs=4.0)
    assert np.isinf(reconstructed_circles(Scan(noise=0.0).volume())[:, 2]).all()


def test_circle_that_cuts_the_middle_is_refused():
    with pytest.raises(AnatomyError, match=r"the scan's view ends about 5[0-9] mm behind"):
        find_skin(cut_by_circle(168.0, (0.0, -112.0)), FRAME, SPAN)


@pytest.mark.parametrize("high", [40.0, backs.BACK_Y - 1.0, backs.BACK_Y + 1.0])
def test_view_that_ends_at_the_back_is_refused(high):
    scan = Scan(high=(140.0, high, 82.0))
    reach = f"about {high:.0f}|about {high - 1:.0f}|about {high + 1:.0f}|about {high + 2:.0f}"
    with pytest.raises(AnatomyError, match=reach) as caught:
        find_skin(scan.volume(), FRAME, SPAN)
    assert "reconstruct the scan with the whole back in view" in str(caught.value)


def test_short_view_along_the_spine_shortens_the_skin():
    skin = find_skin(
        Scan(low=(-140.0, -30.0, -30.0), high=(140.0, 95.0, 40.0)).volume(), FRAME, SPAN
    )
    places, off = errors(skin)
    assert places[:, 2].min() > -30
    assert places[:, 2].max() < 40
    assert np.abs(off).max() < 0.3


def test_nothing_but_tissue_or_air_is_refused():
    volume = Scan(spacing=3.0).volume()
    for value in (-1000, 40):
        same = CTVolume(np.full(volume.hu.shape, value, np.int16), volume.grid, volume.info)
        with pytest.raises(AnatomyError, match="the skin of the back was wanted"):
            find_skin(same, FRAME, SPAN)


def cylinder(radius=150.0, half=100.0):
    """A back that is a piece of a circular cylinder along z; its skin is y = sqrt(R2 - x2)."""
    x, z = np.linspace(-half, half, 201), np.linspace(-80, 80, 81)
    heights = np.repeat(np.sqrt(radius**2 - x**2)[:, None], len(z), axis=1)
    return Bone(SKIN, *closed_under(x, z, heights, 20.0))


def test_line_leaves_through_the_skin_or_not_at_all():
    skin = cylinder()
    out = np.array([0.3, 0.9, 0.1]) / np.linalg.norm([0.3, 0.9, 0.1])
    start = np.array([5.0, 60.0, -8.0])
    found = leaves_skin(skin, start, out, BACK)
    assert np.hypot(found[0], found[1]) == pytest.approx(150.0, abs=0.01)
    assert np.linalg.norm(np.cross(found - start, out)) < 1e-9
    before = leaves_skin(skin, np.array([5.0, -10.0, 0.0]), BACK, BACK)
    assert before[1] == pytest.approx(np.sqrt(150.0**2 - 25), abs=0.01)
    for way in ((1.0, 0, 0), (0, 0, -1.0), (0, -1.0, 0), (0.95, 0.312, 0)):
        assert leaves_skin(skin, start, np.array(way), BACK) is None
    assert leaves_skin(skin, np.array([0.0, 160.0, 0.0]), BACK, BACK) is None


def test_skin_over_points():
    over = skin_over(cylinder(), np.array([[0, 90.0, 10], [30, 80.0, 0], [130, 60.0, 0]]), BACK)
    assert over[0] == pytest.approx([0, 150.0, 10], abs=0.01)
    assert over[1] == pytest.approx([30, np.sqrt(150.0**2 - 900), 0], abs=0.01)
    assert over[2] is None


@pytest.mark.parametrize("x", [-70.0, 0.0, 12.0, 85.0])
@pytest.mark.parametrize("tips", [[30.0, 0.0, -28.0], [5.0]])
def test_midline_distance_on_a_cylinder_is_the_arc(x, tips):
    line = np.array([[0.0, 150.0, z] for z in tips])
    point = np.array([x, np.sqrt(150.0**2 - x**2), 50.0])
    arc = 150.0 * np.arcsin(abs(x) / 150.0)
    assert midline_distance(cylinder(), line, point, BACK) == pytest.approx(arc, abs=0.02)
    if abs(x) > 50:
        assert abs(x) < arc - 1.0, "the straight distance would be wrong"


def test_midline_distance_from_a_leaning_line():
    """The way runs square to the line: on a plane it is the distance from a line."""
    x, z = np.linspace(-90, 90, 91), np.linspace(-90, 90, 91)
    skin = Bone(SKIN, *closed_under(x, z, np.full((91, 91), 100.0), 20.0))
    line = np.array([[-10.0, 100.0, 40.0], [10.0, 100.0, -40.0]])
    along = np.array([20.0, 0, -80.0]) / np.hypot(20, 80)
    point = np.array([40.0, 100.0, 5.0])
    true = np.linalg.norm(np.cross(point - line[0], along))
    assert midline_distance(skin, line, point, BACK) == pytest.approx(true, abs=0.02)
    assert true < 41.0, "the distance along x would be 41.25"
