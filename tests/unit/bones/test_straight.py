"""Frames along the canal: where points go, and which side is left."""

import numpy as np

from guidegen.bones.straight import CanalFrames, frames_along
from guidegen.bones.straightened import straight_coordinates


def _bent(radius_mm: float = 180.0) -> CanalFrames:
    """A kyphotic arc in the sagittal plane: the middle lies farthest back."""
    angle = np.linspace(-0.6, 0.6, 90)
    arc = np.column_stack(
        [0 * angle, radius_mm * (np.cos(angle) - 1) + 5, radius_mm * np.sin(angle)]
    )
    return frames_along(arc, smooth_mm=0.0)


def test_axes_are_left_back_head_and_right_handed() -> None:
    frames = _bent()
    middle = frames.axes[len(frames.axes) // 2]
    assert np.allclose(middle, np.eye(3), atol=0.03)
    assert np.allclose(np.linalg.det(frames.axes), 1.0)


def test_points_come_back_at_their_own_coordinates() -> None:
    frames = _bent()
    rng = np.random.default_rng(3)
    s = rng.integers(5, len(frames.centres_mm) - 5, 300)
    back, left = rng.uniform(-45, 60, 300), rng.uniform(-50, 50, 300)
    points = (
        frames.centres_mm[s]
        + back[:, None] * frames.axes[s, :, 1]
        + left[:, None] * frames.axes[s, :, 0]
    )
    found = straight_coordinates(frames, points)
    assert np.abs(found - np.column_stack([s, back, left])).max() < 0.7


def test_turning_moves_the_back_to_the_patients_right() -> None:
    frames = _bent().turned(np.full(len(_bent().centres_mm), 20.0))
    middle = frames.axes[len(frames.axes) // 2]
    assert middle[0, 1] < -0.3 and middle[0, 0] > 0.9
    assert np.allclose(np.linalg.det(frames.axes), 1.0)
