"""The rules of puncture templates: the sleeve stands on the skin, wires have no side."""

from dataclasses import replace

import numpy as np
import pytest
from manifold3d import Manifold

from guidegen.checks.bore import check_bores, check_drill, check_side, check_sleeves
from guidegen.checks.breach import check_breach
from guidegen.checks.every import BONE_TEMPLATE_CHECKS, SKIN_TEMPLATE_CHECKS, run_checks
from guidegen.checks.fit import check_contact, check_overlap
from guidegen.checks.label import check_label, check_side_marks
from guidegen.checks.removal import check_removal
from tests.unit.checks.specimen import arrays, box
from tests.unit.checks.template_specimen import (
    NEEDLES,
    OUT,
    SKIN_Y,
    WIRES,
    TemplateFaults,
    bar,
    block,
    skin,
    template,
)


def failed(findings):
    return {f.code for f in findings if not f.passed}


def values(findings, code):
    return [f.value for f in findings if f.code == code]


def test_a_sound_template_on_skin_passes_everything():
    found = run_checks(template(), SKIN_TEMPLATE_CHECKS)
    assert failed(found) == set()
    assert "docking" not in {f.code for f in found}
    assert {f.subject for f in found if f.code == "overlap"} >= {"guides/template_skin.stl#skin"}


def test_a_sound_template_on_wires_passes_everything():
    found = run_checks(bar(), BONE_TEMPLATE_CHECKS)
    assert failed(found) == set()
    assert {f.subject.split("#")[1] for f in found if f.code == "overlap"} == {"L3", "skin"}
    assert len(values(found, "bore_side")) == 2 and len(values(found, "stand_off")) == 2


def deeper(by_mm):
    return tuple(replace(p, skin_mm=p.skin_mm + by_mm * p.direction) for p in NEEDLES)


def test_the_way_to_the_skin_is_judged_not_the_way_to_the_bone():
    assert max(values(check_sleeves(template()), "foot_gap")) < 3.0
    assert "foot_gap" in failed(check_sleeves(template(planned=deeper(21.0))))
    bare = tuple(replace(p, skin_mm=None) for p in NEEDLES)
    assert min(values(check_sleeves(template(planned=bare)), "foot_gap")) > 40
    assert "foot_gap" in failed(check_sleeves(template(planned=bare)))


def test_the_way_of_a_wire_is_judged_where_its_axis_meets_the_skin():
    """Also where the plan does not say where that is."""
    bare = tuple(replace(p, skin_mm=None) for p in WIRES)
    known = values(check_sleeves(bar()), "foot_gap")
    found = check_sleeves(bar(planned=(*NEEDLES, *bare)))
    assert values(found, "foot_gap") == pytest.approx(known, abs=1e-3)
    assert failed(found) == set()
    deep = (skin(high_y=SKIN_Y - 15.0), block())
    assert "foot_gap" in failed(check_sleeves(bar(planned=(*NEEDLES, *bare), bones=deep)))


def test_the_bore_goes_through_the_planned_point_of_the_skin():
    assert failed(check_bores(template())) == set()
    assert "bore_offset_skin" in failed(
        check_bores(template(TemplateFaults(bore_shift=(0.1, 0, 0))))
    )
    aside = tuple(replace(p, skin_mm=np.add(p.skin_mm, [0, 0, 0.1])) for p in NEEDLES)
    assert failed(check_bores(template(planned=aside))) == {"bore_offset_skin"}
    assert "bore_offset_skin" not in {
        f.code
        for f in check_bores(template(planned=tuple(replace(p, skin_mm=None) for p in aside)))
    }


def test_a_needle_touches_nothing_down_to_its_tip():
    assert failed(check_drill(template())) == set()
    assert "drill_play" in failed(check_drill(template(TemplateFaults(bore_shift=(0.2, 0, 0)))))


def test_needles_have_sides_and_wires_have_none():
    assert len(check_side(bar())) == 2 and failed(check_side(bar())) == set()
    unnamed = (replace(NEEDLES[0], side=""), NEEDLES[1])
    assert failed(check_side(template(planned=unnamed))) == {"bore_side"}
    swapped = tuple(replace(p, side="right" if p.side == "left" else "left") for p in NEEDLES)
    assert len([f for f in check_side(template(planned=swapped)) if not f.passed]) == 2


def test_a_needle_that_enters_the_skin_beyond_the_midline_fails():
    crossing = replace(NEEDLES[0], skin_mm=NEEDLES[0].skin_mm * [-1, 1, 1])
    way = crossing.entry_mm - crossing.skin_mm
    crossing = replace(crossing, tip_mm=crossing.entry_mm + 0.6 * way)
    assert crossing.entry_mm[0] > 1 and crossing.skin_mm[0] < -1
    assert failed(check_side(template(paths=(crossing,)))) == {"bore_side"}


def test_a_needle_may_not_leave_the_bone():
    """A screw may by 2 mm, so the same bore passes as a screw's."""
    narrow = (skin(), block(half_x=21.9))
    found = check_breach(template(bones=narrow))
    assert failed(found) == {"breach"} and 0.1 < max(f.value for f in found) < 2.0
    screws = tuple(replace(p, kind="screw") for p in NEEDLES)
    assert failed(check_breach(template(bones=narrow, planned=screws))) == set()
    aside = tuple(replace(p, route="extrapedicular") for p in NEEDLES)
    assert check_breach(template(bones=narrow, planned=aside)) == ()


def test_the_axis_of_a_wire_stays_in_bone():
    assert failed(check_breach(bar())) == set()
    thin = (skin(), bone_of(box((0.3, -20, -24), (30, 20, 24)) + box((-28, -20, -24), (28, 5, 24))))
    found = [f for f in check_breach(bar(bones=thin)) if "kwire" in f.subject]
    assert {f.limit for f in found} == {0.9}
    assert [f.passed for f in found] == [False, False]


def bone_of(solid: Manifold):
    return replace(block(), vertices_mm=arrays(solid)[0], faces=arrays(solid)[1])


def test_overlap_and_removal_are_held_against_the_skin():
    assert "overlap" in failed(check_overlap(template(TemplateFaults(gap=-0.1))))
    hill = box((-80, -80, -70), (80, 60, 70)) + box((44, 50, -12), (60, 80, 12))
    hill += box((30, 76, -12), (60, 80, 12))
    over = (bone_of(hill), block())
    over = (replace(over[0], name="skin"), block())
    assert "removal" in failed(check_removal(template(bones=over)))
    assert "removal" in failed(check_removal(bar(bones=over)))


def test_the_gap_is_measured_under_the_plate():
    assert failed(check_contact(template())) == set()
    assert "gap_typical" in failed(check_contact(template(TemplateFaults(gap=0.9))))
    assert "gap_tight" in failed(check_contact(template(TemplateFaults(gap=0.2))))


def test_side_marks_are_judged_from_the_bone_not_from_where_the_scan_ends():
    lopsided = (skin(low_x=-52.0, high_x=300.0), block())
    assert failed(check_side_marks(template(bones=lopsided))) == set()
    assert "side_mark_side" in failed(check_side_marks(template(bones=(skin(20.0, 300.0),))))


def test_a_step_beside_the_label_is_no_text():
    assert failed(check_label(template(TemplateFaults(step_beside_label=True)))) == set()
    blank = TemplateFaults(step_beside_label=True, label=False)
    assert {"label_depth", "label_share"} <= failed(check_label(template(blank)))


@pytest.mark.parametrize("turn_deg", [-35.0, 30.0])
def test_left_stays_left_in_a_patient_who_lies_turned(turn_deg):
    a = np.radians(turn_deg)
    rotation = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    part = template()
    turned = replace(
        part,
        guide=replace(
            part.guide,
            vertices_mm=part.guide.vertices_mm @ rotation.T,
            insertion_direction=rotation @ -OUT,
            patient_from_guide=None,
            features=tuple(
                replace(f, point_mm=rotation @ f.point_mm, direction=rotation @ f.direction)
                for f in part.guide.features
            ),
        ),
        bones=tuple(replace(b, vertices_mm=b.vertices_mm @ rotation.T) for b in part.bones),
        paths=tuple(
            replace(
                p,
                entry_mm=rotation @ p.entry_mm,
                tip_mm=rotation @ p.tip_mm,
                skin_mm=rotation @ p.skin_mm,
            )
            for p in part.paths
        ),
    )
    assert failed(check_side(turned)) == set()
    assert failed(check_side_marks(turned)) == set()
    assert failed(check_bores(turned)) == set()


def test_wires_are_bores_of_their_own():
    assert values(check_bores(bar()), "bores") == [4]
    assert "bores" in failed(check_bores(bar(planned=(*NEEDLES, WIRES[0]))))
