import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from guidegen.anatomy.back_wall import back_wall_bulge_mm, body_volume_mm3
from guidegen.anatomy.body_surface import BAND_MM
from guidegen.anatomy.fracture import SHARES, measure_shape
from guidegen.anatomy.vertebra import find_landmarks
from guidegen.errors import AnatomyError
from guidegen.model.frames import PATIENT, Pose
from guidegen.model.level import Level
from guidegen.phantoms import heights, truth
from guidegen.phantoms.catalog import load_definition
from guidegen.phantoms.definition import LevelChange
from guidegen.phantoms.spine import build_scene

from .wedge_body import WedgeBody, block, rod

TURNED = Pose.from_axes(
    Rotation.from_euler("xyz", (35, -25, 40), degrees=True).as_matrix(),
    (80.0, -120.0, 900.0),
    PATIENT,
    "L1",
)
WEDGE = WedgeBody(16.0, 26.0)
TILTED = Pose.from_axes(np.eye(3), (0, 0, 0), PATIENT, "L1")


def shape_of(body, pose=None, **bone):
    pose = pose or TILTED
    return measure_shape(body.bone(pose, **bone), body.landmarks(pose))


def numbers(shape):
    return np.array([*shape.heights_mm.values(), shape.kyphosis_deg, shape.depth_mm])


@pytest.mark.parametrize(("front", "back"), [(16.0, 26.0), (26.0, 26.0), (28.0, 22.0), (9.0, 12.0)])
def test_heights_and_angle_of_a_wedge(front, back):
    body = WedgeBody(front, back)
    shape = shape_of(body)
    for place, share in SHARES.items():
        assert shape.heights_mm[place] == pytest.approx(body.height(share), abs=0.01)
    assert shape.kyphosis_deg == pytest.approx(body.kyphosis_deg, abs=0.05)
    assert shape.depth_mm == pytest.approx(30.0, abs=0.01)
    assert all(0.0 <= shape.spreads[place] < 0.5 for place in SHARES)


def test_front_and_back_are_not_swapped():
    kyphotic, lordotic = shape_of(WedgeBody(16, 26)), shape_of(WedgeBody(26, 16))
    assert kyphotic.front_mm < kyphotic.middle_mm < kyphotic.back_mm
    assert kyphotic.kyphosis_deg > 15 > -15 > lordotic.kyphosis_deg
    assert lordotic.front_mm > lordotic.back_mm


@pytest.mark.parametrize("lopsided", [False, True])
def test_a_mirrored_body_measures_the_same(lopsided):
    body = WedgeBody(16.0, 26.0, minus=[rod((12, 0, 5), (0, 0, 1), 30, 8)] if lopsided else [])
    plain, mirrored = shape_of(body), shape_of(body, mirrored=True)
    assert numbers(plain) == pytest.approx(numbers(mirrored), abs=0.02)


def test_a_turned_body_measures_the_same():
    body = WedgeBody(16.0, 26.0, minus=[rod((-8, 4, 6), (0, 0, 1), 30, 9)])
    assert numbers(shape_of(body)) == pytest.approx(numbers(shape_of(body, TURNED)), abs=0.02)
    bulge = back_wall_bulge_mm(body.bone(TURNED), body.landmarks(TURNED))
    assert bulge == pytest.approx(0.0, abs=0.02)
    size = body_volume_mm3(body.bone(TURNED), body.landmarks(TURNED))
    assert size == pytest.approx(body_volume_mm3(body.bone(), body.landmarks()), rel=0.01)


def test_a_sunken_middle_shows_in_the_middle_alone():
    # Grooves from left to right, 12 mm wide and 4 mm deep at y = 0, in both plates.
    radius = (6.0**2 + 4.0**2) / 8.0
    z = 12.0 - 4.0 + radius
    grooves = [rod((-30, 0, up * z), (1, 0, 0), 60, 2 * radius) for up in (1.0, -1.0)]
    body = WedgeBody(24.0, 24.0, minus=grooves)
    shape = shape_of(body)
    rise = radius - np.sqrt(radius**2 - 0.5**2)  # the median over 1 mm to front and back
    assert shape.middle_mm == pytest.approx(16.0 + 2 * rise, abs=0.05)
    assert shape.front_mm == pytest.approx(24.0, abs=0.02)
    assert shape.back_mm == pytest.approx(24.0, abs=0.02)
    assert shape.kyphosis_deg == pytest.approx(0.0, abs=0.2)


def test_a_dent_off_the_middle_leaves_the_angle():
    body = WedgeBody(20.0, 24.0, minus=[rod((0, -3, 7), (0, 0, 1), 30, 14)])
    assert shape_of(body).kyphosis_deg == pytest.approx(body.kyphosis_deg, abs=0.5)


@pytest.mark.parametrize(
    ("what", "plus", "minus"),
    [
        ("vein", [], [rod((0, 5, 0), (0, 1, 0), 12, 5)]),
        ("cleft open in front", [], [block((-30, -16, -1.5), (30, 8, 1.5))]),
        ("osteophyte in front", [block((-8, -20, 8), (8, -14.5, 18))], []),
        ("bridge to the vertebra above", [block((-2, -17, 5), (2, -14.8, 40))], []),
        ("rib head's lip", [block((15, 8, 5), (24, 18, 14))], []),
    ],
)
def test_what_is_no_height_is_not_measured(what, plus, minus):
    body = WedgeBody(20.0, 26.0, plus=plus, minus=minus)
    plain = numbers(shape_of(WedgeBody(20.0, 26.0)))
    found = numbers(shape_of(body))
    assert found[[0, 1, 2, 4]] == pytest.approx(plain[[0, 1, 2, 4]], abs=0.1), what
    assert found[3] == pytest.approx(plain[3], abs=1.0), what


def test_the_landmarks_normals_do_not_decide():
    body = WedgeBody(20.0, 26.0)
    shape = measure_shape(body.bone(), body.landmarks(tilt_deg=6.0))
    assert numbers(shape) == pytest.approx(numbers(shape_of(body)), abs=0.05)


def test_a_wide_gap_is_a_wall():
    hollow = WedgeBody(26.0, 26.0, minus=[block((-30, 11, -6), (30, 16, 6))])
    assert shape_of(hollow).depth_mm == pytest.approx(26.0, abs=0.1)


def cut_above(body, z):
    return WedgeBody(
        body.front_mm, body.back_mm, minus=[*body.minus, block((-50, -50, z), (50, 80, 60))]
    )


def test_a_cut_off_body_is_refused_and_a_whole_one_is_not():
    cut = cut_above(WedgeBody(24.0, 24.0, plus=[block((-6, 32, -20), (6, 40, 20))]), 9.0)
    with pytest.raises(AnatomyError, match=r"L1: the body's upper end is cut off .* field"):
        shape_of(cut, complete=False)
    arch_cut = WedgeBody(24.0, 24.0, plus=[block((-6, 32, -20), (6, 40, 20))])
    assert shape_of(arch_cut, complete=False).back_mm == pytest.approx(24.0, abs=0.02)


def test_no_body_is_an_error_that_names_the_level():
    gone = WedgeBody(24.0, 24.0, minus=[block((-50, -50, -50), (50, 13.5, 50))])
    with pytest.raises(AnatomyError, match=r"L1: .* leave this level out"):
        shape_of(gone)


@pytest.mark.parametrize("out", [0.0, 1.0, 2.5, 5.0])
@pytest.mark.parametrize("front", [18.0, 26.0])
def test_a_bulge_is_measured_behind_the_line_of_the_corners(out, front):
    plus = [block((-5, 10, -2), (5, 15 + out, 6))] if out else []
    body = WedgeBody(front, 26.0, plus=plus)
    assert back_wall_bulge_mm(body.bone(), body.landmarks()) == pytest.approx(out, abs=0.05)


def test_a_bulge_beside_the_canals_middle_half_and_a_vein_do_not_count():
    body = WedgeBody(26.0, 26.0, plus=[block((5.5, 10, -2), (7.5, 18, 6))],
                     minus=[rod((0, 5, 0), (0, 1, 0), 12, 5)])  # fmt: skip
    assert back_wall_bulge_mm(body.bone(), body.landmarks()) == pytest.approx(0.0, abs=0.05)


def test_a_hollow_wall_does_not_bulge():
    body = WedgeBody(26.0, 26.0, minus=[rod((-30, 24, 0), (1, 0, 0), 60, 22)])
    assert back_wall_bulge_mm(body.bone(), body.landmarks()) == pytest.approx(0.0, abs=0.001)


def test_a_filled_canal_bulges_to_its_middle_at_least():
    body = WedgeBody(26.0, 26.0, plus=[block((-6, 10, -3), (6, 30, 7))])
    assert back_wall_bulge_mm(body.bone(), body.landmarks()) == pytest.approx(8.0, abs=0.05)
    assert shape_of(body).depth_mm == pytest.approx(30.0, abs=0.05)


@pytest.mark.parametrize(("front", "back"), [(16.0, 26.0), (26.0, 26.0)])
def test_volume_is_that_of_the_body_without_its_arch(front, back):
    body = WedgeBody(front, back)
    true = 30.0 * 40.0 * (front + back) / 2
    assert body_volume_mm3(body.bone(), body.landmarks()) == pytest.approx(true, rel=0.03)


CHANGES = {
    "intact": {},
    "wedge": {"wedge_deg": 18.0, "height_mm": 20.0},
    "biconcave": {"dent_mm": 5.0, "height_mm": 25.0, "wedge_deg": 3.0},
    "crush": {"height_mm": 14.0},
    "fragment": {"fragment_mm": 3.0, "height_mm": 24.0},
}


@pytest.mark.parametrize("change", CHANGES)
def test_phantoms_measure_as_defined(change):
    lumbar = load_definition("lumbar")
    changed = lumbar.model_copy(
        update={"change": {**lumbar.change, "L2": LevelChange(**CHANGES[change])}}
    )
    scene, bone = build_scene(changed), truth.surface(changed, "L2", 0.7)
    at = scene.poses["L2"]
    canal = Pose.from_axes(at.axes, at.points(scene.vertebrae["L2"].canal_centre), PATIENT, "level")
    marks = find_landmarks(bone, Level("L2", canal, (-20.0, 20.0)))
    shape = measure_shape(bone, marks)
    true = heights.fracture_measures(changed)
    for place in SHARES:
        assert shape.heights_mm[place] == pytest.approx(true[f"height_{place}_L2"], abs=0.15)
    assert shape.kyphosis_deg == pytest.approx(true["local_kyphosis_L2"], abs=0.8)
    bulge = back_wall_bulge_mm(bone, marks)
    if change == "fragment":
        assert 1.7 < bulge < 3.1
    else:
        assert bulge < 0.2


def test_the_band_is_that_of_the_definition():
    assert BAND_MM == 3.0
    assert SHARES == {"front": 0.06, "middle": 0.5, "back": 0.94}
