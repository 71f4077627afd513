"""The patient's outline, how he lies, and what lies on his back."""

from functools import cache

import numpy as np
import pydicom
import pytest

from guidegen.errors import GeometryError, InputError
from guidegen.model.volume import CTVolume
from guidegen.phantoms import clothing, truth
from guidegen.phantoms.catalog import load_definition
from guidegen.phantoms.definition import Definition, View
from guidegen.phantoms.render import make_volume
from guidegen.phantoms.scan import FLIPS, ScanOptions
from guidegen.phantoms.skin import BACK_MM, BELLY_MM, outside_skin
from guidegen.phantoms.spine import build_scene
from guidegen.phantoms.write import write_phantom

FINE = ScanOptions(spacing_mm=0.5, slice_mm=4.0, thickness_mm=0.5, noise_hu=0.0)
COARSE = ScanOptions(spacing_mm=2.0, slice_mm=4.0, noise_hu=0.0)
WIDE = View(size_mm=(360.0, 280.0), centre_mm=(0.0, -21.0), below_mm=-90.0, above_mm=-75.0)


def thin(name: str, **changes: object) -> Definition:
    """A few slices of a phantom round the middle of its spine."""
    return load_definition(name).model_copy(update={"view": WIDE, **changes})


@cache
def clothed() -> CTVolume:
    return make_volume(thin("fracture_wedge"), FINE)


@cache
def bare() -> CTVolume:
    return make_volume(thin("fracture_wedge", gown=False, wire=False), FINE)


def grey(volume: CTVolume, x: float, y: float) -> np.ndarray:
    """Grey values of all slices at one place."""
    kji = np.rint(volume.grid.kji(np.array([[x, y, volume.grid.patient([[0, 0, 0]])[0, 2]]])))
    return volume.hu[:, int(kji[0, 1]), int(kji[0, 2])].astype(float)


def heights_z(volume: CTVolume) -> np.ndarray:
    """(K,): z of the slices."""
    kji = np.zeros((volume.hu.shape[0], 3))
    kji[:, 0] = np.arange(len(kji))
    return volume.grid.patient(kji)[:, 2]


def test_a_line_leaves_the_skin_where_the_ellipse_is() -> None:
    random = np.random.default_rng(3)
    for _ in range(50):
        start = random.uniform((-60, -60, 0), (60, 60, 200))
        out = random.normal(size=3)
        point = truth.skin_point("fracture_wedge", start, out)
        assert ((point[0]) / 168) ** 2 + ((point[1] + 25) / 118) ** 2 == pytest.approx(1.0)
        along = (point - start) @ out / np.linalg.norm(out)
        assert along == pytest.approx(np.linalg.norm(point - start))
    assert truth.skin_point("fracture_wedge", [0, 0, 7], [0, 2, 0]) == pytest.approx([0, 93, 7])


def test_a_line_that_does_not_leave_the_skin_is_refused() -> None:
    with pytest.raises(GeometryError, match="start in the patient"):
        truth.skin_point("fracture_wedge", [0, 94, 0], [0, 1, 0])
    with pytest.raises(GeometryError, match="not run along"):
        truth.skin_point("fracture_wedge", [0, 0, 0], [0, 0, 1])
    with pytest.raises(InputError, match="no phantom"):
        truth.skin_point("elephant", [0, 0, 0], [0, 1, 0])


def test_the_normal_is_the_gradient_of_the_outline() -> None:
    for start in ([20.0, 30.0, 0.0], [-70.0, 10.0, 5.0]):
        point = truth.skin_point("fracture_wedge", start, [0.3, 1.0, 0.2])
        x, y = point[:2]
        slope = np.array([
            outside_skin(np.array([x + 1e-4]), y) - outside_skin(np.array([x - 1e-4]), y),
            outside_skin(np.array([x]), y + 1e-4) - outside_skin(np.array([x]), y - 1e-4),
        ])[:, 0] / 2e-4  # fmt: skip
        assert np.linalg.norm(slope) == pytest.approx(1.0, abs=1e-3)
        assert truth.skin_normal(point) == pytest.approx([*slope, 0.0], abs=1e-3)


def test_truth_tells_skin_and_posture() -> None:
    known = load_definition("fracture_supine").model_copy(
        update={"expect": load_definition("demo").expect.model_copy(update={"levels": ()})}
    )
    found = truth.truth_of(known)
    assert found["skin"]["centre_mm"] == [0.0, -25.0] and found["skin"]["half_mm"] == [168, 118]
    assert found["posture"] == "supine"
    assert truth.truth_of(known, prone=True)["posture"] == "prone"
    assert truth.truth_of(known.model_copy(update={"prone": True}))["posture"] == "prone"


@pytest.mark.parametrize("name", ["fracture_wedge", "fracture_supine", "lumbar"])
@pytest.mark.parametrize("flip", ["", "prone", "feet_first"])
def test_the_table_is_on_the_side_he_lies_on(name: str, flip: str) -> None:
    known = thin(name)
    options = ScanOptions(spacing_mm=2.0, slice_mm=6.0, noise_hu=0.0, flip=flip)
    volume = make_volume(known, options)
    prone = known.prone or flip == "prone"
    assert volume.info.patient_position[2] == ("P" if prone else "S")
    assert volume.info.patient_position[0] == ("F" if flip == "feet_first" else "H")
    behind, front = (grey(volume, 100.0, y).mean() for y in (BACK_MM + 12, BELLY_MM - 12))
    table, air = (front, behind) if prone else (behind, front)
    assert -850 < table < -700
    assert air < -950


def test_the_table_touches_the_back_of_a_supine_patient() -> None:
    volume = make_volume(thin("fracture_supine"), FINE)
    line = [grey(volume, 0.0, y).max() for y in np.arange(BACK_MM - 3, BACK_MM + 2, 0.5)]
    assert min(line) > -150
    gap = make_volume(thin("fracture_supine", table_gap_mm=3.0), FINE)
    assert grey(gap, 0.0, BACK_MM + 1.5).max() < -600


def test_a_prone_phantom_is_written_hfp(tmp_path) -> None:
    known = thin("fracture_wedge", expect=load_definition("demo").expect.model_copy(
        update={"levels": ()}))  # fmt: skip
    folder = write_phantom(known, tmp_path / "prone", COARSE)
    first = pydicom.dcmread(next(iter(sorted(folder.glob("*.dcm")))))
    assert first.PatientPosition == "HFP"
    assert [float(v) for v in first.ImageOrientationPatient] == [-1, 0, 0, 0, -1, 0]


def test_all_ways_to_lie_and_to_be_flipped() -> None:
    found = {flip: ScanOptions(flip=flip).laid(True) for flip in ("", "slices", "feet_first")}
    assert [o.patient_position for o in found.values()] == ["HFP", "HFP", "FFP"]
    for flip in FLIPS:
        options = ScanOptions(flip=flip)
        assert options.laid(False) is options
        assert options.laid(True).laid(True) == options.laid(True)
        assert options.laid(True).prone


def test_the_gown_is_cloth_over_air_where_it_is_lifted() -> None:
    z = heights_z(clothed())
    lift = clothing.fold_height(np.array([55.0]), z)
    highest = int(lift.argmax())
    skin = truth.skin_point("fracture_wedge", [55, 0, 0], [0, 1, 0])
    normal = truth.skin_normal(skin)
    cloth = skin + normal * (lift[highest] + 0.5)
    under = skin + normal * (lift[highest] / 2)
    assert -550 < grey(clothed(), *cloth[:2])[highest] < -200
    assert grey(clothed(), *under[:2])[highest] < -900
    assert grey(bare(), *cloth[:2])[highest] < -950


def test_the_gown_lies_on_the_skin_elsewhere() -> None:
    skin = truth.skin_point("fracture_wedge", [-45, 0, 0], [0, 1, 0])
    outside = skin + 0.6 * truth.skin_normal(skin)
    assert grey(clothed(), *outside[:2]).min() > -650
    assert grey(bare(), *outside[:2]).max() < -700
    inside = skin - 0.9 * truth.skin_normal(skin)
    assert grey(clothed(), *inside[:2]).min() > -100


def test_the_lead_lies_on_the_skin_and_bends() -> None:
    volume, z = clothed(), heights_z(clothed())
    bend = float(np.mean([p.origin_mm[2] for p in build_scene("fracture_wedge").poses.values()]))
    for k, height in enumerate(z):
        x = float(clothing.wire_x(height, bend))
        skin = truth.skin_point("fracture_wedge", [x, 0, height], [0, 1, 0])
        middle = skin + clothing.WIRE_RADIUS_MM * truth.skin_normal(skin)
        assert grey(volume, *middle[:2])[k] > 700
        assert grey(bare(), *middle[:2])[k] < -400
    assert abs(clothing.wire_x(bend + 30, bend) - clothing.wire_x(bend - 30, bend)) > 15


def test_cloth_and_lead_are_no_skin() -> None:
    x, y = np.meshgrid(np.arange(-140, 140, 0.5), np.arange(-30, 105, 0.25))
    outside = outside_skin(x, y)
    wire = clothing.wire_distance(x, y, np.full_like(x, 7.0), 0.0) < 0
    assert wire.any() and outside[wire].min() >= 0
    # The gown may go on under the skin's outline, where the patient is painted over it.
    cloth = clothing.gown_distance(x, y, np.full_like(x, 7.0)) < 0
    assert cloth.any() and outside[cloth].max() > 6
    inner = outside_skin(x, y) < -1.5
    place = bare().grid.patient([[0, 0, 0]])[0, 2]
    kji = np.rint(
        bare().grid.kji(np.stack([x[inner], y[inner], np.full(inner.sum(), place)], axis=1))
    ).astype(int)
    seen = ((kji >= 0) & (kji < bare().hu.shape)).all(axis=1)
    picked = tuple(kji[seen].T)
    assert (bare().hu[picked] == clothed().hu[picked]).mean() > 0.995
