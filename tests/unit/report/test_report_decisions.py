"""Approvals, changes by hand, settings and methods as the report tells them."""

from dataclasses import replace

import numpy as np
import pytest

from guidegen.model.case import Approval, Change, SettingRow
from guidegen.model.frames import PATIENT, Pose
from guidegen.model.landmarks import Landmark, Landmarks
from guidegen.model.level import Level
from guidegen.model.plan import Measurement
from guidegen.procedures.registry import PROCEDURES
from guidegen.report.alignment import alignment_section
from guidegen.report.decisions import decisions_section
from guidegen.report.html import render_report
from guidegen.report.provenance import methods_section, settings_section


def test_accepted_warnings_with_their_sentences(build):
    keys = ("unanchored_levels:series", "gone:series")
    approval = Approval("Dr. Roe", "2026-01-02T03:04:05+00:00", "4f9a", keys)
    rows = decisions_section(build(approval=approval)).content["accepted"]
    assert rows[0]["message"] == "No rib-free level is in view."
    assert rows[1]["message"] == "is no warning of this plan any more"


def test_what_is_not_as_it_was_planned(case, build):
    path = case.plan.paths[0]
    was = {"diameter_mm": path.diameter_mm + 1.0, "tip_mm": path.tip_mm, "grade": path.grade}
    edited = replace(path, extra={**path.extra, "edited": True, "automatic": was})
    plan = replace(case.plan, paths=(edited, *case.plan.paths[1:]))
    (row,) = decisions_section(build(plan=plan)).content["edited"]
    assert row["what"] == "diameter" and row["unit"] == "mm"
    assert float(row["before"]) == pytest.approx(float(row["after"]) + 1.0)
    unmarked = replace(path, extra={"automatic": was})
    plain = replace(case.plan, paths=(unmarked, *case.plan.paths[1:]))
    assert decisions_section(build(plan=plain)).content["edited"] == []


def test_the_history_is_told(build):
    history = (Change("2026-01-02T03:04:05+00:00", "A. <b>Surgeon", "diameter_mm 5", "L3_left"),)
    text = render_report(build(history=history))
    assert "A. &lt;b&gt;Surgeon" in text and "diameter mm 5" in text and "L3 left" in text
    assert "this is the automatic plan" in render_report(build())


def test_settings_that_differ_come_first(build):
    usual = SettingRow("fit_gap_mm", "0.2", "mm", "use", "0.2")
    own = SettingRow("wall_mm", "3.0", "mm", "use", "2.0")
    content = settings_section(build(settings=(usual, own))).content
    assert [row["name"] for row in content["differing"]] == ["wall"]
    assert content["differing"][0]["default"] == "2.0"
    assert "Every setting has its default" in render_report(build(settings=(usual,)))


@pytest.mark.parametrize("name", sorted(PROCEDURES))
def test_every_procedure_has_methods_and_knows_its_defaults(name, build):
    procedure = PROCEDURES[name]
    assert len(procedure.methods) >= 4
    assert methods_section(build(methods=procedure.methods)) is not None
    rows = procedure.setting_rows(procedure.settings_type())
    assert rows and not any(row.differs for row in rows)


def axes(side):
    """A leg whose tibia leans 6 deg to the patient's left."""
    x = 90.0 if side == "left" else -90.0
    frame = Pose.from_axes(np.eye(3), (x, 0, 0), PATIENT, side)
    lean = np.radians(6.0)
    ankle = np.array([x + 350 * np.sin(lean), 0.0, -20 - 350 * np.cos(lean)])
    return (
        Landmarks(
            f"femur_{side}",
            frame,
            (
                Landmark("femoral_head_centre", (x, 0.0, 400.0), 0.1, "sphere"),
                Landmark("knee_centre", (x, 0.0, 0.0), 0.1, "notch"),
            ),
        ),
        Landmarks(
            f"tibia_{side}",
            frame,
            (
                Landmark("plateau_centre", (x, 0.0, -20.0), 0.1, "mean"),
                Landmark("ankle_centre", ankle, 0.1, "mean"),
            ),
        ),
    )


def drawn(figure):
    """Ends of the figure's lines, pixels."""
    return [
        np.array([[float(n) for n in part.split()] for part in stroke.d[1:].split("L")])
        for stroke in figure.strokes
    ]


@pytest.mark.parametrize("side", ["left", "right"])
def test_the_axes_of_a_leg_lean_to_the_side_they_lean_to(side, case, parts, build):
    bone = replace(case.bones[0], name=f"femur_{side}")
    hka = Measurement(f"HKA_{side}", 174.0, "deg")
    plan = replace(case.plan, measurements=(hka,))
    section = alignment_section(build(plan=plan, landmarks=axes(side), bones=(bone,), levels=()))
    front, outside = section.content["figures"]
    assert "174.0" in front.caption and front.caption.startswith(side.capitalize())
    assert (front.marks["left"], front.marks["right"]) == ("R", "L")
    _, tibia = drawn(front)
    down = tibia[1] - tibia[0]
    assert np.degrees(np.arctan2(down[0], down[1])) == pytest.approx(6.0, abs=0.2)
    _, beside = drawn(outside)
    assert abs(np.degrees(np.arctan2(*(beside[1] - beside[0])))) < 0.2
    wanted = ("A", "P") if side == "left" else ("P", "A")
    assert (outside.marks["left"], outside.marks["right"]) == wanted


def plates(name, height, lean_deg):
    """A vertebra whose endplates lean to the front by an angle."""
    lean = np.radians(lean_deg)
    up = np.array([0.0, -np.sin(lean), np.cos(lean)])
    frame = Pose.from_axes(np.eye(3), (0, 0, height), PATIENT, name)
    points = tuple(
        Landmark(
            f"{end}_endplate_centre", (0.0, 0.0, height + z), 0.1, "plane", {"normal": tuple(n)}
        )
        for end, z, n in (("superior", 10.0, up), ("inferior", -10.0, -up))
    )
    return Landmarks(name, frame, points)


@pytest.mark.parametrize(("lean", "word"), [(14.0, "kyphosis"), (-14.0, "lordosis")])
def test_the_spines_angle_and_its_name(lean, word, case, build):
    marks = (plates("T7", 40.0, lean), plates("T8", 0.0, 0.0))
    levels = tuple(Level(m.bone, m.patient_from_bone, (-10.0, 10.0)) for m in marks)
    section = alignment_section(build(landmarks=marks, levels=levels))
    (figure,) = section.content["figures"]
    assert f"T7 to T8: 14.0° {word}" in figure.caption
    assert (figure.marks["left"], figure.marks["right"]) == ("A", "P")
    upper = drawn(figure)[0]
    front, back = upper[upper[:, 0].argsort()]
    assert (front[1] > back[1]) == (lean > 0)


def test_nothing_to_align(build):
    assert alignment_section(build()) is None
