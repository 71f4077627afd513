"""The canal is told from marrow as dark as what it holds: osteoporotic and fused phantoms."""

import numpy as np
import pytest

from guidegen.bones.canal import _openness, _tube_behind, centreline, overview
from guidegen.phantoms.catalog import load_definition
from guidegen.phantoms.definition import View
from guidegen.phantoms.render import make_volume
from guidegen.phantoms.scan import ScanOptions
from guidegen.phantoms.spine import build_scene

COARSE = ScanOptions(spacing_mm=1.4, slice_mm=2.0)
NARROW = View(size_mm=(110.0, 120.0), centre_mm=(0.0, 28.0), below_mm=8.0, above_mm=8.0)


@pytest.mark.parametrize(("name", "marrow_hu"), [("fracture_wedge", 80.0), ("fused", 60.0)])
def test_the_canal_is_told_from_dark_marrow(name: str, marrow_hu: float) -> None:
    changes = {"cancellous_hu": marrow_hu, "view": NARROW}
    definition = load_definition(name).model_copy(update=changes)
    scene = build_scene(definition)
    true_mm = np.array(
        [
            scene.poses[level].points(np.array([[0.0, vertebra.canal_centre[1], 0.0]]))[0]
            for level, vertebra in scene.vertebrae.items()
        ]
    )[::-1]
    line = centreline(overview(make_volume(definition, COARSE)))
    assert line[0, 2] < true_mm[1, 2] and line[-1, 2] > true_mm[-2, 2]
    inside = (line[:, 2] > true_mm[0, 2]) & (line[:, 2] < true_mm[-1, 2])
    off = [np.interp(line[inside, 2], true_mm[:, 2], true_mm[:, n]) for n in (0, 1)]
    assert np.hypot(*(line[inside, :2].T - off)).max() < 6.0


def _tube(length: int) -> np.ndarray:
    """A hollow of 5 voxels' width in bone, open at both ends, closed after ``length`` slices."""
    bone = np.ones((60, 30, 30), dtype=bool)
    bone[30 - length // 2 : 30 + length // 2, 13:18, 13:18] = False
    return bone


def test_a_cavity_is_open_as_far_as_its_nearer_end() -> None:
    assert _openness(_tube(60), 2.0)[30, 15, 15] == 1.0
    assert _openness(_tube(12), 2.0)[30, 15, 15] == pytest.approx(0.5)
    assert _openness(_tube(12), 2.0)[26, 15, 15] == pytest.approx(3 / 12)


def test_a_way_of_one_voxel_is_none() -> None:
    bone = _tube(12)
    bone[:, 15, 15] = False
    assert _openness(bone, 2.0)[30, 15, 15] < 0.6


def test_only_what_lies_in_front_of_a_tube_has_one_behind() -> None:
    tube = np.zeros((1, 40, 3), dtype=np.float32)
    tube[0, 20] = 1.0
    behind = np.flatnonzero(_tube_behind(tube, 2.0)[0, :, 1])
    assert behind.min() == 20 - 17 and behind.max() == 20 - 9
