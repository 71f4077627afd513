from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from guidegen.mesh.field import sample_field
from guidegen.planning.approach import Obstacles
from guidegen.planning.coarse import Task, coarse_lines
from guidegen.planning.corridor import (
    measure_corridor,
    widest_corridor,
    widest_width,
    width_along,
)
from guidegen.planning.limits import PathLimits
from guidegen.planning.line import Line, angles_deg, directions
from guidegen.planning.wall import Wall

from .vertebra_shape import Shape

LIMITS = PathLimits(
    axial_deg=(0.0, 30.0),
    sagittal_deg=(-15.0, 15.0),
    entry_height_mm=20.0,
    depth_share=(0.6, 0.85),
    front_margin_mm=4.0,
    corridor_share=0.8,
    max_diameter_mm=7.5,
    cap_mm=3.0,
    length_step_mm=5.0,
    canal_bias_mm=0.0,
    drill_radius_mm=1.65,
    sleeve_radius_mm=4.2,
    standoff_mm=8.0,
    sleeve_reach_mm=45.0,
)
BOX = np.array([[-34.0, -22.0, -14.0], [34.0, 40.0, 20.0]])


@lru_cache
def sampled(shape):
    bone = shape.bone()
    return bone, sample_field(bone.vertices_mm, bone.faces, BOX, 2.0)


def planned(shape, side=1.0, limits=LIMITS, neighbours=None):
    bone, field = sampled(shape)
    start = Line(np.array(shape.isthmus) * (side, 1, 1), 5.0, 0.0, side)
    wall = Wall.around(bone.vertices_mm, bone.faces, start, 15.0)
    others = np.zeros((0, 3)) if neighbours is None else neighbours
    task = Task(wall, Obstacles.near(bone.vertices_mm, others, start), limits, start)
    return widest_corridor(field, task), task


@pytest.mark.parametrize(("axial", "side"), [(12.0, 1.0), (12.0, -1.0), (20.0, 1.0)])
def test_round_pedicle_gives_its_own_axis(axial, side):
    shape = Shape(radius=3.5, axial=axial)
    found, _ = planned(shape, side)
    turn = np.degrees(np.arccos(found.line.direction @ directions(axial, 0.0, side)))
    assert turn < 2.0
    assert found.diameter_mm == pytest.approx(7.0, abs=0.3)


def test_no_line_of_a_lattice_is_wider_by_half_a_millimetre():
    shape = Shape(radius=3.5, axial=12.0)
    found, task = planned(shape)
    rng = np.random.default_rng(3)
    for _ in range(150):
        shift = np.array([rng.uniform(-2, 2), 0.0, rng.uniform(-2, 2)])
        axial, sagittal = rng.uniform(0, 30), rng.uniform(-15, 15)
        other = measure_corridor(task, Line(task.start.point + shift, axial, sagittal, 1.0))
        if other is not None and other.deep_enough:
            assert other.diameter_mm <= found.diameter_mm + 0.5


def test_path_keeps_its_limits():
    found, _ = planned(Shape())
    length = found.tip - found.entry
    assert length / 5.0 == pytest.approx(round(length / 5.0))
    assert 0.6 <= found.depth_share <= 0.85
    assert found.front - found.tip >= 4.0
    assert 0.0 <= found.line.axial_deg <= 30.0
    entry, tip = found.at(found.entry), found.at(found.tip)
    shape = Shape()
    assert abs(shape.measure(entry)) < 0.2
    assert shape.measure(tip) < -3.0


def test_convergence_limit_holds_where_the_pedicle_is_steeper():
    found, _ = planned(Shape(axial=25.0), limits=replace(LIMITS, axial_deg=(5.0, 15.0)))
    assert found.line.axial_deg <= 15.0 + 1e-6


def test_entry_stays_below_its_limit():
    found, _ = planned(Shape(), limits=replace(LIMITS, entry_height_mm=-2.0))
    assert found.at(found.entry)[2] <= 5.0 - 2.0 + 0.2


def test_drill_goes_round_a_neighbour():
    free, _ = planned(Shape(radius=5.0))
    spot = free.at(free.entry - 15.0)
    side = np.cross(free.line.direction, [0.0, 0.0, 1.0])
    g = np.linspace(-3, 3, 9)
    blob = spot + 5.5 * side + np.stack(np.meshgrid(g, g, g), axis=-1).reshape(-1, 3)
    assert (
        measure_corridor(planned(Shape(radius=5.0), neighbours=blob)[1], free.line).approach_mm < 0
    )
    found, _ = planned(Shape(radius=5.0), neighbours=blob)
    assert found.approach_mm > -0.05


def test_a_wall_behind_blocks_every_approach():
    g = np.arange(-40.0, 40.0, 1.0)
    x, z = np.meshgrid(g, g)
    plate = np.stack([x.ravel(), np.full(x.size, 55.0), z.ravel()], axis=1)
    found, _ = planned(Shape(), neighbours=plate)
    assert found.approach_mm < -1.0


def test_standoff_is_the_height_of_any_bone_under_the_sleeve():
    found, task = planned(Shape())
    side = np.cross(found.line.direction, [0.0, 0.0, 1.0])
    spot = found.at(found.entry - 9.5) + 3.0 * side
    bare = replace(task.obstacles, own=np.zeros((0, 3)), neighbours=np.zeros((0, 3)))
    for cloud in ("own", "neighbours"):
        near = replace(bare, **{cloud: spot[None]})
        assert near.sleeve_standoff(found.line, found.entry, LIMITS) == pytest.approx(9.5)
        beside = replace(bare, **{cloud: (spot + 2.0 * side)[None]})
        assert beside.sleeve_standoff(found.line, found.entry, LIMITS) == 0.0


def test_rough_clearance_of_many_lines_follows_the_exact_one():
    _, task = planned(Shape())
    g = np.arange(-12.0, 12.0, 1.0)
    x, z = np.meshgrid(g, g)
    plate = np.stack([x.ravel() + 20.0, np.full(x.size, 55.0), z.ravel() + 5.0], axis=1)
    task = replace(task, obstacles=replace(task.obstacles, neighbours=plate))
    lines = coarse_lines(sampled(Shape())[1], task, 30)
    spans = [task.wall.span(line) for line in lines]
    lines = [line for line, span in zip(lines, spans, strict=True) if span]
    entries = np.array([span.entry for span in spans if span])
    rough = task.obstacles.rough(
        np.array([line.point for line in lines]),
        np.array([line.direction for line in lines]),
        entries,
        LIMITS,
    )
    exact = [task.obstacles.free(o, e, LIMITS) for o, e in zip(lines, entries, strict=True)]
    assert len(lines) > 10
    assert np.all(rough >= np.array(exact) - 1e-9) and np.all(rough <= np.array(exact) + 1.6)


def test_the_coarse_search_starts_where_a_drill_can_come_in():
    free, task = planned(Shape(radius=5.0))
    g = np.linspace(-7, 7, 15)
    x, y, z = np.meshgrid(g, [0.0, 6.0], g)
    block = free.at(free.entry - 16.0) + np.stack([x, y, z], axis=-1).reshape(-1, 3)
    block = block[(block - free.line.point) @ np.array([1.0, 0.0, 0.0]) > 4.0]
    blocked = replace(task, obstacles=replace(task.obstacles, neighbours=block))
    field = sampled(Shape(radius=5.0))[1]

    def best(t):
        line = coarse_lines(field, t)[0]
        return t.obstacles.free(line, t.wall.span(line).entry, LIMITS)

    assert blocked.obstacles.free(coarse_lines(field, task)[0], free.entry, LIMITS) < -1.0
    assert best(blocked) > -1.0


@pytest.mark.parametrize("radius", [2.2, 2.5, 3.5])
def test_more_starts_find_no_wider_corridor(radius):
    shape = Shape(radius=radius)
    _, task = planned(shape)
    field = sampled(shape)[1]
    width, line = widest_width(task, coarse_lines(field, task))
    rng = np.random.default_rng(5)
    more = coarse_lines(field, task, 40)
    for _ in range(20):
        shift = np.array([rng.normal(0, 1), 0.0, rng.normal(0, 1.5)])
        turned = np.clip(line.axial_deg + rng.normal(0, 4), 0, 30)
        more.append(replace(line, point=line.point + shift, axial_deg=float(turned)))
    assert widest_width(task, more)[0] <= width + 0.1
    assert width_along(task, line) == width
    assert width == pytest.approx(2 * radius, abs=0.3)


def test_a_line_out_of_the_canal_is_no_corridor_even_without_an_arch():
    _, task = planned(Shape())
    out_of_canal = Line(np.array([6.0, 12.0, 2.0]), 0.0, 0.0, 1.0)
    walls = replace(task.wall, entry_behind_mm=22.0)
    assert task.wall.span(out_of_canal) is not None
    assert walls.span(out_of_canal) is None
    assert walls.span(task.start) is not None


def test_the_same_plan_bit_for_bit():
    first, _ = planned(Shape())
    again, _ = planned(Shape())
    assert np.array_equal(first.line.point, again.line.point)
    assert (first.line.axial_deg, first.tip) == (again.line.axial_deg, again.tip)


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_angles_and_directions_agree(side):
    assert angles_deg(directions(17.0, -8.0, side), side) == pytest.approx((17.0, -8.0))
    inward = directions(20.0, 0.0, side)
    assert inward[0] * side < 0
    assert inward[1] < 0
