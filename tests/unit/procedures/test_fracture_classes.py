import numpy as np
import pytest
from pydantic import ValidationError

from guidegen.anatomy.canal_bone import CanalBone
from guidegen.anatomy.fracture import BodyShape
from guidegen.model.frames import PATIENT, Pose
from guidegen.model.volume import CTVolume, Grid
from guidegen.procedures.kyphoplasty.fracture import FractureSettings, fracture_measures
from guidegen.procedures.kyphoplasty.fracture_findings import (
    BodyFindings,
    examine,
    fracture_measurements,
    fracture_notices,
)

from ..anatomy.wedge_body import WedgeBody, block

SETTINGS = FractureSettings()
ORDER = ("T11", "T12", "L1", "L2", "L3")
CLEAR = BodyFindings(24000.0, 0.0, CanalBone(0.0, 0.0, 0))


def shape(name, front, middle, back, kyphosis=2.0, spread=0.2):
    spreads = {"front": spread, "middle": 0.2, "back": 0.2, "kyphosis": 1.0}
    return BodyShape(name, front, middle, back, kyphosis, 30.0, spreads)


def spine(**changed):
    """Five bodies of 25 mm; ``L1=(front, middle, back)`` share of it, None where cut off."""
    shares = {name: changed.get(name, (1.0, 1.0, 1.0)) for name in ORDER}
    return {
        name: shape(name, *(25.0 * share for share in found))
        for name, found in shares.items()
        if found is not None
    }


def measured(chosen="L1", **changed):
    return fracture_measures(spine(**changed), ORDER, (chosen,), SETTINGS)[chosen]


@pytest.mark.parametrize(
    ("shares", "kind", "grade"),
    [
        ((1.0, 1.0, 1.0), "none", 0),
        ((0.81, 0.9, 1.0), "none", 0),
        ((1.1, 1.05, 1.05), "none", 0),
        ((0.79, 0.9, 1.0), "wedge", 1),
        ((0.70, 0.85, 1.0), "wedge", 2),
        ((0.61, 0.80, 0.95), "wedge", 2),
        ((0.59, 0.80, 0.95), "wedge", 3),
        ((0.95, 0.79, 1.0), "biconcave", 1),
        ((0.85, 0.70, 0.95), "biconcave", 2),
        ((0.85, 0.50, 0.95), "biconcave", 3),
        ((0.79, 0.79, 0.79), "crush", 1),
        ((0.65, 0.70, 0.70), "crush", 2),
        ((0.50, 0.55, 0.60), "crush", 3),
        ((1.0, 0.95, 0.70), "crush", 2),
    ],
)
def test_kinds_and_grades(shares, kind, grade):
    found = measured(L1=shares)
    assert (found.kind, found.grade) == (kind, grade)
    assert found.compression == pytest.approx(max(0.0, 1 - min(shares)))
    assert found.neighbours == ("T12", "L2")


@pytest.mark.parametrize(
    ("share", "grade"), [(0.2001, 1), (0.1999, 0), (0.2501, 2), (0.2499, 1), (0.4001, 3), (0.4, 2)]
)
def test_grades_begin_where_they_should(share, grade):
    assert measured(L1=(1.0 - share, 1.0, 1.0)).grade == grade


def test_front_and_back_are_not_swapped():
    assert measured(L1=(0.6, 0.8, 1.0)).kind == "wedge"
    assert measured(L1=(1.0, 0.8, 0.6)).kind == "crush"


def test_the_reference_is_the_mean_of_both_neighbours():
    shapes = spine(T12=(0.9, 0.9, 0.9), L2=(1.1, 1.1, 1.1), L1=(0.9, 1.0, 1.0))
    found = fracture_measures(shapes, ORDER, ("L1",), SETTINGS)["L1"]
    assert found.lost == pytest.approx({"front": 0.1, "middle": 0.0, "back": 0.0})


@pytest.mark.parametrize("broken", [(0.6, 0.8, 1.0), (0.7, 0.7, 0.7), (1.0, 0.6, 1.0)])
def test_a_fractured_neighbour_is_no_reference(broken):
    found = measured(T12=broken, L1=(0.7, 0.9, 1.0))
    assert found.neighbours == ("L2",)
    assert found.compression == pytest.approx(0.3)


def test_two_crushed_bodies_side_by_side_are_both_seen():
    shapes = spine(T12=(0.7, 0.7, 0.7), L1=(0.7, 0.7, 0.7))
    found = fracture_measures(shapes, ORDER, ("T12", "L1"), SETTINGS)
    assert [m.kind for m in found.values()] == ["crush", "crush"]
    assert found["T12"].neighbours == ("T11",)
    assert found["L1"].neighbours == ("L2",)


def test_a_sound_body_beside_a_crush_is_no_fracture():
    assert measured("L2", L1=(0.6, 0.6, 0.6)).grade == 0


def test_a_neighbour_that_is_cut_off_is_no_reference():
    assert measured(T12=None, L1=(0.7, 0.9, 1.0)).neighbours == ("L2",)
    alone = measured(T12=None, L2=None, L1=(0.7, 0.9, 1.0))
    assert alone.neighbours == ()
    assert alone.compression == pytest.approx(0.3)
    assert alone.lost["back"] == 0.0


def test_levels_without_a_shape_are_left_out_and_the_order_is_kept():
    found = fracture_measures(spine(L2=None), ORDER, ("L3", "L2", "T11"), SETTINGS)
    assert list(found) == ["L3", "T11"]


def codes(notices):
    return {(n.code, n.subject, n.red) for n in notices}


def notices(findings=CLEAR, failed=None, **changed):
    measures = fracture_measures(spine(**changed), ORDER, ("L1",), SETTINGS)
    return fracture_notices(measures, {"L1": findings}, failed or {}, SETTINGS)


WEDGE = {"L1": (0.7, 0.85, 1.0)}


def test_a_plain_fracture_needs_no_notice():
    assert notices(**WEDGE) == ()


def test_no_fracture_is_a_plain_note():
    (note,) = notices()
    assert (note.code, note.subject, note.red) == ("no_fracture", "L1", False)
    assert "T12 and L2" in note.message


def test_heights_without_neighbours_are_said():
    found = notices(T12=None, L2=None, **WEDGE)
    assert codes(found) == {("heights_without_neighbours", "L1", False)}
    assert "its own back height" in found[0].message


def test_uneven_endplates_are_said():
    shapes = {**spine(**WEDGE), "L1": shape("L1", 17.5, 21.0, 25.0, spread=1.2)}
    measures = fracture_measures(shapes, ORDER, ("L1",), SETTINGS)
    (note,) = fracture_notices(measures, {"L1": CLEAR}, {}, SETTINGS)
    assert note.code == "heights_uncertain"
    assert "at the front (" in note.message


@pytest.mark.parametrize(("bulge", "fires"), [(0.0, False), (1.59, False), (1.61, True)])
def test_a_broken_back_wall_is_red(bulge, fires):
    found = notices(BodyFindings(24000.0, bulge, CLEAR.canal), **WEDGE)
    assert codes(found) == ({("broken_back_wall", "L1", True)} if fires else set())


def test_bone_in_the_canal_is_red():
    found = notices(BodyFindings(24000.0, 0.0, CanalBone(38.0, 3.5, 1)), **WEDGE)
    assert codes(found) == {("canal_fragment", "L1", True)}
    assert "38 mm3" in found[0].message
    assert "3.5 mm" in found[0].message


def test_what_was_not_seen_is_red_and_never_passed_over():
    for unseen in (BodyFindings(), BodyFindings(None, None, CLEAR.canal), BodyFindings(1.0, 0.0)):
        assert codes(notices(unseen, **WEDGE)) == {("back_wall_unseen", "L1", True)}
    measures = fracture_measures(spine(**WEDGE), ORDER, ("L1",), SETTINGS)
    assert codes(fracture_notices(measures, {}, {}, SETTINGS)) == {("back_wall_unseen", "L1", True)}


def test_a_level_that_could_not_be_measured_is_named_with_its_back_wall():
    found = notices(CLEAR, {"L2": "L2: the body is cut off; leave this level out"}, **WEDGE)
    assert codes(found) == {
        ("heights_not_measured", "L2", False),
        ("back_wall_unseen", "L2", True),
    }
    assert "cut off" in found[0].message


def test_measurements_have_the_contracts_names_and_units():
    measures = fracture_measures(spine(**WEDGE), ORDER, ("L1",), SETTINGS)
    found = {m.name: m for m in fracture_measurements(measures, {"L1": CLEAR}, SETTINGS)}
    values = {
        "height_front_L1": (17.5, "mm"),
        "height_middle_L1": (21.25, "mm"),
        "height_back_L1": (25.0, "mm"),
        "compression_L1": (0.3, "1"),
        "local_kyphosis_L1": (2.0, "deg"),
        "back_wall_bulge_L1": (0.0, "mm"),
        "canal_bone_L1": (0.0, "mm3"),
        "body_volume_L1": (24.0, "mL"),
        "cement_low_L1": (3.9, "mL"),
        "cement_high_L1": (7.2, "mL"),
    }
    assert {name: (m.value, m.unit) for name, m in found.items()} == values
    assert "wedge, grade 2" in found["compression_L1"].note
    assert found["compression_L1"].extra == {"kind": "wedge", "grade": 2}
    for end in ("low", "high"):
        assert "not a prescription" in found[f"cement_{end}_L1"].note
        assert "PMID" in found[f"cement_{end}_L1"].note


def test_what_was_not_measured_has_no_number():
    found = fracture_measurements({}, {"L1": BodyFindings()}, SETTINGS)
    assert found == ()


@pytest.mark.parametrize(
    "wrong",
    [
        {"mild_share": 0.3},
        {"severe_share": 0.2},
        {"cement_share": (0.4, 0.2)},
        {"cement_share": (0.0, 0.2)},
        {"mild": 0.2},
    ],
)
def test_settings_that_contradict_each_other_are_refused(wrong):
    with pytest.raises(ValidationError):
        FractureSettings.model_validate(wrong)


def test_settings_decide():
    strict = FractureSettings(mild_share=0.1, moderate_share=0.15, severe_share=0.2)
    (found,) = fracture_measures(spine(L1=(0.88, 1, 1)), ORDER, ("L1",), strict).values()
    assert (found.kind, found.grade) == ("wedge", 1)


def test_one_body_is_examined_whole():
    grid = Grid(
        np.array([[0, 0, 1.0, -40], [0, 1.0, 0, -40], [1.0, 0, 0, -40], [0, 0, 0, 1.0]]),
        (80, 100, 80),
    )
    hu = np.full(grid.shape_kji, 40, dtype=np.int16)
    hu[38:46, 55:61, 37:44] = 600
    body = WedgeBody(20.0, 26.0, plus=[block((-5, 10, -2), (5, 17.5, 6))])
    pose = Pose.from_axes(np.eye(3), (0, 0, 0), PATIENT, "L1")
    found = examine(CTVolume(hu, grid), body.bone(pose), body.landmarks(pose), (), SETTINGS)
    assert found.volume_mm3 == pytest.approx(30 * 40 * 23, rel=0.03)
    assert found.bulge_mm == pytest.approx(2.5, abs=0.05)
    assert found.canal is not None
    assert found.canal.n_pieces == 1
    gone = WedgeBody(20.0, 26.0, minus=[block((-50, -50, -50), (50, 14.9, 50))])
    nothing = examine(CTVolume(hu, grid), gone.bone(), gone.landmarks(), (), SETTINGS)
    assert nothing.bulge_mm is None
    assert nothing.volume_mm3 is None
