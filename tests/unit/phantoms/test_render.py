from functools import cache

import numpy as np
import pytest

from guidegen.errors import InputError
from guidegen.model.volume import CTVolume
from guidegen.phantoms import render
from guidegen.phantoms.render import CORTEX_HU, add_bone, blur_and_noise, make_volume
from guidegen.phantoms.scan import ScanOptions, scan_grid

RADIUS = 9.3
MIDDLE = np.array([1.37, -2.11, 3.83])


def ball(p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    distance = np.linalg.norm(p - MIDDLE[:, None].astype(p.dtype), axis=0) - RADIUS
    return distance, np.full_like(distance, 99.0)


def floor(p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    distance = p[2] - p.dtype.type(0.3)
    return distance, np.full_like(distance, 99.0)


@pytest.fixture(autouse=True)
def _solid_bone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Shapes of one grey value in the tests of the sampling."""
    if "phantom" not in request.node.name and "patient" not in request.node.name:
        monkeypatch.setattr(render, "CANCELLOUS_HU", render.CORTEX_HU)


def scan_of(shape, options: ScanOptions, blur: bool = False) -> tuple[np.ndarray, np.ndarray]:
    scan = scan_grid(np.full(3, -16.0), np.full(3, 16.0), options)
    hu = np.zeros(scan.shape_kji, dtype=np.float32)
    box = np.array([[a, b, c] for a in (-14, 14) for b in (-14, 14) for c in (-14, 14)])
    add_bone(hu, scan, shape, box.astype(float))
    if blur:
        hu = blur_and_noise(hu, scan, options, 1).astype(np.float32)
    return hu / CORTEX_HU, scan.patient_from_kji


@pytest.mark.parametrize("blur", [False, True])
def test_half_of_the_rise_lies_on_a_balls_surface(blur: bool) -> None:
    share, matrix = scan_of(ball, ScanOptions(noise_hu=0.0), blur)
    inverse = np.linalg.inv(matrix)
    k, j, _ = np.rint(inverse[:3, :3] @ MIDDLE + inverse[:3, 3]).astype(int)
    row = share[k, j]
    places = (matrix[:3, :3] @ np.array([np.full(row.shape, k), np.full(row.shape, j),
                                         np.arange(len(row))]) + matrix[:3, 3:])  # fmt: skip
    first = int(np.argmax(row > 0.5))
    part = (0.5 - row[first - 1]) / (row[first] - row[first - 1])
    found = places[:, first - 1] * (1 - part) + places[:, first] * part
    # A blurred ball's half level lies sigma^2 / R inside its surface.
    inwards = ScanOptions().psf_mm ** 2 / RADIUS if blur else 0.0
    assert np.linalg.norm(found - MIDDLE) == pytest.approx(RADIUS - inwards, abs=0.03)


def test_the_slice_profile_is_a_box_as_wide_as_the_slice() -> None:
    share, matrix = scan_of(floor, ScanOptions(psf_mm=0.0))
    z = matrix[2, 3] + matrix[2, 0] * np.arange(share.shape[0])
    j = share.shape[1] // 2
    column = share[:, j, j]
    inside = np.abs(z) < 8
    np.testing.assert_allclose(column[inside], np.clip(0.5 - (z - 0.3), 0, 1)[inside], atol=1e-3)


def test_the_same_phantom_gives_the_same_bytes() -> None:
    coarse = ScanOptions(spacing_mm=1.0, slice_mm=3.0)
    assert make_volume("demo", coarse).sha256() == make_volume("demo", coarse).sha256()


def test_a_tilted_scan_has_no_regular_grid() -> None:
    with pytest.raises(InputError, match="tilt"):
        make_volume("demo", ScanOptions(tilt_deg=10.0))


@cache
def plainly() -> CTVolume:
    return make_volume("demo", ScanOptions(noise_hu=0))


@pytest.mark.parametrize(
    "options",
    [
        ScanOptions(noise_hu=0, flip="slices"),
        ScanOptions(noise_hu=0, flip="feet_first"),
        ScanOptions(noise_hu=0, flip="prone"),
        ScanOptions(noise_hu=0, oblique_deg=14.0),
    ],
)
def test_the_patient_stays_where_he_is_however_he_is_scanned(options: ScanOptions) -> None:
    plain, other = plainly(), make_volume("demo", options)
    # Voxel centres of the plain scan well inside soft tissue or cancellous bone.
    shape = np.array(plain.grid.shape_kji)
    kji = np.random.default_rng(4).integers(12, shape - 12, (3000, 3))
    near = np.rint(other.grid.kji(plain.grid.patient(kji))).astype(int)
    seen = ((near >= 0) & (near < other.grid.shape_kji)).all(axis=1)
    a = plain.hu[tuple(kji[seen].T)].astype(float)
    b = other.hu[tuple(near[seen].T)].astype(float)
    assert seen.sum() > 2000
    assert np.median(np.abs(a - b)) <= 2.0
    assert np.corrcoef(a, b)[0, 1] > 0.97
