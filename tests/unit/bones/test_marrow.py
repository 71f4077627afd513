"""Marrow as dark as muscle is found inside shells, whole ones and such with pores."""

import numpy as np

from guidegen.bones.marrow import marrow
from guidegen.bones.straightened import BONE_HU, OUT_OF_VIEW_HU, millimetres

SHAPE = (80, 163, 166)


def _body() -> tuple[np.ndarray, ...]:
    """HU, what is inside the shell, and the middle, of a box whose marrow is like muscle."""
    s, back, left = millimetres(SHAPE)
    away = np.maximum(np.maximum(np.abs(s - 8.0) - 11, np.abs(back + 21.0) - 15), abs(left) - 18)
    hu = np.where((away <= 0) & (away > -1.7), 500.0, 60.0).astype(np.float32)
    middles = (np.abs(s - 8.0) < 4) & (back < -9) & (back > -18) & (np.abs(left) < 7)
    return hu, away <= -1.7, middles.astype(np.int16)


def _found(hu: np.ndarray, middles: np.ndarray) -> np.ndarray:
    return marrow(hu > BONE_HU, hu, middles)


def test_a_closed_shell_is_filled_and_nothing_else() -> None:
    hu, inside, middles = _body()
    assert (_found(hu, middles) == inside).all()


def test_a_shell_with_pores_is_filled_up_to_them() -> None:
    hu, inside, middles = _body()
    for s, left in ((-2, 0), (18, 5), (18, -9)):
        rows = np.abs(millimetres(SHAPE)[0] - s) < 2
        place = np.abs(millimetres(SHAPE)[2] - left) < 1.5
        hu[rows & place & (np.abs(millimetres(SHAPE)[1] + 20) < 1.5)] = 60.0
    found = _found(hu, middles)
    assert found[inside].mean() > 0.97
    assert (found & ~inside).sum() < 0.02 * inside.sum()


def test_a_faint_endplate_keeps_marrow_and_disc_apart() -> None:
    hu, inside, middles = _body()
    hu[(hu > 160) & (millimetres(SHAPE)[0] > 16)] = 130.0
    found = _found(hu, middles)
    assert found[inside].mean() > 0.95
    assert (found & ~inside).sum() < 0.1 * inside.sum()


def test_the_end_of_the_scan_shuts_in_too() -> None:
    hu, inside, middles = _body()
    hu[:45] = 2 * OUT_OF_VIEW_HU
    found = _found(hu, middles)
    inside[:49] = False
    assert found[inside].mean() > 0.95 and not found[:45].any()
