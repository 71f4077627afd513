"""The face of a blurred cortex lies where the formula says."""

import numpy as np
import pytest
from scipy import ndimage

from guidegen.bones.threshold import HIGHEST_SHARE, cortical_hu, edge_share, local_threshold


@pytest.mark.parametrize("width_mm", [0.8, 1.0, 1.5, 2.0, 4.0])
def test_a_blurred_layer_is_cut_at_its_true_face(width_mm: float) -> None:
    x = np.arange(-20, 20, 0.01)
    layer = np.where((x >= 0) & (x < width_mm), 1000.0, 0.0)
    blurred = ndimage.gaussian_filter1d(layer, 0.5 / 0.01)
    share = float(edge_share(np.array(blurred.max() / 1000.0)))
    face = x[np.argmax(blurred > share * blurred.max())]
    assert abs(face) < (0.02 if share < HIGHEST_SHARE else 0.12)


def test_plain_half_maximum_would_swell_a_thin_layer() -> None:
    x = np.arange(-20, 20, 0.01)
    blurred = ndimage.gaussian_filter1d(np.where((x >= 0) & (x < 1), 1000.0, 0.0), 50)
    assert x[np.argmax(blurred > blurred.max() / 2)] < -0.1


def test_thick_cortex_is_cut_at_half() -> None:
    assert edge_share(np.array(1.0)) == pytest.approx(0.5, abs=1e-3)


def test_cortex_is_not_taken_from_metal() -> None:
    hu = np.full((10, 10, 10), 1200.0)
    hu[:5] = 3000.0
    assert cortical_hu(hu, np.ones(hu.shape, dtype=bool)) == 1200.0


def test_threshold_of_a_thick_plate_is_half_way_between_soft_tissue_and_bone() -> None:
    hu = np.full((30, 30, 30), 40.0, dtype=np.float32)
    hu[:, :, 12:20] = 1240.0
    threshold = local_threshold(hu, np.array([1.0, 1.0, 1.0]), 1240.0)
    assert threshold[15, 15, 12] == pytest.approx(640.0, abs=60.0)
