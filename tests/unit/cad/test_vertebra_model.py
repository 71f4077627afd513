"""The model to rehearse on, made of three simple vertebrae and measured as its checks do."""

from dataclasses import replace

import numpy as np
import pytest

from guidegen.cad.channel import find_channels, webs
from guidegen.cad.foot import find_foot
from guidegen.cad.model_settings import ModelSettings
from guidegen.cad.strut import Bar, Place, find_struts
from guidegen.cad.vertebra_model import build_model
from guidegen.checks.every import REHEARSAL_CHECKS, run_checks
from guidegen.checks.part import Limits, Part
from guidegen.errors import AnatomyError, GeometryError
from guidegen.mesh.io import as_float32
from guidegen.mesh.surface import Surface
from guidegen.model.bone import Bone
from guidegen.model.landmarks import Landmark, Landmarks
from guidegen.model.plan import Path
from tests.unit.cad.conftest import make_patient

SETTINGS = ModelSettings()
TURN = (20.0, -10.0, 35.0)
WORDS = ("demo", "L3", "4f9a")


def marks_of(patient):
    """Landmarks of L3's body: a cylinder of 34 mm, 24 mm tall, about (0, -25, 0)."""
    frame = patient.landmarks.patient_from_bone
    up = frame.axes[:, 2]
    ends = [("superior", 1.0), ("inferior", -1.0)]
    points = [
        Landmark(
            f"{name}_endplate_centre",
            frame.points((0.0, 0.0, 12.0 * sign)),
            0.1,
            "drawn",
            {"normal": tuple(float(v) for v in sign * up)},
        )
        for name, sign in ends
    ]
    size = {"width_mm": 34.0, "depth_mm": 34.0}
    points.append(Landmark("body_centre", frame.origin_mm, 0.1, "drawn", size))
    return Landmarks("L3", frame, tuple(points))


def needles(patient):
    return [replace(p, kind="needle", diameter_mm=4.2) for p in patient.plan.paths]


def model(patient, paths=None, settings=SETTINGS, neighbours=None):
    above, level, below = patient.bones
    beside = (below, above) if neighbours is None else neighbours
    marks = {"L3": marks_of(patient)}
    return build_model(level, beside, paths or needles(patient), marks, WORDS, settings)


def measured(guide, patient, paths):
    vertices, faces = as_float32(guide.vertices_mm, guide.faces)
    back = replace(guide, vertices_mm=vertices, faces=faces)
    paths = tuple(replace(p, pilot_diameter_mm=p.diameter_mm) for p in paths)
    part = Part(back, patient.bones, paths, Limits(bore_clearance_mm=0.3))
    return run_checks(part, REHEARSAL_CHECKS)


@pytest.fixture(scope="module")
def patient(mesh):
    return make_patient(mesh, TURN)


@pytest.fixture(scope="module")
def joined(patient):
    return model(patient)


def test_a_model_of_a_turned_patient_passes_all_checks(joined, patient):
    found = measured(joined, patient, needles(patient))
    assert [f for f in found if not f.passed] == []
    assert joined.file == "models/L3.stl" and joined.bones == ("L3",)
    assert sorted(joined.neighbours) == ["L2", "L4"]
    assert joined.label == "demo L3 4f9a"


def test_struts_stand_in_both_bones_and_off_the_channels(joined, patient):
    surfaces = {b.name: Surface(b.vertices_mm, b.faces) for b in patient.bones}
    struts = [f for f in joined.features if f.kind == "strut"]
    assert len(struts) == 9
    for strut in struts:
        length, radius = strut.values["length_mm"], strut.values["diameter_mm"] / 2
        low, high = strut.item.split()[0].split("-")
        ends = {low: strut.point_mm, high: strut.point_mm + length * strut.direction}
        if high == "foot":
            low, high = high, low
            ends = {high: ends["foot"]}
        for name, end in ends.items():
            depth = -surfaces[name].nearest(end[None])[0][0]
            assert depth > 0 and (depth >= radius * 0.5)
        free = strut.point_mm + np.arange(4.0, length - 4.0)[:, None] * strut.direction
        for path in needles(patient):
            off = free - path.entry_mm
            off = off - (off @ path.direction)[:, None] * path.direction
            assert np.linalg.norm(off, axis=1).min() > radius + path.diameter_mm / 2 + 2.0


def test_the_canal_stays_open(joined, patient):
    level = patient.landmarks.patient_from_bone
    canal = level.points(np.column_stack([np.zeros((60, 1)), np.full((60, 1), 24.0),
                                          np.linspace(-30, 30, 60)]))  # fmt: skip
    distance, _ = Surface(joined.vertices_mm, joined.faces).nearest(canal)
    assert distance.min() > 6.0


def test_the_foot_is_square_to_the_body_and_under_everything(joined, patient):
    foot = next(f for f in joined.features if f.kind == "foot")
    assert foot.direction == pytest.approx(-patient.landmarks.patient_from_bone.axes[:, 2])
    lowest = max(float((b.vertices_mm @ foot.direction).max()) for b in patient.bones)
    below = float(foot.point_mm @ foot.direction) - lowest
    wanted = SETTINGS.foot_thickness_mm + SETTINGS.foot_clearance_mm
    assert below == pytest.approx(wanted, abs=0.3)


def test_the_level_alone(patient):
    alone = model(patient, settings=ModelSettings(neighbours=False))
    assert alone.neighbours == ()
    assert {f.item.split()[0] for f in alone.features if f.kind == "strut"} == {"L3-foot"}
    found = measured(alone, patient, needles(patient))
    assert [f for f in found if not f.passed] == []


def test_wires_and_other_levels_needles_make_no_channel(patient):
    wire = replace(needles(patient)[0], kind="pin", name="L3_kwire_upper", side="")
    other = replace(needles(patient)[0], bone="L4", name="L4_left")
    made = model(patient, [wire, other], ModelSettings(neighbours=False))
    assert not any(f.kind == "bore" for f in made.features)


def test_without_landmarks_it_says_so(patient):
    with pytest.raises(AnatomyError, match="L3 needs the vertebra's landmarks"):
        build_model(patient.bones[1], (), [], {}, WORDS, SETTINGS)


def test_a_neighbour_that_is_not_there_is_refused(patient):
    away = np.array([200.0, 0.0, 0.0])
    aside = Bone("L4", patient.bones[2].vertices_mm + away, patient.bones[2].faces)
    with pytest.raises((AnatomyError, GeometryError), match="neighbours = false"):
        model(patient, neighbours=(aside,))


def test_a_needle_beside_the_bone_is_refused(patient):
    path = needles(patient)[0]
    away = replace(path, entry_mm=path.entry_mm + 300, tip_mm=path.tip_mm + 300)
    with pytest.raises(GeometryError, match="L3_left: the channel should run through L3"):
        model(patient, [away])


def block(low, high):
    from tests.unit.checks.specimen import arrays, box

    return Surface(*arrays(box(low, high)))


def test_channels_reach_through_the_bone_and_no_further():
    bone = block((-20, -20, -10), (20, 20, 10))
    path = Path("L3_left", "L3", "needle", "left", (5, 20, 0), (5, -5, 0), 4.0)
    (channel,) = find_channels([path], bone.rays, 0.3)
    assert channel.diameter_mm == pytest.approx(4.3)
    assert channel.start_mm == pytest.approx((5, 22, 0), abs=1e-3)
    assert channel.end_mm == pytest.approx((5, -22, 0), abs=1e-3)


def test_a_web_between_channels_that_is_too_thin_is_cut():
    bone = block((-20, -20, -10), (20, 20, 10))
    left = Path("L3_left", "L3", "needle", "left", (14, 20, 0), (3, -15, 0), 4.0)
    right = Path("L3_right", "L3", "needle", "right", (-14, 20, 0), (-3, -15, 0), 4.0)
    channels = find_channels([left, right], bone.rays, 0.3)
    (web,) = webs(channels, 2.0)
    vertices, _ = web.arrays()
    assert vertices[:, 1].max() < 0 and np.abs(vertices[:, 2]).max() == pytest.approx(
        2.14, abs=0.01
    )
    far = replace(right, entry_mm=(-14, 20, 0), tip_mm=(-14, -15, 0))
    assert webs(find_channels([left, far], bone.rays, 0.3), 2.0) == []


def test_small_bodies_get_thinner_struts():
    lower, upper = block((-7, -6, -20), (7, 6, -4)), block((-7, -6, 4), (7, 6, 20))
    place = Place(np.zeros(3), np.eye(3), (7.0, 6.0))
    struts = find_struts(place, (lower, upper), Bar(6.0, 4.0, 2.0), (), "T4-T3")
    assert {s.diameter_mm for s in struts} < {3.0, 4.0, 5.0}
    assert all(s.start_mm[2] == pytest.approx(-8.0, abs=1e-3) for s in struts)
    tiny = Place(np.zeros(3), np.eye(3), (2.0, 2.0))
    with pytest.raises(GeometryError, match="neighbours = false"):
        find_struts(tiny, (lower, upper), Bar(6.0, 4.0, 2.0), (), "T4-T3")


def test_the_plate_reaches_under_a_leaning_centre_of_mass():
    points = np.array([[0.0, 0.0, -30.0], [0.0, 40.0, 100.0]])
    foot = find_foot(points, np.array([0.0, 30.0, 40.0]), (40.0, 30.0), WORDS, SETTINGS)
    height = 40.0 - foot.low_mm[2]
    tilt = np.degrees(np.arctan2(foot.high_mm[1] - 30.0, height))
    assert tilt == pytest.approx(SETTINGS.stable_deg, abs=0.01)
    assert foot.label_mm[1] < -15.0 and foot.marks()["L"][0] > 0
