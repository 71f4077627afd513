"""Errors against the truth: a plan made of the truth has none, and each quantity can fail."""

import math
from dataclasses import replace

import numpy as np
import pytest

from guidegen.batch.errors import LIMITS, Error, errors_of
from guidegen.batch.needle_paths import crossing, needle_row
from guidegen.batch.screw_paths import settings_limits
from guidegen.batch.spine_errors import asked_levels
from guidegen.phantoms.catalog import load_definition
from guidegen.phantoms.corridor import best_corridor
from guidegen.phantoms.leg import moved
from guidegen.phantoms.leg_truth import legs_truth, posed_legs
from guidegen.phantoms.recipe import Recipe, Run
from guidegen.phantoms.scan import ScanOptions
from guidegen.phantoms.spine import build_scene
from guidegen.phantoms.truth import skin_point


def recipe(name, procedure, levels=None, **expect):
    """A case of a phantom of the catalogue."""
    known = load_definition(name)
    known = known.model_copy(update={"expect": known.expect.model_copy(update=expect)})
    return Recipe(name, "", known, ScanOptions(), Run(procedure=procedure, levels=levels))


def wrong(plan, landmarks, truth, case=None):
    """Quantities that are over their limits."""
    return {e.quantity for e in errors_of(plan, landmarks, truth, case) if not e.within}


def seen(plan, landmarks, truth, case=None):
    """Quantities that were compared at all."""
    return {e.quantity for e in errors_of(plan, landmarks, truth, case)}


def test_what_is_no_number_is_not_within():
    assert Error("height", "L1", 0.4, 0.5, "mm").within
    assert Error("height", "L1", -0.5, 0.5, "mm").within
    assert not Error("height", "L1", -0.51, 0.5, "mm").within
    assert not Error("height", "L1", math.nan, 0.5, "mm").within
    assert not Error("height", "L1", math.inf, 0.5, "mm").within


def test_every_limit_has_a_unit_and_a_reason():
    for limit, unit, why in LIMITS.values():
        assert limit >= 0 and unit in ("mm", "deg", "levels", "1") and len(why) > 10


def test_without_a_plan_there_is_nothing_to_compare():
    assert errors_of({}, {}, {}) == ()


def test_levels_are_listed_as_they_are_asked_for():
    assert asked_levels("T11-L2") == ["T11", "T12", "L1", "L2"]
    assert asked_levels("L1, L3") == ["L1", "L3"]
    assert asked_levels("V2") == []


# -- screws ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def screws():
    """A plan of the best lines through L3's pedicles, and its truth."""
    case = recipe("demo", "pedicle-screws", "L3")
    scene = build_scene(case.definition)
    centres = {n: {"position_mm": list(pose.origin_mm)} for n, pose in scene.poses.items()}
    bones = {n: {"body_centre": centres[n]} for n in ("L3", "L4", "L5")}
    truth = {"landmarks": {"bones": bones}, "measurements": {"cobb_L3_L5": 20.0}}
    cobb = {"name": "cobb_L3_L5", "value": 21.0}
    plan = {
        "procedure": "pedicle-screws",
        "paths": [best_path(scene, side) for side in ("left", "right")],
        "skipped": [],
        "measurements": [cobb],
        "warnings": [],
    }
    return plan, {"bones": bones}, truth, case


def best_path(scene, side):
    """The best line through one pedicle of L3, as in plan.json."""
    best = best_corridor(scene, "L3", side, settings_limits(scene, "L3", side))
    return {
        "name": f"L3_{side}",
        "bone": "L3",
        "side": side,
        "kind": "screw",
        "entry_mm": list(best.entry_mm),
        "tip_mm": list(best.end_mm),
        "diameter_mm": 6.0,
        "corridor_diameter_mm": best.diameter_mm,
        "breach_mm": 0.0,
    }


def with_path(screws, **changes):
    """The same plan with another first path."""
    plan, *rest = screws
    first, *others = plan["paths"]
    return ({**plan, "paths": [{**first, **changes}, *others]}, *rest)


def test_the_best_line_has_no_errors(screws):
    assert wrong(*screws) == set()
    assert seen(*screws) == {
        "cobb",
        "level_name",
        "body_centre",
        "level_missing",
        "corridor_loss",
        "corridor_width",
        "entry_depth",
        "breach",
    }


def test_a_worse_line_loses_corridor(screws):
    path = screws[0]["paths"][0]
    shifted = [np.add(path[k], (1.5, 0, 0)).tolist() for k in ("entry_mm", "tip_mm")]
    found = wrong(*with_path(screws, entry_mm=shifted[0], tip_mm=shifted[1]))
    assert {"corridor_loss", "corridor_width"} <= found


def test_a_corridor_that_is_said_too_wide_is_wrong(screws):
    wide = screws[0]["paths"][0]["corridor_diameter_mm"] + 0.6
    assert wrong(*with_path(screws, corridor_diameter_mm=wide)) == {"corridor_width"}


def test_an_entry_in_the_air_or_in_the_bone_is_wrong(screws):
    path = screws[0]["paths"][0]
    way = np.subtract(path["tip_mm"], path["entry_mm"])
    way = way / np.linalg.norm(way)
    for off in (-0.7, 0.7):
        entry = list(path["entry_mm"] + off * way)
        assert wrong(*with_path(screws, entry_mm=entry)) == {"entry_depth"}


def test_a_screw_thicker_than_the_true_corridor_breaches_unless_it_is_said(screws):
    thick = screws[0]["paths"][0]["corridor_diameter_mm"] + 1.0
    assert wrong(*with_path(screws, diameter_mm=thick)) == {"breach"}
    assert wrong(*with_path(screws, diameter_mm=thick, breach_mm=0.5)) == set()
    assert wrong(*with_path(screws, breach_mm=None)) == {"breach"}


def test_a_wide_pedicle_that_is_left_out_is_wrong(screws):
    plan, *rest = screws
    item = {"name": "L3_right", "bone": "L3", "side": "right", "code": "narrow_pedicle"}
    assert wrong({**plan, "skipped": [item]}, *rest) == {"left_out"}


def test_a_narrow_pedicle_that_is_left_out_is_not():
    case = recipe("narrow", "pedicle-screws", "T5")
    scene = build_scene(case.definition)
    bones = {"T5": {"body_centre": {"position_mm": list(scene.poses["T5"].origin_mm)}}}
    item = {"name": "T5_left", "bone": "T5", "side": "left", "code": "narrow_pedicle"}
    plan = {"procedure": "pedicle-screws", "paths": [], "skipped": [item]}
    truth = {"landmarks": {"bones": bones}}
    assert "left_out" not in wrong(plan, {"bones": bones}, truth, case)
    assert "left_out" in seen(plan, {"bones": bones}, truth, case)


def test_a_level_by_a_neighbours_name_is_wrong(screws):
    plan, landmarks, truth, case = screws
    moved_up = {"L3": landmarks["bones"]["L4"], "L4": landmarks["bones"]["L5"]}
    found = wrong(plan, {"bones": moved_up}, truth, case)
    assert {"level_name", "level_missing"} <= found


def test_a_path_on_a_bone_that_is_not_there_is_wrong(screws):
    assert "level_name" in wrong(*with_path(screws, bone="T2"))


def test_a_body_that_is_off_is_wrong(screws):
    plan, landmarks, truth, case = screws
    at = np.add(landmarks["bones"]["L3"]["body_centre"]["position_mm"], (0, 0, 3)).tolist()
    off = {**landmarks["bones"], "L3": {"body_centre": {"position_mm": at}}}
    assert wrong(plan, {"bones": off}, truth, case) == {"body_centre"}


def test_a_level_without_a_name_is_measured_where_it_is(screws):
    plan, landmarks, truth, case = screws
    plan = {**plan, "paths": [{**path, "bone": "V2"} for path in plan["paths"]]}
    case = replace(case, run=Run(procedure="pedicle-screws", levels=None))
    bones = {"V2": landmarks["bones"]["L3"]}
    errors = errors_of(plan, {"bones": bones}, truth, case)
    assert {e.subject for e in errors if not e.within} == {"L4", "L5"}  # nothing answers them
    assert "corridor_width" in {e.quantity for e in errors}


def test_a_level_that_was_asked_for_and_has_no_answer_is_wrong(screws):
    plan, *rest = screws
    assert wrong({**plan, "paths": []}, *rest) == {"level_missing"}


@pytest.mark.parametrize("n", [0, 1])
def test_a_pedicle_that_has_no_answer_is_wrong(screws, n):
    plan, *rest = screws
    left = plan["paths"][n]
    errors = errors_of({**plan, "paths": [plan["paths"][1 - n]]}, *rest)
    assert [(e.quantity, e.subject) for e in errors if not e.within] == [
        ("level_missing", left["name"])
    ]


def test_a_cobb_angle_that_is_off_is_wrong(screws):
    plan, *rest = screws
    off = {**plan, "measurements": [{"name": "cobb_L3_L5", "value": 22.1}]}
    assert wrong(off, *rest) == {"cobb"}


def test_a_case_has_limits_of_its_own(screws):
    plan, landmarks, truth, case = screws
    off = {**plan, "measurements": [{"name": "cobb_L3_L5", "value": 22.1}]}
    own = {**truth, "expect": {"limits": {"cobb": 3.0}}}
    assert wrong(off, landmarks, own, case) == set()


def test_a_round_pedicle_has_a_known_axis():
    case = recipe("round", "pedicle-screws", "L3")
    scene = build_scene(case.definition)
    vertebra, pose = scene.vertebrae["L3"], scene.poses["L3"]
    bones = {"L3": {"body_centre": {"position_mm": list(pose.origin_mm)}}}
    found = {}
    for turn in (0.0, 3.0):
        inner = vertebra.pedicle_axes("left")
        way = inner[:, 2] + np.tan(np.radians(turn)) * inner[:, 0]
        way = pose.vectors(way / np.linalg.norm(way))
        middle = pose.points(vertebra.isthmus("left"))
        entry = middle - crossing(scene.solid("L3"), middle, -way) * way
        path = {
            "name": "L3_left",
            "bone": "L3",
            "side": "left",
            "kind": "screw",
            "entry_mm": list(entry),
            "tip_mm": list(entry + 35 * way),
            "diameter_mm": 5.0,
            "corridor_diameter_mm": 9.0,
            "breach_mm": 0.0,
        }
        plan = {"procedure": "pedicle-screws", "paths": [path], "skipped": []}
        truth = {"landmarks": {"bones": bones}}
        errors = errors_of(plan, {"bones": bones}, truth, case)
        found[turn] = next(e for e in errors if e.quantity == "round_axis")
    assert found[0.0].within and not found[3.0].within


# -- needles --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def needles():
    """A needle along the pedicle's axis of a fractured body, all its numbers true."""
    case = recipe("fracture_wedge", "kyphoplasty", "L1")
    case = replace(case, run=case.run.model_copy(update={"side": "left"}))
    scene = build_scene(case.definition)
    pose, vertebra = scene.poses["L1"], scene.vertebrae["L1"]
    way = pose.vectors(vertebra.pedicle_axes("left")[:, 2])
    middle = pose.points(vertebra.isthmus("left"))
    entry = middle - crossing(scene.solid("L1"), middle, -way) * way
    front = crossing(scene.solid("L1"), middle, way)
    tip = middle + (front - 5.2) * way
    skin = skin_point(case.definition, tip, -way)
    path = {
        "name": "L1_left",
        "bone": "L1",
        "side": "left",
        "kind": "needle",
        "route": "transpedicular",
        "entry_mm": list(entry),
        "tip_mm": list(tip),
        "skin_mm": list(skin),
        "diameter_mm": 3.0,
        "breach_mm": 0.0,
        "skin_to_bone_mm": float(np.linalg.norm(entry - skin)),
        "skin_to_tip_mm": float(np.linalg.norm(tip - skin)),
        "axial_angle_deg": 0.0,
        "sagittal_angle_deg": 0.0,
        "medial_inclination_deg": 0.0,
        "cranial_caudal_deg": 0.0,
        "skin_to_midline_mm": 0.0,
    }
    row = needle_row(scene, path)
    path["axial_angle_deg"] = -row.axial_off_deg
    path["sagittal_angle_deg"] = -row.sagittal_off_deg
    path["medial_inclination_deg"] = -row.medial_off_deg
    path["cranial_caudal_deg"] = -row.cranial_off_deg
    path["skin_to_midline_mm"] = -row.midline_off_mm
    true = {"height_middle_L1": 20.5, "compression_L1": 0.2, "local_kyphosis_L1": 20.0}
    bones = {"L1": {"body_centre": {"position_mm": list(pose.origin_mm)}}}
    truth = {"landmarks": {"bones": bones}, "measurements": true}
    told = [{"name": name, "value": value} for name, value in true.items()]
    plan = {"procedure": "kyphoplasty", "paths": [path], "skipped": [], "measurements": told}
    return plan, {"bones": bones}, truth, case


def test_a_needle_of_the_truth_has_no_errors(needles):
    assert wrong(*needles) == set()
    wanted = {name for name in LIMITS if name.startswith(("needle", "skin", "tip"))}
    assert seen(*needles) >= wanted | {"canal", "breach", "height", "compression"}


@pytest.mark.parametrize(
    "key, off, quantity",
    [
        ("skin_to_bone_mm", 1.1, "needle_depth"),
        ("skin_to_tip_mm", -1.1, "needle_depth"),
        ("axial_angle_deg", 1.1, "needle_angle"),
        ("sagittal_angle_deg", -1.1, "needle_angle"),
        ("medial_inclination_deg", 1.1, "needle_angle"),
        ("cranial_caudal_deg", 1.1, "needle_angle"),
        ("skin_to_midline_mm", 1.1, "needle_midline"),
    ],
)
def test_each_number_of_a_needle_can_be_wrong(needles, key, off, quantity):
    value = needles[0]["paths"][0][key]
    assert wrong(*with_path(needles, **{key: value + off})) == {quantity}


def test_a_skin_entry_that_is_off_or_missing_is_wrong(needles):
    at = np.add(needles[0]["paths"][0]["skin_mm"], (0, 0, 1.2)).tolist()
    assert wrong(*with_path(needles, skin_mm=at)) == {"skin_entry"}
    assert wrong(*with_path(needles, skin_mm=None)) == {"skin_entry"}


def along(needles, key, far):
    """A point of the needle, moved along its way."""
    path = needles[0]["paths"][0]
    way = np.subtract(path["tip_mm"], path["entry_mm"])
    return list(path[key] + far * way / np.linalg.norm(way))


def test_an_entry_that_is_not_on_the_bone_is_wrong(needles):
    assert "needle_entry" in wrong(*with_path(needles, entry_mm=along(needles, "entry_mm", 1.5)))


def test_a_tip_too_near_the_front_or_too_far_back_is_wrong(needles):
    assert "tip_to_front" in wrong(*with_path(needles, tip_mm=along(needles, "tip_mm", 2.0)))
    found = wrong(*with_path(needles, tip_mm=along(needles, "tip_mm", -14.0)))
    assert "tip_in_front_third" in found


def to_midline(needles, far):
    """The same plan with the left needle moved to the midline."""
    path = needles[0]["paths"][0]
    ends = {k: np.subtract(path[k], (far, 0, 0)).tolist() for k in ("entry_mm", "tip_mm")}
    return with_path(needles, **ends)


def test_a_needle_that_leaves_the_pedicle_is_wrong(needles):
    assert "breach" in wrong(*to_midline(needles, 4.0))
    told, *rest = to_midline(needles, 4.0)
    told["paths"][0]["breach_mm"] = 3.0
    assert "breach" not in wrong(told, *rest)


def test_a_needle_through_the_canal_is_wrong(needles):
    assert "canal" in wrong(*to_midline(needles, 9.0))


def test_a_tip_on_the_wrong_side_is_wrong(needles):
    assert "tip_across" not in wrong(*to_midline(needles, 4.0))
    assert "tip_across" in wrong(*to_midline(needles, 16.0))


def test_a_one_sided_tip_outside_the_middle_third_is_wrong(needles):
    plan, landmarks, truth, case = needles
    asked = replace(case, run=case.run.model_copy(update={"approach": "one-sided"}))
    assert "tip_across" in wrong(plan, landmarks, truth, asked)  # 12 mm aside, a third is 6
    plan, *_ = to_midline(needles, 8.0)
    assert "tip_across" not in wrong(plan, landmarks, truth, asked)


@pytest.mark.parametrize(
    "name, code, asked, fits",
    [
        ("fracture_wedge", "narrow_pedicle", ("L1", "left"), True),
        ("fracture_thoracic", "narrow_pedicle", ("T8", "right"), False),
        ("fracture_onesided", "one_sided_infeasible", ("L3", "left"), True),
        ("fracture_onesided", "one_sided_infeasible", ("L1", "left"), False),
    ],
)
def test_a_needle_that_is_left_out_must_not_fit(name, code, asked, fits):
    level, side = asked
    case = recipe(name, "kyphoplasty", level)
    case = replace(case, run=case.run.model_copy(update={"side": side}))
    scene = build_scene(case.definition)
    bones = {level: {"body_centre": {"position_mm": list(scene.poses[level].origin_mm)}}}
    item = {"name": f"{level}_{side}", "bone": level, "side": side, "code": code}
    told = [{"name": f"height_middle_{level}", "value": 20.0}]
    plan = {"procedure": "kyphoplasty", "paths": [], "skipped": [item], "measurements": told}
    found = wrong(plan, {"bones": bones}, {"landmarks": {"bones": bones}}, case)
    assert found == ({"left_out"} if fits else set())


@pytest.mark.parametrize(
    "name, value, quantity",
    [
        ("height_middle_L1", 21.1, "height"),
        ("compression_L1", 0.24, "compression"),
        ("local_kyphosis_L1", 17.9, "local_kyphosis"),
        ("height_middle_L1", None, "height"),
    ],
)
def test_each_measure_of_a_fracture_can_be_wrong(needles, name, value, quantity):
    plan, *rest = needles
    told = [m for m in plan["measurements"] if m["name"] != name]
    told.append({"name": name, "value": value})
    assert wrong({**plan, "measurements": told}, *rest) == {quantity}


@pytest.mark.parametrize(
    "asked, missing",
    [
        ({}, {"L1_right"}),
        ({"side": "left"}, set()),
        ({"side": "right"}, {"L1_right"}),
        ({"approach": "one-sided"}, set()),
        ({"settings": {"needle": {"approach": "one-sided"}}}, set()),
    ],
)
def test_each_side_that_was_asked_for_has_a_needle_or_a_reason(needles, asked, missing):
    plan, landmarks, truth, case = needles
    alone = {**plan, "skipped": []}
    asked = {"side": "both"} | asked
    case = replace(case, run=case.run.model_copy(update=asked))
    found = {e.subject for e in errors_of(alone, landmarks, truth, case) if e.value == 1.0}
    assert found == missing


def test_a_fracture_that_was_not_measured_is_wrong(needles):
    plan, *rest = needles
    assert wrong({**plan, "measurements": []}, *rest) == {"height"}


# -- knees ----------------------------------------------------------------------------------------

SLOPE = np.radians(5.0)


@pytest.fixture(scope="module")
def knee():
    """Both cuts of a left leg by its true axes; a left one, because a mirror image shows there."""
    case = recipe("leg_valgus", "knee")
    leg, truth = posed_legs(case.definition)["left"], legs_truth(case.definition)
    marks = {
        bone: {name: dict(mark) for name, mark in own.items() if name != "shaft"}
        for bone, own in truth["landmarks"]["bones"].items()
    }
    tibia = leg.patient_from_tibia
    for name, local in (("plateau_centre", (0, 0, 0)), ("tubercle_medial_third", (0, -39, -37))):
        marks["tibia_left"][name] = {"position_mm": moved(tibia, np.array(local)).tolist()}
    down = -leg.patient_from_femur[:3, 2]
    stay = np.array(marks["femur_left"]["distal_condyle_medial"]["position_mm"]) - 7.0 * down
    up = tibia[:3, :3] @ (0.0, np.sin(SLOPE), np.cos(SLOPE))
    cuts = [
        cut("distal_femur_left", "femur_left", stay + 0.65 * down, down),
        cut("proximal_tibia_left", "tibia_left", tibia[:3, 3], up),
    ]
    told = [{"name": n, "value": v} for n, v in truth["measurements"].items()]
    plan = {"procedure": "knee", "cuts": cuts, "measurements": told, "warnings": []}
    return plan, {"bones": marks}, truth, case


def cut(name, bone, origin, normal):
    """One cut as in plan.json."""
    at = [float(x) for x in origin]
    return {"name": name, "bone": bone, "origin_mm": at, "normal": list(normal), "kerf_mm": 1.3}


def with_cut(knee, n, **changes):
    """The same plan with one cut changed."""
    plan, *rest = knee
    cuts = list(plan["cuts"])
    cuts[n] = {**cuts[n], **changes}
    return ({**plan, "cuts": cuts}, *rest)


def test_cuts_by_the_true_axes_have_no_errors(knee):
    assert wrong(*knee) == set()
    wanted = {"HKA", "FTA", "cut_angle", "stated_angle", "resection", "rotation_to_PCA"}
    wanted |= {
        "rotation_to_TEA",
        "bone_missing",
        "head_centre",
        "ankle_centre",
        "landmark",
        "flat_landmark",
    }
    assert seen(*knee) == wanted


@pytest.mark.parametrize(
    "name, off, quantity",
    [
        ("HKA_left", 0.6, "HKA"),
        ("FTA_left", -0.6, "FTA"),
        ("LTC_left", 0.2, "stated_angle"),
        ("femoral_rotation_to_PCA_left", 1.6, "rotation_to_PCA"),
        ("femoral_rotation_to_TEA_left", 2.6, "rotation_to_TEA"),
        ("resection_distal_lateral_left", 0.6, "resection"),
    ],
)
def test_each_measurement_of_a_leg_can_be_wrong(knee, name, off, quantity):
    plan, *rest = knee
    true = rest[1]["measurements"][name]
    told = [m for m in plan["measurements"] if m["name"] != name]
    told.append({"name": name, "value": true + off})
    assert quantity in wrong({**plan, "measurements": told}, *rest)


@pytest.mark.parametrize("n", [0, 1])
@pytest.mark.parametrize("about", [0, 1])
def test_a_cut_that_leans_by_half_a_degree_more_is_wrong(knee, n, about):
    case = knee[3]
    leg = posed_legs(case.definition)["left"]
    place = leg.patient_from_tibia if n else leg.patient_from_femur
    normal = np.array(knee[0]["cuts"][n]["normal"]) + np.tan(np.radians(0.7)) * place[:3, about]
    found = wrong(*with_cut(knee, n, normal=list(normal / np.linalg.norm(normal))))
    assert "cut_angle" in found


def test_a_cut_that_takes_more_than_it_says_is_wrong(knee):
    plan, _, _, _ = knee
    origin = np.subtract(plan["cuts"][0]["origin_mm"], 0.6 * np.array(plan["cuts"][0]["normal"]))
    assert wrong(*with_cut(knee, 0, origin_mm=list(origin))) == {"resection"}


def test_a_leg_of_the_other_side_is_wrong(knee):
    assert "level_name" in wrong(*with_cut(knee, 0, bone="femur_right"))


def test_a_bone_about_its_shaft_is_not_held_to_the_mechanical_axis(knee):
    plan, *rest = with_cut(knee, 0, normal=[0.1, 0.0, -0.995])
    assert "cut_angle" in wrong(plan, *rest)
    told = [{"code": "anatomical_axis", "subject": "femur_left"}]
    assert "cut_angle" not in wrong({**plan, "warnings": told}, *rest)


@pytest.mark.parametrize(
    "bone, name, far, quantity",
    [
        ("femur_left", "femoral_head_centre", 0.6, "head_centre"),
        ("tibia_left", "ankle_centre", 1.1, "ankle_centre"),
        ("femur_left", "medial_epicondyle", 3.1, "landmark"),
        ("femur_left", "distal_condyle_lateral", 4.6, "flat_landmark"),
    ],
)
def test_each_landmark_can_be_off(knee, bone, name, far, quantity):
    plan, landmarks, truth, case = knee
    mark = landmarks["bones"][bone][name]
    off = {**mark, "position_mm": np.add(mark["position_mm"], (far, 0, 0)).tolist()}
    bones = {**landmarks["bones"], bone: {**landmarks["bones"][bone], name: off}}
    assert wrong(plan, {"bones": bones}, truth, case) == {quantity}


@pytest.mark.parametrize("n", [0, 1])
def test_a_bone_that_is_not_planned_has_to_be_said(knee, n):
    plan, *rest = knee
    alone = {**plan, "cuts": [plan["cuts"][1 - n]]}
    assert wrong(alone, *rest) == {"bone_missing"}
    told = [{"code": "bone_not_planned", "subject": plan["cuts"][n]["bone"]}]
    assert wrong({**alone, "warnings": told}, *rest) == set()


@pytest.mark.parametrize("side, missing", [("left", 0), ("right", 2), ("both", 2)])
def test_each_leg_that_was_asked_for_is_planned(knee, side, missing):
    plan, landmarks, truth, _ = knee
    case = recipe("leg_varus", "knee")
    case = replace(case, run=case.run.model_copy(update={"side": side}))
    errors = errors_of(plan, landmarks, truth, case)
    lost = [e.subject for e in errors if e.quantity == "bone_missing" and not e.within]
    assert lost == ["femur_right", "tibia_right"][:missing]


@pytest.mark.parametrize(
    "name, quantity",
    [
        *(("HKA", "HKA"), ("FTA", "FTA"), ("LFC", "cut_angle"), ("FTC", "cut_angle")),
        *(("tibial_rotation", "stated_angle"), ("femoral_rotation_to_PCA", "rotation_to_PCA")),
        ("resection_distal_medial", "resection"),
    ],
)
def test_a_measurement_of_a_leg_that_is_not_told_is_wrong(knee, name, quantity):
    plan, *rest = knee
    told = [item for item in plan["measurements"] if item["name"] != f"{name}_left"]
    assert wrong({**plan, "measurements": told}, *rest) == {quantity}


def test_a_leg_about_a_shaft_need_not_tell_its_axes(knee):
    plan, *rest = knee
    told = [item for item in plan["measurements"] if item["name"] != "HKA_left"]
    warned = [{"code": "anatomical_axis", "subject": "femur_left"}]
    assert wrong({**plan, "measurements": told, "warnings": warned}, *rest) == set()


def test_a_landmark_of_a_planned_bone_that_is_missing_is_wrong(knee):
    plan, landmarks, truth, case = knee
    tibia = {n: m for n, m in landmarks["bones"]["tibia_left"].items() if "malleolus_l" not in n}
    bones = {"bones": {**landmarks["bones"], "tibia_left": tibia}}
    assert wrong(plan, bones, truth, case) == {"landmark"}
    told = [{"code": "no_lateral_malleolus", "subject": "tibia_left"}]
    assert wrong({**plan, "warnings": told}, bones, truth, case) == set()
