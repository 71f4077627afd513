"""Models to rehearse on: a sound one passes, and what is measured is what is there."""

from dataclasses import replace

import numpy as np
import pytest

from guidegen.checks.bore import check_bores
from guidegen.checks.every import MODEL_CHECKS, REHEARSAL_CHECKS, run_checks
from guidegen.checks.label import check_side_marks
from guidegen.checks.part import Limits
from guidegen.checks.rehearsal import check_channels, check_fidelity, check_foot
from tests.unit.checks.rehearsal_specimen import ModelFaults, rehearsal
from tests.unit.checks.specimen import bone, box


def failed(findings):
    return {f.code for f in findings if not f.passed}


def values(findings, code):
    return [f.value for f in findings if f.code == code]


@pytest.fixture(scope="module")
def sound():
    return run_checks(rehearsal(), REHEARSAL_CHECKS)


def test_a_sound_model_passes_everything(sound):
    assert failed(sound) == set()
    seen = {f.code for f in sound}
    assert seen >= {"min_wall", "bore_angle", "bore_offset_entry", "bore_diameter", "label_depth"}
    assert seen >= {"channel_play", "channel_open", "model_surface", "model_lacks", "foot_tilt"}
    assert {f.subject.split("#")[0] for f in sound} == {"models/L3.stl"}


def test_a_copy_of_a_bone_has_no_wall_to_check(sound):
    copy = replace(rehearsal(), limits=Limits(min_wall_mm=None))
    assert "min_wall" not in {f.code for f in run_checks(copy, MODEL_CHECKS)}
    thin = replace(rehearsal(), limits=Limits(min_wall_mm=9.0))
    assert "min_wall" in failed(run_checks(thin, ()))


def test_the_play_of_a_rod_is_what_the_channel_leaves(sound):
    assert values(sound, "channel_play") == pytest.approx([0.3, 0.3], abs=0.005)
    off = check_channels(rehearsal(ModelFaults(bore_shift=(0.0, 0.0, 0.1))))
    assert values(off, "channel_play") == pytest.approx([0.1, 0.1], abs=0.01)
    subjects = [f.subject for f in off if f.code == "channel_play"]
    assert subjects == ["models/L3.stl#L3_left", "models/L3.stl#L3_right"]


def test_a_channel_off_its_path_is_found():
    moved = check_bores(rehearsal(ModelFaults(bore_shift=(0.0, 0.0, 0.07))))
    assert "bore_offset_entry" in failed(moved)
    assert "bore_diameter" in failed(check_bores(rehearsal(ModelFaults(bore_mm=4.2))))
    assert "bore_angle" in failed(check_bores(rehearsal(ModelFaults(channels=("left",)))))


def test_joints_and_channels_do_not_count_as_missing_bone():
    beside = bone("L2", box((-30, -20, 24.5), (30, 6, 40)))
    part = rehearsal(bones=(bone(), beside), neighbours=("L2",))
    assert failed(check_fidelity(part)) == set()
    lost = values(check_fidelity(rehearsal(ModelFaults(bitten=True))), "model_lacks")
    assert lost[0] == pytest.approx(0.05, abs=0.03)


def test_tilt_is_the_angle_at_which_it_falls(sound):
    part = rehearsal(ModelFaults(small_foot=True))
    tilt = values(check_foot(part), "foot_tilt")[0]
    middle = part.surface.solid.centre_mm
    room = min(6 - abs(middle[0]), middle[1] + 15, -5 - middle[1])
    assert tilt == pytest.approx(np.degrees(np.arctan2(room, middle[2] + 32)), abs=0.01)
    assert values(sound, "foot_tilt")[0] > 20


def test_marks_on_the_wrong_side_fail_even_of_a_turned_patient():
    part = rehearsal()
    turn = np.radians(40)
    way = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])

    def turned(swap):
        names = {"L": "R", "R": "L"} if swap else {}
        moved = tuple(
            replace(
                f,
                item=names.get(f.item, f.item),
                point_mm=way @ f.point_mm,
                direction=way @ f.direction,
            )
            for f in part.guide.features
        )
        made = replace(part.guide, vertices_mm=part.guide.vertices_mm @ way.T, features=moved)
        return [f for f in check_side_marks(replace(part, guide=made)) if "side" in f.code]

    assert failed(turned(swap=False)) == set()
    assert failed(turned(swap=True)) == {"side_mark_read", "side_mark_side"}


def test_mirrored_marks_on_the_foot_fail():
    assert "side_mark_read" in failed(check_side_marks(rehearsal(ModelFaults(mirrored=True))))
