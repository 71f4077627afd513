"""A plan of needles that was changed by hand and approved again."""

from dataclasses import replace

import numpy as np
import pytest

from guidegen.checks.breach import check_breach
from guidegen.checks.every import REHEARSAL_CHECKS
from guidegen.errors import PlanError
from guidegen.model.case import Case
from guidegen.model.frames import PATIENT, Pose
from guidegen.model.landmarks import Landmark, Landmarks
from guidegen.model.level import Level
from guidegen.model.notice import Notice
from guidegen.model.plan import Plan, Skipped
from guidegen.model.volume import CTVolume, Grid, ScanInfo
from guidegen.planning.line import angles_deg
from guidegen.procedures.kyphoplasty.again import (
    back_of,
    require_own_numbers,
    template_again,
)
from guidegen.procedures.kyphoplasty.skin import from_the_skin
from guidegen.procedures.kyphoplasty.template import NOT_PRONE

from .test_kyphoplasty import POSE, box_skin, needle, settings

ACCEPTED = Notice("posture_accepted", "made all the same", "template", red=True)
SKIN_TEMPLATE = {"kind": "skin", "words": []}


def marks(name="L3", tilt=0.0):
    """Landmarks of a level whose frame leans forward."""
    turn = np.radians(tilt)
    axes = np.array(
        [[1, 0, 0], [0, np.cos(turn), -np.sin(turn)], [0, np.sin(turn), np.cos(turn)]], dtype=float
    )
    pose = Pose.from_axes(axes, POSE.origin_mm, PATIENT, name)
    tip = Landmark("spinous_tip", np.array([0.0, 45.0, 0.0]), 0.5, "seen")
    return Landmarks(name, pose, (tip,))


def case(position="HFP", table="front", warnings=(), template=SKIN_TEMPLATE, **further):
    """A plan of one needle as the planner writes it."""
    grid = Grid(np.diag([5.0, 5.0, 5.0, 1.0]), (4, 4, 4))
    info = ScanInfo("dicom", patient_position=position, table=table)
    volume = CTVolume(np.zeros((4, 4, 4), np.int16), grid, info)
    sets = (marks(),)
    level = Level("L3", POSE, (-20.0, 20.0))
    extra = {"template": template, "posture": {"prone": True, "sentence": "as if"}}
    plan = Plan("case", "kyphoplasty", "", "", "", warnings=warnings, extra=extra)
    whole = Case(plan, volume, (box_skin(),), (level,), sets)
    whole = replace(whole, plan=replace(plan, paths=(needle(),)))
    made = from_the_skin(needle(), back_of(whole), 200.0)
    axial, sagittal = angles_deg(made.direction, 1.0)
    made = replace(made, axial_angle_deg=axial, sagittal_angle_deg=sagittal)
    return replace(whole, plan=replace(plan, paths=(replace(made, **further),)))


def test_the_plan_as_it_was_made_stands():
    whole = case()
    require_own_numbers(whole, settings())
    assert template_again(whole, settings()).kind == "skin"
    assert template_again(case(template=None), settings()).kind == "none"


@pytest.mark.parametrize(
    ("position", "table"), [("HFS", "back"), ("HFS", None), ("", ""), ("HFP", "back")]
)
def test_a_skin_template_written_into_the_plan_is_refused_unless_prone(position, table):
    """Whatever plan.json says of the posture: the scan's own facts decide."""
    with pytest.raises(PlanError, match=r"wants a skin template, but .* plan the case again"):
        template_again(case(position, table), settings())
    accepted = template_again(case(position, table, (ACCEPTED,)), settings())
    assert accepted.words == (NOT_PRONE,)


def test_a_warning_that_is_not_red_any_more_accepts_nothing():
    pale = replace(ACCEPTED, red=False)
    with pytest.raises(PlanError):
        template_again(case("HFS", "", (pale,)), settings())


def test_a_template_of_another_kind_than_the_settings_is_refused():
    for kind in ("bone", "none"):
        with pytest.raises(PlanError, match="wants a skin template"):
            template_again(case(), settings(kind))


TIP = np.array([12.0, -20.0, 3.0])


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"tip_mm": TIP}, "axial_angle_deg"),
        ({"sagittal_angle_deg": 0.0}, "sagittal_angle_deg"),
        ({"axial_angle_deg": None}, "axial_angle_deg"),
        ({"side": "right"}, "axial_angle_deg"),
        ({"skin_mm": np.array([36.0, 60.0, -4.0])}, "skin_mm"),
    ],
)
def test_numbers_that_are_not_those_of_the_needle_are_refused(change, named):
    with pytest.raises(PlanError, match=f"L3_left: {named} in plan.json"):
        require_own_numbers(case(**change), settings())


@pytest.mark.parametrize(
    "name",
    [
        *("skin_to_bone_mm", "skin_to_tip_mm", "skin_to_midline_mm"),
        *("medial_inclination_deg", "cranial_caudal_deg"),
    ],
)
def test_depths_and_angles_from_the_skin_are_measured_again(name):
    whole = case()
    (path,) = whole.plan.paths
    assert name in path.extra
    for value in (path.extra[name] + 1.5, -1.0 - path.extra[name]):
        wrong = replace(path, extra={**path.extra, name: value})
        with pytest.raises(PlanError, match=name):
            require_own_numbers(
                replace(whole, plan=replace(whole.plan, paths=(wrong,))), settings()
            )


def test_a_needle_on_a_level_without_landmarks_is_refused():
    with pytest.raises(PlanError, match="without landmarks"):
        require_own_numbers(replace(case(), landmarks=(marks("L2"),)), settings())


def test_the_back_is_seen_from_the_middle_of_all_chosen_levels_also_of_those_without_a_needle():
    whole = case()
    skipped = tuple(Skipped(f"{n}_left", n, "left", "narrow_pedicle") for n in ("T12", "L1"))
    sets = (marks("T12", 30.0), marks("L1", 15.0), marks())
    levels = tuple(Level(m.bone, m.patient_from_bone, (-20.0, 20.0)) for m in sets)
    plan = replace(whole.plan, skipped=skipped)
    found = back_of(replace(whole, plan=plan, landmarks=sets, levels=levels))
    assert found.frame.source == "L1"
    assert back_of(replace(whole, landmarks=sets, levels=levels)).frame.source == "L3"


def test_a_needle_moved_out_of_the_pedicle_fails_the_model_too():
    """Where no template is made the model alone stands for the plan."""
    assert check_breach in REHEARSAL_CHECKS


def test_a_route_that_was_not_planned_is_refused():
    with pytest.raises(PlanError, match="planned transpedicular"):
        require_own_numbers(case(route="extrapedicular"), settings())


@pytest.mark.parametrize("diameter", [2.0, 40.0])
def test_a_needle_of_a_size_that_is_not_planned_is_refused(diameter):
    with pytest.raises(PlanError, match=f"{diameter:g} mm thick in plan.json; needles of 3 to 4.5"):
        require_own_numbers(case(diameter_mm=diameter), settings())
