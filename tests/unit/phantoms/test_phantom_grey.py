"""Grey values: partial volume of a ball against the closed form, point spread, noise."""

from itertools import pairwise

import numpy as np
import pytest

from guidegen.phantoms.render import CANCELLOUS_HU, CORTEX_HU, add_bone, blur_and_noise
from guidegen.phantoms.scan import ScanOptions, scan_grid

RADIUS, CORTEX, SOFT = 9.3, 1.0, 50.0


def ball(points):
    distance = np.linalg.norm(points - np.array([[0.21], [-0.13], [0.37]]), axis=0) - RADIUS
    return distance, np.full(distance.shape, CORTEX)


def scanned(options: ScanOptions):
    scan = scan_grid(np.full(3, -14.0), np.full(3, 14.0), options)
    hu = np.full(scan.shape_kji, SOFT, dtype=np.float32)
    pick = np.array([[a, b, c] for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)])
    add_bone(hu, scan, ball, 11.0 * pick)
    return hu, scan


@pytest.mark.parametrize(
    "options",
    [
        ScanOptions(),
        ScanOptions(tilt_deg=12),
        ScanOptions(oblique_deg=20),
        ScanOptions(spacing_mm=0.8, slice_mm=2.0),
        ScanOptions(spacing_mm=0.4, slice_mm=2.0),
    ],
)
def test_sum_of_partial_volumes_is_the_closed_form(options: ScanOptions) -> None:
    hu, scan = scanned(options)
    voxel = abs(np.linalg.det(scan.patient_from_kji[:3, :3]))
    got = float((hu.astype(np.float64) - SOFT).sum()) * voxel
    outer, inner = (4 / 3 * np.pi * r**3 for r in (RADIUS, RADIUS - CORTEX))
    wanted = outer * (CORTEX_HU - SOFT) + inner * (CANCELLOUS_HU - CORTEX_HU)
    assert got == pytest.approx(wanted, rel=0.002)


def test_slice_areas_of_a_ball_are_the_closed_form() -> None:
    """Each slice holds the integral of pi (R^2 - z^2) over its thickness."""
    hu, scan = scanned(ScanOptions())
    z = np.arange(scan.shape_kji[0]) * scan.patient_from_kji[2, 0] + scan.patient_from_kji[2, 3]
    edges = np.append(z - 0.5, z[-1] + 0.5) - 0.37

    def below(t, r):
        t = np.clip(t, -r, r)
        return np.pi * (r * r * t - t**3 / 3)

    outer, inner = (
        np.array([below(b, r) - below(a, r) for a, b in pairwise(edges)])
        for r in (RADIUS, RADIUS - CORTEX)
    )
    wanted = outer * (CORTEX_HU - SOFT) + inner * (CANCELLOUS_HU - CORTEX_HU)
    got = (hu.astype(np.float64) - SOFT).sum(axis=(1, 2)) * 0.25
    assert np.abs(got - wanted).max() < 0.01 * wanted.max()


def test_point_spread_has_the_width_asked_for() -> None:
    """The edge of a half space, blurred: its slope at the middle is that of a Gaussian."""
    options = ScanOptions(spacing_mm=0.25, noise_hu=0.0)
    scan = scan_grid(np.array([-10.0, -2, -1]), np.array([10.0, 2, 1]), options)
    hu = np.zeros(scan.shape_kji, dtype=np.float32)
    pick = np.array([[a, b, c] for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)])
    add_bone(hu, scan, lambda p: (p[0], np.full(p.shape[1], 99.0)), pick * [11.0, 3, 2])
    line = blur_and_noise(hu, scan, options, 1)[1, 8].astype(float)
    x = scan.patient_from_kji[0, 3] + 0.25 * np.arange(len(line))
    slope, middle = -np.diff(line), (x[1:] + x[:-1]) / 2
    near = np.abs(middle) < 3
    weight = slope[near] / slope[near].sum()
    spread = np.sqrt((weight * middle[near] ** 2).sum())
    assert (weight * middle[near]).sum() == pytest.approx(0.0, abs=0.02)
    assert spread == pytest.approx(0.5, abs=0.04)


def test_noise_has_the_spread_asked_for() -> None:
    options = ScanOptions(noise_hu=25.0)
    scan = scan_grid(np.full(3, -10.0), np.full(3, 10.0), options)
    hu = blur_and_noise(np.full(scan.shape_kji, SOFT, np.float32), scan, options, 5)
    assert float(hu.std()) == pytest.approx(25.0, rel=0.03)
    assert float(hu.mean()) == pytest.approx(SOFT, abs=0.5)
