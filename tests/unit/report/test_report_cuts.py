"""What the report says of saw cuts, and that pins are no screws."""

from dataclasses import replace

import numpy as np
import pytest

from guidegen.model.notice import Notice
from guidegen.model.plan import Cut, Measurement, Path
from guidegen.report.cuts import cuts_section
from guidegen.report.head import head_section
from guidegen.report.html import render_report
from guidegen.report.overview import overview_figures
from guidegen.report.tables import plan_section

VALUES = {
    "HKA_left": 176.4,
    "FTA_left": 171.2,
    "FFC_left": 91.5,
    "LFC_left": 3.0,
    "FTC_left": 89.0,
    "LTC_left": 84.5,
    "resection_distal_medial_left": 7.1,
    "resection_distal_lateral_left": 5.2,
    "resection_plateau_medial_left": 2.3,
    "resection_plateau_lateral_left": 8.4,
}


@pytest.fixture
def knee(case):
    """The page's case, with a femur and a tibia in place of two of its bones."""
    names = ("femur_left", "tibia_left")
    bones = tuple(
        replace(bone, name=name) for bone, name in zip(case.bones[:2], names, strict=True)
    )
    cuts = tuple(
        Cut(f"{part}_{bone.name}", bone.name, bone.vertices_mm.mean(axis=0), (0, 0, 1.0), 1.3)
        for part, bone in zip(("distal", "proximal"), bones, strict=True)
    )
    pin = Path(
        "femur_left_pin_1",
        "femur_left",
        "pin",
        "",
        bones[0].vertices_mm.mean(axis=0),
        bones[0].vertices_mm.mean(axis=0) + np.array([0.0, 25.0, 0.0]),
        3.2,
    )
    red = Notice("anatomical_axis", "the hip is out of view", "femur_left", True)
    planes = {"anterior_femur_left": {"point_mm": [1.0, 2.0, 3.0], "normal": [0.0, -1.0, 0.0]}}
    plan = replace(
        case.plan,
        paths=(pin,),
        skipped=(),
        cuts=cuts,
        measurements=tuple(Measurement(n, v, "deg") for n, v in VALUES.items()),
        warnings=(red,),
        extra={**case.plan.extra, "planes": planes, "axis": "anatomical"},
    )
    return replace(case, bones=bones, landmarks=(), guides=(), plan=plan, levels=(), checks=None)


def test_each_cut_has_its_own_bones_numbers(knee):
    rows = cuts_section(knee).content["rows"]
    femur, tibia = rows
    assert (femur["frontal"], femur["sagittal"]) == ("FFC 91.5", "LFC 3.0")
    assert (femur["medial"], femur["lateral"]) == ("7.1", "5.2")
    assert (tibia["frontal"], tibia["sagittal"]) == ("FTC 89.0", "LTC 84.5")
    assert (tibia["medial"], tibia["lateral"]) == ("2.3", "8.4")


def test_a_bone_planned_about_its_shaft_is_marked_and_the_other_is_not(knee):
    femur, tibia = cuts_section(knee).content["rows"]
    assert femur["warn"] and "anatomical" in femur["axis"]
    assert not tibia["warn"] and tibia["axis"] == "mechanical"
    facts = {fact.label: fact for fact in head_section(knee).content["facts"]}
    assert facts["cuts"].value == "2" and facts["cuts"].tone == "bad"
    assert "anatomical" in facts["cuts"].note


def test_further_planes_and_the_legs_alignment_are_told(knee):
    content = cuts_section(knee).content
    assert [plane["name"] for plane in content["planes"]] == ["anterior femur left"]
    assert [(leg["name"], leg["value"]) for leg in content["alignment"]] == [
        ("HKA left", "176.4"),
        ("FTA left", "171.2"),
    ]


def test_a_spine_has_no_cuts(case):
    assert cuts_section(case) is None
    assert overview_figures(case)[0].caption == "From behind"


def test_a_knee_is_seen_from_the_front_and_its_pins_have_no_grade(knee):
    front = overview_figures(knee)[0]
    assert front.caption == "From the front"
    assert (front.marks["left"], front.marks["right"]) == ("R", "L")
    assert plan_section(knee).template == "pins.html.j2"
    page = render_report(knee)
    assert "Gertzbein" not in page and "femur left pin 1" in page


def test_names_of_bones_do_not_lie_on_each_other(knee):
    close = tuple(
        replace(bone, vertices_mm=bone.vertices_mm - bone.vertices_mm.mean(axis=0))
        for bone in knee.bones
    )
    heights = sorted(n.y for n in overview_figures(replace(knee, bones=close))[0].notes)
    assert np.diff(heights).min() >= 16.0
