"""Metal of an earlier operation: where it lies, and streaks in its slices alone."""

import numpy as np
import pytest
from pydantic import ValidationError

from guidegen.phantoms.definition import Definition, Metal
from guidegen.phantoms.metal import pieces
from guidegen.phantoms.render import make_volume
from guidegen.phantoms.scan import ScanOptions
from guidegen.phantoms.spine import build_scene
from guidegen.phantoms.truth import truth_of

COARSE = ScanOptions(spacing_mm=1.0, slice_mm=1.5, noise_hu=0.0, psf_mm=0.0)
SCREW = Metal(level="L3", side="left")


def with_metal(small, *metal):
    """The small phantom with metal in it."""
    return small.model_copy(update={"metal": metal})


def at(volume, points_mm):
    """Grey values at points (N, 3)."""
    kji = np.rint(volume.grid.kji(points_mm)).astype(int)
    return volume.hu[tuple(kji.T)]


def test_a_screw_lies_on_its_pedicles_axis(small):
    known = with_metal(small, SCREW)
    (piece,) = pieces(build_scene(known))
    scene = build_scene(known)
    vertebra, pose = scene.vertebrae["L3"], scene.poses["L3"]
    assert np.linalg.norm(piece.stop_mm - piece.start_mm) == pytest.approx(SCREW.length_mm)
    way = (piece.stop_mm - piece.start_mm) / SCREW.length_mm
    assert way == pytest.approx(pose.vectors(vertebra.pedicle_axes("left")[:, 2]))
    middle = pose.points(vertebra.isthmus("left"))
    assert np.linalg.norm(np.cross(middle - piece.start_mm, way)) == pytest.approx(0, abs=1e-9)
    inside = piece.start_mm + np.linspace(20, 45, 20)[:, None] * way
    assert (at(make_volume(known, COARSE), inside) > 2600).all()


def test_a_rod_joins_two_screws_of_a_side():
    demo = build_scene("demo").definition
    metal = (Metal(level="L4", side="right", rod_to="L5"), Metal(level="L5", side="right"))
    upper, rod, lower = pieces(build_scene(demo.model_copy(update={"metal": metal})))
    assert rod.start_mm == pytest.approx(upper.start_mm)
    assert rod.stop_mm == pytest.approx(lower.start_mm)
    assert rod.corners().shape == (8, 3)
    assert (rod.measure(np.array([rod.start_mm]).T)[0] < 0).all()


def test_streaks_stay_in_the_slices_of_the_metal(small):
    plain = make_volume(with_metal(small, SCREW), COARSE)
    streaked = make_volume(with_metal(small, SCREW.model_copy(update={"streak_hu": 300.0})), COARSE)
    changed = np.abs(streaked.hu.astype(int) - plain.hu) > 20
    slices = changed.any(axis=(1, 2))
    heights = plain.grid.patient(np.argwhere(changed))[:, 2]
    (piece,) = pieces(build_scene(with_metal(small, SCREW)))
    low, high = piece.corners()[:, 2].min(), piece.corners()[:, 2].max()
    assert slices.any() and low - 0.75 < heights.min() and heights.max() < high + 0.75
    assert (streaked.hu.astype(int) - plain.hu)[changed].min() < -100


def test_metal_changes_no_truth_and_nothing_beside_it(small):
    plain, other = make_volume(small, COARSE), make_volume(with_metal(small, SCREW), COARSE)
    differs = np.argwhere(plain.hu != other.hu)
    (piece,) = pieces(build_scene(with_metal(small, SCREW)))
    far, _ = piece.measure(plain.grid.patient(differs).T)
    assert len(differs) and far.max() < 2.0
    assert truth_of(small)["corridors"] == truth_of(with_metal(small, SCREW))["corridors"]


def test_metal_at_a_level_that_is_not_there_is_refused(small):
    told = {**small.model_dump(), "metal": [{"level": "T3", "side": "left"}]}
    with pytest.raises(ValidationError, match="T3 must be among the levels"):
        Definition(**told)
