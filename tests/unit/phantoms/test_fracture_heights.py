"""Fractured bodies: their surfaces are measured with rays and compared with the closed form."""

from itertools import pairwise

import numpy as np
import pytest

from guidegen.mesh.rays import RayTarget
from guidegen.phantoms import truth
from guidegen.phantoms.catalog import load_definition
from guidegen.phantoms.definition import Definition
from guidegen.phantoms.heights import DEPTH_SHARES, compression, fracture_measures
from guidegen.phantoms.reach import midline_reach
from guidegen.phantoms.spine import build_scene
from guidegen.phantoms.surface import gradient
from guidegen.phantoms.vertebra import CANAL_INTO_BODY_MM

FRACTURES = {
    "fracture_wedge": "L1",
    "fracture_supine": "L1",
    "fracture_biconcave": "L2",
    "fracture_thoracic": "T8",
    "fracture_onesided": "L3",
}
MEASURED = [*FRACTURES.items(), ("fracture_wedge", "L2"), ("fracture_thoracic", "T9")]


def local_surface(definition: Definition | str, level: str) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (V, 3) of a level's surface in its own frame, and faces (F, 3)."""
    bone = truth.surface(definition, level, 0.8)
    pose = build_scene(definition).poses[level]
    return pose.inverse.points(bone.vertices_mm), bone.faces


def measured_heights(definition: Definition | str, level: str) -> np.ndarray:
    """(3,): front, middle and back height by rays in the band |x| <= 3 mm."""
    rays = RayTarget(*local_surface(definition, level))
    x = np.linspace(-3.0, 3.0, 25)

    def reach(y: float, way: tuple[float, float, float]) -> float:
        start = np.stack([x, np.full_like(x, y), np.zeros_like(x)], axis=1)
        return float(np.median(rays.first_hit(start, np.array(way))[0]))

    front, back = -reach(0.0, (0, -1, 0)), reach(0.0, (0, 1, 0))
    places = front + np.array(DEPTH_SHARES) * (back - front)
    return np.array([reach(y, (0, 0, 1)) + reach(y, (0, 0, -1)) for y in places])


@pytest.mark.parametrize("name, level", MEASURED)
def test_heights_of_the_surface_are_the_closed_form(name: str, level: str) -> None:
    assert measured_heights(name, level) == pytest.approx(truth.heights(name, level), abs=0.05)


def test_an_undented_body_is_higher_by_both_dents() -> None:
    known = load_definition("fracture_biconcave")
    smooth = known.change["L2"].model_copy(update={"dent_mm": 0.0})
    plain = known.model_copy(update={"change": {**known.change, "L2": smooth}})
    more = np.array(truth.heights(plain, "L2")) - truth.heights(known, "L2")
    assert more == pytest.approx([0.0, 9.0, 0.0], abs=0.2)
    assert measured_heights(plain, "L2") - measured_heights(known, "L2") == pytest.approx(
        more, abs=0.05
    )


@pytest.mark.parametrize("name, level", FRACTURES.items())
def test_the_fractured_level_stands_out_from_its_neighbours(name: str, level: str) -> None:
    known = load_definition(name)
    shares = {n: compression(known, n) for n in known.expect.levels}
    assert shares[level] is not None and shares[level] > 0.18
    assert all(share < 0.1 for n, share in shares.items() if n != level and share is not None)


def test_compression_is_that_of_the_lowest_place() -> None:
    known = load_definition("fracture_wedge")
    front = truth.heights(known, "L1")[0]
    usual = (truth.heights(known, "T12")[0] + truth.heights(known, "L2")[0]) / 2
    assert compression(known, "L1") == pytest.approx(1 - front / usual, abs=1e-9)
    # Beside a fracture only the sound neighbour counts.
    t12, t11 = truth.heights(known, "T12"), truth.heights(known, "T11")
    wanted = max(0.0, *(1 - a / b for a, b in zip(t12, t11, strict=True)))
    assert compression(known, "T12") == pytest.approx(wanted, abs=1e-9)


def test_local_kyphosis_is_the_angle_between_the_endplates() -> None:
    scene = build_scene("fracture_wedge")
    for level, wanted in (("L1", 20.0), ("L3", -2.0)):
        upper, lower = (scene.vertebrae[level].endplate(top)[1] for top in (True, False))
        between = np.degrees(np.arctan2(-upper[1], upper[2]) + np.arctan2(-lower[1], -lower[2]))
        assert truth.local_kyphosis_deg("fracture_wedge", level) == wanted
        assert between == pytest.approx(wanted, abs=1e-9)


def test_truth_lists_all_measures_of_complete_levels() -> None:
    known = load_definition("fracture_biconcave")
    measures = fracture_measures(known)
    for level in known.expect.levels:
        names = [f"height_{place}_{level}" for place in ("front", "middle", "back")]
        assert {*names, f"compression_{level}", f"local_kyphosis_{level}"} <= set(measures)
    assert not any(name.endswith("L5") for name in measures)
    assert measures["height_middle_L2"] < 16 < 23 < measures["height_front_L2"]


@pytest.mark.parametrize("name", FRACTURES)
def test_discs_keep_their_height_beside_a_fracture(name: str) -> None:
    scene = build_scene(name)
    for upper, lower in pairwise(scene.definition.levels):
        foot = scene.poses[upper].points(scene.vertebrae[upper].endplate(False)[0])
        head = scene.poses[lower].points(scene.vertebrae[lower].endplate(True)[0])
        disc = scene.vertebrae[upper].sizes.disc
        assert np.linalg.norm(foot - head) == pytest.approx(disc, abs=1e-6)


def test_the_dent_is_deepest_in_the_middle_and_ends_before_the_rim() -> None:
    vertices, faces = local_surface("fracture_biconcave", "L2")
    vertebra = build_scene("fracture_biconcave").vertebrae["L2"]
    rays = RayTarget(vertices, faces)
    start = np.array([[0.0, 0.0, 0.0], [6.0, 0.0, 0.0], [17.5, 0.0, 0.0], [0.0, -12.5, 0.0]])
    for way, slope in ((1.0, 1.0), (-1.0, 1.0)):
        reached = rays.first_hit(start, np.array([0.0, 0.0, way]))[0]
        plane = vertebra.half_height + slope * np.tan(np.radians(1.5)) * start[:, 1]
        depths = plane - reached
        assert depths[0] == pytest.approx(4.5, abs=0.01)
        assert 3.0 < depths[1] < 4.2
        assert depths[2:] == pytest.approx([0.0, 0.0], abs=0.02)


def test_distances_are_distances_in_the_dent_and_on_the_fragment() -> None:
    solid = build_scene("fracture_biconcave").solid("L2")
    vertices, _ = local_surface("fracture_biconcave", "L2")
    x, y, z = vertices.T
    dent = ((x / 15) ** 2 + (y / 10) ** 2 < 1) & (np.abs(z) > 5)
    tip = (np.abs(x) < 5) & (y > 16) & (y < 18) & (z > 1.5)
    for part in (dent, tip):
        chosen = vertices[part][::3]
        assert len(chosen) > 30
        steep = np.linalg.norm(gradient(solid.shape, chosen), axis=1)
        assert np.abs(steep - 1.0).max() < 0.06


def test_the_fragment_reaches_into_the_canal_as_far_as_asked() -> None:
    scene = build_scene("fracture_biconcave")
    vertebra = scene.vertebrae["L2"]
    edge = vertebra.sizes.depth / 2 - CANAL_INTO_BODY_MM
    vertices, _ = local_surface("fracture_biconcave", "L2")
    x, y, z = vertices.T
    front_half = (y > 0) & (y < edge + vertebra.sizes.canal_depth / 2)
    middle = front_half & (np.abs(x) < 1.0)
    assert y[middle & (z > 0)].max() - edge == pytest.approx(3.0, abs=0.03)
    assert y[middle & (z < 0) & (z > -9)].max() - edge < 0.2
    beside = front_half & (np.abs(x) > 6.5) & (np.abs(x) < 8.5)
    wide, deep = vertebra.sizes.canal_width / 2, vertebra.sizes.canal_depth / 2
    inside_canal = (x / wide) ** 2 + ((y - vertebra.canal_centre[1]) / deep) ** 2
    assert inside_canal[beside].min() > 0.95


def test_pedicles_differ_left_and_right() -> None:
    for name, level in FRACTURES.items():
        pedicles = build_scene(name).vertebrae[level].pedicles
        assert pedicles["left"].width >= pedicles["right"].width + 0.5, name


def test_narrow_pedicles_hold_no_needle_and_wide_ones_do() -> None:
    for side in ("left", "right"):
        assert truth.corridor("fracture_thoracic", "T8", side).diameter_mm < 4.5
        assert truth.corridor("fracture_thoracic", "T9", side).diameter_mm > 5.5


@pytest.mark.parametrize("side", ["left", "right"])
def test_from_one_side_the_middle_third_is_reached_in_l3_but_not_in_l1(side: str) -> None:
    scene = build_scene("fracture_onesided")
    third = {level: scene.vertebrae[level].sizes.width / 6 for level in ("L1", "L3")}
    assert midline_reach(scene, "L3", side, 4.5) < third["L3"] - 2.0
    assert third["L1"] + 1.0 < midline_reach(scene, "L1", side, 3.0) < 20.0
    assert midline_reach(scene, "L1", side, 8.0) == np.inf
