"""The straightened grid: what it samples lies where it says, beyond the canal's ends too."""

import numpy as np

from guidegen.bones.straight import CanalFrames
from guidegen.bones.straightened import (
    END_MM,
    OUT_OF_VIEW_HU,
    Straight,
    millimetres,
    plane_at,
    straightened_scan,
)
from guidegen.model.volume import CTVolume, Grid


def _scan() -> CTVolume:
    """HU that tells the place: x + 10 y, on 2 mm voxels over 160 mm; no plane above z = 60."""
    matrix = np.array([[0, 0, 2.0, -80], [0, 2.0, 0, -80], [2.0, 0, 0, -40], [0, 0, 0, 1]])
    shape = (51, 81, 81)
    place = Grid(matrix, shape).patient(np.stack(np.indices(shape), axis=-1))
    return CTVolume(
        np.rint(place[..., 0] + 10 * place[..., 1]).astype(np.int16), Grid(matrix, shape)
    )


def _canal(n: int = 61) -> CanalFrames:
    centres = np.column_stack([np.full(n, 3.0), np.full(n, -5.0), np.arange(n) - 20.0])
    return CanalFrames(centres, np.broadcast_to(np.eye(3), (n, 3, 3)).copy())


def test_grey_values_stand_at_their_place() -> None:
    hu = straightened_scan(_scan(), _canal())
    s, back, left = millimetres(hu.shape)
    seen = hu[plane_at(30.0)]
    expected = (left + 3.0 + 10 * (back - 5.0))[0]
    inner = (np.abs(left[0]) < 60) & (np.abs(back[0]) < 50)
    assert np.abs(seen - expected)[inner].max() < 0.51
    assert np.isclose(s[plane_at(30.4), 0, 0], 30.4) and s[0, 0, 0] == -END_MM


def test_grid_runs_past_the_canal_and_says_where_the_scan_ends() -> None:
    hu = straightened_scan(_scan(), _canal())
    middle = hu[:, 65, 82]
    s = millimetres(hu.shape)[0].ravel()
    in_view = (s - 20.0 > -39.9) & (s - 20.0 < 59.9)
    beyond = (s - 20.0 < -40.1) | (s - 20.0 > 60.1)
    assert (middle[beyond] < OUT_OF_VIEW_HU).all() and beyond.any()
    assert (middle[in_view] > OUT_OF_VIEW_HU).all()
    assert s[in_view].min() < -15 and s[in_view].max() > 70


def test_voxels_of_points_beyond_the_ends() -> None:
    canal = _canal()
    straight = Straight(canal, np.zeros((2, 2, 2)), np.zeros((2, 2, 2), np.int16))
    point = np.array([[3.0 + 8.0, -5.0 + 4.0, -20.0 - 10.0]])
    k, j, i = straight.voxels(point)[0]
    s, back, left = millimetres((200, 200, 200))
    assert np.interp(k, np.arange(200), s.ravel()) == -10.0
    assert np.isclose(np.interp(j, np.arange(200), back.ravel()), 4.0)
    assert np.isclose(np.interp(i, np.arange(200), left.ravel()), 8.0)
