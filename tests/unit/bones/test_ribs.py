"""A rib is told from a vertebra by where it runs to, also where its neck is faint."""

import numpy as np
import pytest

from guidegen.bones.levels import Walls
from guidegen.bones.network import conductance
from guidegen.bones.ribs import ALA_SHARE, ala_of_levels, count_sacral, rib_voxels
from guidegen.bones.straight import CanalFrames
from guidegen.bones.straightened import OUT_OF_VIEW_HU, millimetres


def _walls() -> Walls:
    centres = np.column_stack([np.zeros(13), np.zeros(13), np.arange(13.0)])
    frames = CanalFrames(centres, np.broadcast_to(np.eye(3), (13, 3, 3)).copy())
    return Walls(frames, np.array([6.0]), np.array([0.0, 12.0]), True, True, np.zeros(13))


def _chest(neck_hu: float, joint_hu: float, rib_ends_mm: float = 90.0) -> tuple[np.ndarray, ...]:
    """A block of vertebra with a rib on the left that touches it over a joint of one voxel."""
    shape = (76, 163, 166)
    s, back, left = millimetres(shape)
    hu = np.full(shape, 20.0)
    vertebra = (np.abs(s - 6) < 8) & (back > -30) & (back < -4) & (np.abs(left) < 18)
    rib = (np.abs(s - 6) < 4) & (np.abs(back + 10) < 4) & (left > 18) & (left < rib_ends_mm)
    hu[vertebra] = 600
    hu[rib] = np.broadcast_to(np.where(left < 36, neck_hu, 500.0), shape)[rib]
    hu[np.broadcast_to((left > 18) & (left < 18.9), shape) & rib] = joint_hu
    hu[np.broadcast_to(left >= rib_ends_mm, shape)] = 2 * OUT_OF_VIEW_HU
    return hu, vertebra, rib


@pytest.mark.parametrize(("neck_hu", "joint_hu"), [(500, 350), (260, 200), (330, 310)])
@pytest.mark.parametrize("rib_ends_mm", [90.0, 46.0])
def test_rib_is_parted_at_its_joint(neck_hu: float, joint_hu: float, rib_ends_mm: float) -> None:
    seen, vertebra, rib = _chest(neck_hu, joint_hu, rib_ends_mm)
    hu = np.maximum(seen, -1000.0)
    bone = hu > 160
    core = np.where(vertebra & (np.abs(millimetres(hu.shape)[2]) < 8), 0.0, np.nan)
    found = rib_voxels(seen, bone, conductance(hu), core, _walls())
    aside = np.broadcast_to(millimetres(hu.shape)[2], hu.shape)
    assert not found[vertebra].any()
    assert found[rib & bone & (aside > 20)].all()


def test_a_transverse_process_that_ends_early_is_no_rib() -> None:
    seen, _, rib = _chest(500, 500)
    aside = np.broadcast_to(millimetres(seen.shape)[2], seen.shape)
    seen[rib & (aside > 50)] = 20.0
    bone = seen > 160
    core = np.where(bone & (np.abs(aside) < 8), 0.0, np.nan)
    assert not rib_voxels(seen, bone, conductance(seen), core, _walls()).any()


def _sacrum(ilium_mm: float = 63.0) -> tuple[np.ndarray, Walls]:
    """A sacrum with alae under a vertebra without, and bone farther out beside both."""
    frames = _walls().frames
    walls = Walls(
        frames, np.array([2.0, 22.0]), np.array([-8.0, 12.0, 32.0]), True, True, np.zeros(13)
    )
    s, back, left = millimetres((96, 163, 166))
    hu = np.full((96, 163, 166), 20.0)
    hu[(np.abs(s - 22) < 8) & (back > -30) & (back < -4) & (np.abs(left) < 18)] = 600
    hu[(s < 12) & (back > -30) & (back < 8) & (np.abs(left) < 44)] = 250
    hu[(np.abs(left) > ilium_mm) & (np.abs(back) < 20) & (s > -20)] = 500
    return hu, walls


def test_only_the_sacrum_has_alae() -> None:
    share = ala_of_levels(*_sacrum())
    assert share[0] > 0.9 and share[1] < ALA_SHARE / 5
    assert count_sacral(share) == 1


def test_beside_the_sacrum_only_what_lies_far_out_is_cut_off() -> None:
    hu, walls = _sacrum()
    bone = hu > 160
    left = np.broadcast_to(millimetres(hu.shape)[2], hu.shape)
    core = np.where(bone & (np.abs(left) < 8), 0.0, np.nan)
    found = rib_voxels(hu, bone, conductance(hu), core, walls)
    assert found[bone & (np.abs(left) > 63.5)].all()
    assert not found[bone & (np.abs(left) < 44)].any()


def test_no_bone_far_out_is_no_rib() -> None:
    hu, walls = _sacrum(ilium_mm=1e3)
    bone = hu > 160
    core = np.full(hu.shape, np.nan)
    assert not rib_voxels(hu, bone, conductance(hu), core, walls).any()


def test_sacral_levels_are_counted_from_below_up_to_the_last_ala() -> None:
    assert count_sacral(np.array([0.7, 0.9, 0.1, 0.0])) == 2
    assert count_sacral(np.array([0.1, 0.8, 0.1])) == 2
    assert count_sacral(np.array([0.1, 0.2, 0.1])) == 0


def test_an_ala_above_five_sacral_levels_is_not_believed() -> None:
    assert count_sacral(np.array([0.1] * 5 + [0.8])) == 0
