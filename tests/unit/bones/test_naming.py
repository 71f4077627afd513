"""Counting levels: what anchors the count, what does not, and what is said."""

import numpy as np
import pytest

from guidegen.bones import naming
from guidegen.bones.naming import ORDER, name_levels
from guidegen.errors import AnatomyError


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch):
    """Name ``ribs`` and ``ala`` as if they had been measured, from foot to head."""

    class Straight:
        hu = None

    class Walls:
        open_below = open_above = True

    def name(ribs, ala, complete, lowest=None, spacing=25.0, beyond=0):
        tall = np.broadcast_to(np.asarray(spacing, dtype=float), len(ribs))
        Walls.foramina_s = np.concatenate([[0.0], np.cumsum(tall)])
        Walls.pedicles_s = Walls.foramina_s[:-1] + tall / 2
        Walls.profile = np.zeros(round(Walls.foramina_s[-1]) + 1 + beyond)
        monkeypatch.setattr(naming, "ribs_of_levels", lambda *_: np.array(ribs))
        monkeypatch.setattr(naming, "ala_of_levels", lambda *_: np.array(ala, dtype=float))
        return name_levels(Straight, Walls, np.array(complete, dtype=bool), lowest)

    return name


def test_sacrum_anchors(seen) -> None:
    result = seen([0, 0, 0], [0.8, 0, 0], [0, 1, 1])
    assert result.names == ("S1", "L5", "L4") and result.anchored and not result.notices


def test_last_ribs_anchor_with_a_complete_rib_free_level_below(seen) -> None:
    assert seen([0, 2, 2], [0, 0, 0], [1, 1, 1]).names == ("L1", "T12", "T11")


def test_last_ribs_do_not_anchor_if_the_level_below_is_cut_off(seen) -> None:
    result = seen([0, 2, 2], [0, 0, 0], [0, 1, 1])
    assert result.names == ("V3", "V2", "V1") and not result.anchored
    assert [n.code for n in result.notices] == ["unanchored_levels"]
    assert result.notices[0].red


def test_first_ribs_anchor_from_above(seen) -> None:
    assert seen([2, 2, 0], [0, 0, 0], [1, 1, 1]).names == ("T2", "T1", "C7")


def test_lowest_level_names_the_lowest_complete_vertebra(seen) -> None:
    result = seen([2, 2, 2, 2], [0] * 4, [0, 1, 1, 1], "T11")
    assert result.names == ("T12", "T11", "T10", "T9") and result.anchored


def test_the_sacrum_is_not_the_lowest_vertebra_unless_it_is_named(seen) -> None:
    result = seen([0, 0, 0, 0], [0.3, 0.8, 0, 0], [1, 1, 1, 1], "L5")
    assert result.names[1:] == ("S1", "L5", "L4")
    assert [(n.code, n.red) for n in result.notices] == [("sacrum_not_counted", False)]
    result = seen([0, 0, 0], [0.8, 0, 0], [1, 1, 1], "S1")
    assert result.names == ("S1", "L5", "L4") and not result.notices
    result = seen([0, 0, 0], [0.8, 0, 0], [1, 1, 1], "L4")
    assert result.names[1] == "L4"
    assert {n.code for n in result.notices} == {"level_count_disagrees", "sacrum_not_counted"}


def test_two_anchors_that_disagree_are_a_red_warning(seen) -> None:
    result = seen([0, 0, 0, 0, 0, 2], [0.8, 0, 0, 0, 0, 0], [0, 1, 1, 1, 1, 1])
    assert result.names[0] == "S1"
    assert [(n.code, n.red) for n in result.notices] == [("level_count_disagrees", True)]


def test_engineers_name_against_the_sacrum_is_a_red_warning(seen) -> None:
    result = seen([0, 0, 0], [0.8, 0, 0], [0, 1, 1], "L4")
    assert result.names[1] == "L4"
    assert result.notices[0].code == "level_count_disagrees"


def test_a_name_that_is_no_vertebra_is_refused(seen) -> None:
    with pytest.raises(AnatomyError, match="--lowest-level"):
        seen([0, 0], [0, 0], [1, 1], "X9")


def test_order_runs_from_head_to_foot() -> None:
    assert ORDER.index("T12") + 1 == ORDER.index("L1") and ORDER[-1] == "S1"


def test_lumbar_sized_levels_are_never_called_cervical(seen) -> None:
    ribs, none = [1, 2, 0, 0, 0], [0] * 5
    result = seen(ribs, none, [0, 1, 1, 1, 0], spacing=33.0)
    assert result.names[0] == "V5" and not result.anchored


def test_one_stray_piece_of_bone_is_no_rib(seen) -> None:
    assert not seen([0, 1, 0, 0], [0] * 4, [1, 1, 1, 1]).anchored


def test_the_sacrum_is_told_by_its_top(seen) -> None:
    assert seen([0] * 4, [0.1, 0.4, 0.8, 0.3], [0, 0, 1, 1]).names[2:] == ("S1", "L5")


ON_SACRUM = [0.8, 0, 0, 0, 0, 0]


def test_levels_missed_between_others_are_not_counted_over(seen) -> None:
    result = seen([0] * 6, ON_SACRUM, [1] * 6, spacing=[30, 32, 33, 64, 31, 30])
    assert result.names == ("V6", "V5", "V4", "V3", "V2", "V1") and not result.anchored
    assert {(n.code, n.red) for n in result.notices} == {
        ("unanchored_levels", True),
        ("uneven_levels", True),
    }


def test_a_level_counted_twice_is_not_counted_over(seen) -> None:
    result = seen([0] * 6, ON_SACRUM, [1] * 6, spacing=[30, 32, 16, 16, 31, 30])
    assert not result.anchored and "uneven_levels" in {n.code for n in result.notices}


def test_canal_without_levels_above_is_told(seen) -> None:
    assert seen([0] * 6, ON_SACRUM, [1] * 6, spacing=30.0, beyond=20).anchored
    result = seen([0] * 6, ON_SACRUM, [1] * 6, spacing=30.0, beyond=60)
    assert not result.anchored and "uneven_levels" in {n.code for n in result.notices}


def test_a_fractured_level_does_not_stop_the_count(seen) -> None:
    assert seen([0] * 6, ON_SACRUM, [1] * 6, spacing=[30, 32, 37, 24, 29, 30]).anchored


def test_an_uneven_count_stays_a_red_warning_though_the_engineer_names_a_level(seen) -> None:
    result = seen([0] * 6, [0] * 6, [1] * 6, "L5", spacing=[30, 32, 33, 64, 31, 30])
    assert result.names[0] == "L5"
    assert [(n.code, n.red) for n in result.notices] == [("uneven_levels", True)]


def test_a_sacrum_with_much_spine_below_it_is_none(seen) -> None:
    assert seen([0, 0, 0], [0.8, 0, 0], [0, 1, 1], spacing=[100, 30, 30]).anchored
    assert not seen([0, 0, 0], [0.8, 0, 0], [0, 1, 1], spacing=[280, 30, 30]).anchored


def test_a_level_above_the_sacrum_that_may_be_sacral_stops_the_count(seen) -> None:
    assert seen([0] * 4, [0.8, 0.42, 0, 0], [1] * 4).names[1] == "L5"
    assert seen([0] * 4, [0.8, 0.47, 0, 0], [1] * 4).names[1] == "V3"


def test_more_levels_than_a_spine_has_are_not_counted(seen) -> None:
    assert seen([0] * 25, [0.8] + [0] * 24, [1] * 25, spacing=20.0).anchored
    assert not seen([0] * 26, [0.8] + [0] * 25, [1] * 26, spacing=20.0).anchored


def test_ribs_with_rib_free_levels_between_them_do_not_anchor(seen) -> None:
    """All levels between two with ribs have ribs: rods of an earlier operation looked like some."""
    apart = seen([0, 0, 2, 0, 0, 2, 2], [0.1] * 7, [True] * 7)
    assert not apart.anchored and apart.names[0].startswith("V")
    one_missed = seen([0, 0, 2, 0, 2, 2, 2], [0.1] * 7, [True] * 7)
    assert one_missed.anchored and one_missed.names[2] == "T12"


def test_a_doubtful_sacrum_that_is_passed_over_is_a_red_warning(seen) -> None:
    """Metal beside a vertebra can look like an ala: then the engineer's name is a level off."""
    for above, red in ((0.2, False), (0.5, True)):
        found = seen([0] * 5, [0.8, 0.7, above, 0.1, 0.1], [True] * 5, "L5")
        (told,) = [n for n in found.notices if n.code == "sacrum_not_counted"]
        assert told.red == red and found.names[2] == "L5"
