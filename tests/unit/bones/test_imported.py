"""Label maps from outside must belong to the scan."""

import numpy as np
import pytest

from guidegen.bones.imported import spine_from_labels
from guidegen.errors import AnatomyError, InputError
from guidegen.model.volume import CTVolume, Grid, LabelMap


def _ring_spine(n_levels: int = 3) -> tuple[CTVolume, np.ndarray]:
    """Stacked rings with bodies in front: (CT at 1 mm, labels 1.. from foot to head)."""
    k, j, i = np.indices((40 + 30 * n_levels, 90, 90))
    y, x = j - 50.0, i - 45.0
    hu = np.full(k.shape, 40, dtype=np.int16)
    labels = np.zeros(k.shape, dtype=np.uint16)
    for n in range(n_levels):
        z = k - (35 + 30 * n)
        body = (np.hypot(x, y + 28) < 18) & (np.abs(z + 4) < 11)
        ring = (np.hypot(x, y) < 14) & (np.hypot(x, y) > 9) & (np.abs(z) < 7)
        spinous = (np.abs(x) < 3) & (y > 11) & (y < 32) & (np.abs(z) < 5)
        bone = body | ring | spinous
        labels[bone] = n + 1
        hu[bone] = 600
    matrix = np.array([[0, 0, 1.0, -45], [0, 1, 0, -50], [1, 0, 0, 100], [0, 0, 0, 1]])
    return CTVolume(hu, Grid(matrix, hu.shape)), labels


def test_levels_come_head_first_with_frames_in_the_canal() -> None:
    volume, labels = _ring_spine()
    spine = spine_from_labels(volume, LabelMap(labels, volume.grid, {1: "L3", 2: "L2", 3: "L1"}))
    assert [level.name for level in spine.levels] == ["L1", "L2", "L3"]
    for n, level in enumerate(spine.levels[::-1]):
        origin = level.patient_from_level.origin_mm
        assert np.abs(origin[:2]).max() < 3.0
        assert abs(origin[2] - (100 + 35 + 30 * n)) < 3.0
        assert level.patient_from_level.axes[2, 2] > 0.98


def test_names_against_the_order_are_refused() -> None:
    volume, labels = _ring_spine()
    with pytest.raises(InputError, match="scheme"):
        spine_from_labels(volume, LabelMap(labels, volume.grid, {1: "L1", 2: "L2", 3: "L3"}))


def test_labels_off_the_bone_are_refused() -> None:
    volume, labels = _ring_spine()
    moved = np.roll(labels, 40, axis=2)
    with pytest.raises(InputError, match="does not lie on bone"):
        spine_from_labels(volume, LabelMap(moved, volume.grid, {1: "L3", 2: "L2", 3: "L1"}))


def test_a_map_without_vertebrae_is_refused() -> None:
    volume, labels = _ring_spine()
    with pytest.raises(AnatomyError, match="names no vertebra"):
        spine_from_labels(volume, LabelMap(labels, volume.grid, {1: "liver"}))


def test_a_label_at_the_border_is_not_complete() -> None:
    volume, labels = _ring_spine()
    part = volume.crop((30, 0, 0), volume.hu.shape)
    names = {1: "L3", 2: "L2", 3: "L1"}
    spine = spine_from_labels(part, LabelMap(labels[30:], part.grid, names))
    assert [level.complete for level in spine.levels] == [True, True, False]
    assert any(n.code == "cut_off_vertebra" and n.subject == "L3" for n in spine.notices)
