"""The truth: surfaces, distances, corridors, landmarks, angles."""

from dataclasses import replace

import numpy as np
import pytest

from guidegen.errors import InputError
from guidegen.mesh.quality import topology
from guidegen.phantoms import shapes, truth
from guidegen.phantoms.approach import DrillSpace, Surroundings
from guidegen.phantoms.catalog import load_definition, phantom_names
from guidegen.phantoms.corridor import AxisLimits, best_corridor, corridor_of
from guidegen.phantoms.definition import Definition
from guidegen.phantoms.landmarks import vertebra_landmarks
from guidegen.phantoms.spine import build_scene
from guidegen.phantoms.surface import distances


def test_every_definition_loads_and_is_built() -> None:
    wanted = {"demo", "fused", "lumbar", "narrow", "round", "scoliosis", "thoracic"}
    wanted |= {f"fracture_{n}" for n in ("wedge", "supine", "biconcave", "thoracic", "onesided")}
    assert wanted <= set(phantom_names())
    for name in phantom_names():
        if not isinstance(load_definition(name), Definition):
            continue
        scene = build_scene(name)
        assert set(scene.definition.expect.levels) <= set(scene.vertebrae)


def test_unknown_name_lists_the_known() -> None:
    with pytest.raises(InputError, match="lumbar"):
        load_definition("elephant")


def test_surface_is_closed_and_on_the_shape(small: Definition) -> None:
    (bone,) = truth.surfaces(small, 1.0)
    found = topology(bone.vertices_mm, bone.faces)
    assert found.closed and found.n_bodies == 1
    solid = build_scene(small).solid("L3")
    off = np.abs(distances(solid.shape, solid.patient_from_bone.inverse.points(bone.vertices_mm)))
    assert float(np.percentile(off, 99.9)) < 0.002


def test_distances_along_a_normal_of_the_endplate(small: Definition) -> None:
    scene = build_scene(small)
    centre, normal = scene.vertebrae["L3"].endplate(True)
    depths = np.array([-2.0, -0.4, 0.3, 1.0, 3.0, 6.0])
    points = scene.poses["L3"].points(centre - depths[:, None] * normal)
    assert truth.inside_distance(small, "L3", points) == pytest.approx(depths, abs=0.03)
    assert truth.signed_distance(small, "L3", points) == pytest.approx(-depths, abs=0.03)


@pytest.mark.parametrize("side", ["left", "right"])
def test_corridor_of_a_round_rod_is_its_axis(side: str) -> None:
    """In a plain rod of 8 mm, in place of the vertebra, the best line is the rod's own axis."""
    scene = build_scene("round")
    vertebra, centre = scene.vertebrae["L3"], scene.vertebrae["L3"].isthmus(side)
    along = vertebra.pedicle_axes(side)[:, 2]

    def rod(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        distance = shapes.capsule(points, centre - 14 * along, centre + 60 * along, 4.0)
        return distance, np.ones_like(distance)

    solids = tuple(replace(s, shape=rod) if s.name == "L3" else s for s in scene.solids)
    limits = AxisLimits((0.0, 30.0), depth_share=0.3)
    found = best_corridor(replace(scene, solids=solids), "L3", side, limits)
    assert found.diameter_mm == pytest.approx(8.0, abs=0.03)
    turn = np.degrees(np.arccos(found.direction @ scene.poses["L3"].vectors(along)))
    assert turn < 0.3


def test_corridor_is_no_wider_than_the_bone_is_deep(small: Definition) -> None:
    found = truth.corridor(small, "L3", "right")
    t = np.linspace(8.0, np.linalg.norm(found.end_mm - found.entry_mm), 60)
    points = found.entry_mm + t[:, None] * found.direction
    deep = truth.inside_distance(small, "L3", points)
    assert 2 * float(deep.min()) == pytest.approx(found.diameter_mm, abs=0.15)


def test_landmarks_lie_where_the_definition_says(small: Definition) -> None:
    marks = vertebra_landmarks(build_scene(small), "L3")
    assert marks["pedicle_left"]["width_mm"] == pytest.approx(11.0, abs=0.15)
    assert marks["pedicle_right"]["width_mm"] == pytest.approx(10.0, abs=0.15)
    tip = np.array(marks["spinous_tip"]["position_mm"])
    assert abs(truth.signed_distance(small, "L3", tip)[0]) < 0.2
    canal = np.array(marks["canal_centre"]["position_mm"])
    assert truth.signed_distance(small, "L3", canal)[0] > 6.0


def test_cobb_is_the_sum_of_the_angles_between_endplates() -> None:
    scene = build_scene("lumbar")
    posture, wedge = (
        scene.definition.posture.flexion_deg,
        {n: v.sizes.wedge for n, v in scene.vertebrae.items()},
    )
    levels = scene.definition.levels
    lean = dict(zip(levels, posture, strict=True))
    wanted = abs(lean["L5"] - lean["L1"] - (wedge["L1"] + wedge["L5"]) / 2)
    assert truth.cobb_deg(scene, "L1", "L5") == pytest.approx(wanted, abs=1e-6)


def test_narrow_pedicles_are_those_that_the_definition_skips() -> None:
    definition = load_definition("narrow")
    vertebrae = build_scene(definition).vertebrae
    assert definition.expect.skipped
    for name in definition.expect.skipped:
        level, side = name.split("_")
        found = truth.corridor(definition, level, side)
        assert found.diameter_mm < 5.0
        assert found.diameter_mm == pytest.approx(vertebrae[level].pedicles[side].width, abs=0.25)


@pytest.mark.parametrize("side, width_mm", [("left", 9.0), ("right", 8.0)])
def test_a_tube_pedicle_has_its_axis_as_best_line(side: str, width_mm: float) -> None:
    scene = build_scene("round")
    pose, vertebra = scene.poses["L3"], scene.vertebrae["L3"]
    along = pose.vectors(vertebra.pedicle_axes(side)[:, 2])
    found = best_corridor(scene, "L3", side, AxisLimits((5.0, 25.0), entry_height_mm=0.5))
    assert found.diameter_mm == pytest.approx(width_mm, abs=0.02)
    assert np.degrees(np.arccos(found.direction @ along)) < 0.2
    middle = pose.points(vertebra.isthmus(side))
    there, _ = corridor_of(scene, "L3", side, middle - 12 * along, middle + 24 * along)
    assert there == pytest.approx(width_mm, abs=0.02)


def test_bone_in_the_way_of_drill_and_sleeve() -> None:
    space = DrillSpace(1.7, 4.0, standoff_mm=8.0, reach_mm=45.0)
    way, entry = np.array([0.0, -1.0, 0.0]), np.zeros(3)
    under_sleeve, beside_sleeve = np.array([[3.0, 5.0, 0.0]]), np.array([[3.0, 20.0, 0.0]])
    far_behind, on_the_slope = np.array([[1.0, 50.0, 0.0]]), np.array([[0.5, 2.0, 0.0]])
    none = np.zeros((0, 3))
    for own, others, wanted in (
        (under_sleeve, none, 1.3),
        (none, beside_sleeve, -1.0),
        (far_behind, none, -0.7),
        (on_the_slope, none, np.inf),
        (none, on_the_slope, -1.2),
    ):
        assert Surroundings(own, others).free(space, entry, way) == pytest.approx(wanted)


def test_a_sleeve_without_room_costs_corridor() -> None:
    scene = build_scene("round")
    free = best_corridor(scene, "L4", "left", AxisLimits((5.0, 25.0)))
    space = DrillSpace(1.7, 24.0, standoff_mm=4.0, reach_mm=60.0)
    blocked = best_corridor(scene, "L4", "left", AxisLimits((5.0, 25.0), drill=space))
    assert blocked.diameter_mm < free.diameter_mm - 1.0


def test_a_path_beside_the_best_measures_less(small: Definition) -> None:
    scene = build_scene(small)
    best = truth.corridor(small, "L3", "left")
    tip = best.end_mm
    along, under = corridor_of(scene, "L3", "left", best.entry_mm, tip)
    assert along == pytest.approx(best.diameter_mm, abs=0.02)
    assert under == pytest.approx(0.0, abs=0.02)
    aside = scene.poses["L3"].vectors(np.array([1.0, 0.0, 0.0]))
    beside, _ = corridor_of(scene, "L3", "left", best.entry_mm + aside, tip + aside)
    assert best.diameter_mm - 2.1 < beside < best.diameter_mm - 1.0
