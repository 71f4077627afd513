"""Neighbours that touch are parted where they conduct worst; open notches stay open."""

import numpy as np

from guidegen.bones.separation import _side_walls
from guidegen.bones.solid import _filled
from guidegen.bones.straightened import LEFT_MM, STEP_MM


def test_side_walls_stop_at_the_first_gap() -> None:
    bone = np.zeros((1, 1, 166), dtype=bool)
    middle = round(LEFT_MM / STEP_MM)
    bone[0, 0, middle + 10 : middle + 13] = True
    bone[0, 0, middle + 14 : middle + 20] = True
    bone[0, 0, middle - 25 : middle - 8] = True
    found = np.flatnonzero(_side_walls(bone)[0, 0]) - middle
    assert set(found[found > 0]) == {10, 11, 12}
    assert set(found[found < 0]) == set(range(-13, -8))


def test_filling_leaves_an_open_notch_open() -> None:
    own = np.zeros((30, 30, 30), bool)
    own[3:27, 3:27, 3:27] = True
    own[6:24, 6:24, 6:24] = False
    own[3:27, 10:20, 10:30] = False
    solid = _filled(own)
    assert not solid[15, 15, 27:].any() and solid[10, 8, 15]
