"""A face from grey values is held to its label, kept off the neighbour and closed over marrow."""

import numpy as np
import pytest

from guidegen.bones.limits import within_label

SPACING = np.array([0.6, 0.6, 0.6])
SOFT, CORTEX = 40.0, 900.0


def _two_slabs(gap_mm: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """HU of two slabs of cortex side by side, and the labels that meet in the gap's middle."""
    x = (np.arange(60) - 29.5) * 0.6
    row = np.where((np.abs(x) > gap_mm / 2) & (np.abs(x) < 10), CORTEX, SOFT)
    hu = np.full((40, 40, 60), SOFT)
    hu[6:-6, 6:-6] = row
    left, right = np.zeros(hu.shape, bool), np.zeros(hu.shape, bool)
    left[6:-6, 6:-6, (x < 0) & (x > -10)] = True
    right[6:-6, 6:-6, (x > 0) & (x < 10)] = True
    return hu, left, right


def _face_mm(out: np.ndarray) -> float:
    """Where the field of the left slab changes sign on its right."""
    row, x = out[20, 20], (np.arange(60) - 29.5) * 0.6
    last = int(np.flatnonzero(row > 0).max())
    return float(x[last] + 0.6 * row[last] / (row[last] - row[last + 1]))


@pytest.mark.parametrize("gap_mm", [1.2, 2.4])
def test_a_joint_space_between_two_labels_stays_open(gap_mm: float) -> None:
    hu, left, right = _two_slabs(gap_mm)
    face = _face_mm(within_label(hu - 470.0, hu, left, right, SPACING))
    assert face == pytest.approx(-gap_mm / 2, abs=0.3)


def test_fused_bone_is_cut_where_the_labels_meet() -> None:
    hu, left, right = _two_slabs(0.0)
    assert _face_mm(within_label(hu - 470.0, hu, left, right, SPACING)) == pytest.approx(
        0.0, abs=0.1
    )


def test_coarse_voxels_part_at_the_labels_even_where_it_is_dark() -> None:
    hu, left, right = _two_slabs(1.2)
    out = within_label(hu - 470.0, hu, left, right, 3.0 * SPACING)
    assert out[20, 20, 29] > 0 > out[20, 20, 30]


def _hollow(pore: int) -> tuple[np.ndarray, np.ndarray]:
    """A box of thin cortex round dark marrow, with a square pore of so many voxels in its face."""
    own = np.zeros((36, 36, 36), bool)
    own[6:30, 6:30, 6:30] = True
    hu = np.where(own, CORTEX, SOFT)
    hu[8:28, 8:28, 8:28] = SOFT
    hu[6:8, 18 : 18 + pore, 18 : 18 + pore] = SOFT
    return hu, own


def test_marrow_behind_a_torn_cortex_is_bone() -> None:
    hu, own = _hollow(pore=2)
    out = within_label(hu - 470.0, hu, own, np.zeros_like(own), SPACING)
    assert (out[8:28, 8:28, 8:28] > 0).all()
    assert not (out[~own] > 0).any()


def test_a_hole_too_wide_for_a_tear_stays_open() -> None:
    hu, own = _hollow(pore=6)
    own[8:28, 8:28, 8:28] = False
    own[6:8, 18:24, 18:24] = False
    out = within_label(hu - 470.0, hu, own, np.zeros_like(own), SPACING)
    assert out[18, 18, 18] < 0


def test_bright_bone_of_a_neighbour_is_left_to_it() -> None:
    hu = np.full((40, 40, 60), CORTEX)
    x = np.broadcast_to(np.arange(60), hu.shape)
    out = within_label(hu - 470.0, hu, x < 30, x >= 30, SPACING)
    assert (out[x < 29] > 0).all() and (out[x > 30] < 0).all()


def test_the_face_leaves_its_label_by_no_more_than_the_slack() -> None:
    hu = np.full((40, 40, 40), CORTEX)
    own = np.zeros(hu.shape, bool)
    own[15:25, 15:25, 15:25] = True
    inside = within_label(hu - 470.0, hu, own, np.zeros_like(own), SPACING) > 0
    assert inside[20, 20, 25] and not inside[20, 20, 27]
    assert inside[own].all()
