import dataclasses

import numpy as np
import pytest

from guidegen.anatomy.spine import choose_levels
from guidegen.errors import AnatomyError
from guidegen.model.frames import PATIENT, Pose
from guidegen.model.level import Level, Spine
from guidegen.model.notice import Notice
from guidegen.model.volume import Grid, LabelMap


def spine(names, cut=(), anchored=True):
    pose = Pose(np.eye(4), PATIENT, "level")
    levels = tuple(Level(n, pose, (-10.0, 10.0), n not in cut) for n in names)
    labels = LabelMap(np.zeros((2, 2, 2), dtype=np.uint16), Grid(np.eye(4), (2, 2, 2)), {})
    return Spine(labels, levels, np.zeros((2, 3)), anchored=anchored)


LUMBAR = spine(("T11", "T12", "L1", "L2", "L3", "S1"), cut=("T11",))


@pytest.mark.parametrize(
    ("spec", "names"),
    [
        (None, ("T12", "L1", "L2", "L3")),
        ("L1,L3", ("L1", "L3")),
        ("t12-l2", ("T12", "L1", "L2")),
        ("L2-T12", ("T12", "L1", "L2")),
        ("L3,S1,L3", ("L3", "S1")),
        (" T12 - L1 , L3 ", ("T12", "L1", "L3")),
    ],
)
def test_levels_are_chosen_head_to_foot(spec, names):
    assert choose_levels(spec, LUMBAR) == names


def test_the_neck_is_planned_only_when_named():
    upper = spine(("C6", "C7", "T1", "T2"))
    assert choose_levels(None, upper) == ("T1", "T2")
    assert choose_levels("C7-T1", upper) == ("C7", "T1")


def test_unknown_level_lists_what_is_in_view():
    with pytest.raises(AnatomyError, match=r"L5 .*in view: T11 \(cut off\), T12, L1"):
        choose_levels("L5", LUMBAR)


def test_cut_off_level_is_refused():
    with pytest.raises(AnatomyError, match="T11 was asked for but is cut off"):
        choose_levels("T11-L1", LUMBAR)


def test_unanchored_levels_are_chosen_by_their_own_names():
    unnamed = spine(("V1", "V2"), anchored=False)
    assert choose_levels("V2", unnamed) == ("V2",)
    with pytest.raises(AnatomyError, match="--lowest-level"):
        choose_levels("L1", unnamed)


def test_no_complete_vertebra():
    with pytest.raises(AnatomyError, match="no complete vertebra"):
        choose_levels(None, spine(("T1",), cut=("T1",)))


def test_level_whose_shell_leaked_is_refused_for_that_reason():
    whole = spine(("L1", "L2", "L3"), cut=("L2",))
    why = "L2's body should be solid"
    leaked = dataclasses.replace(whole, notices=(Notice("open_shell", why, "L2", red=True),))
    with pytest.raises(AnatomyError, match=why):
        choose_levels("L1-L2", leaked)
    with pytest.raises(AnatomyError, match=r"in view: L1, L2 \(not solid\), L3"):
        choose_levels("L5", leaked)
    assert choose_levels(None, leaked) == ("L1", "L3")
