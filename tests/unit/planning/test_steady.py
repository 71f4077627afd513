"""The steady line: noise does not move it in a wide pedicle, a narrow one keeps its widest."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import pytest

from guidegen.model.bone import Bone
from guidegen.planning.approach import Obstacles
from guidegen.planning.coarse import Task
from guidegen.planning.corridor import widest_corridors, widest_width, width_along
from guidegen.planning.line import Line, directions
from guidegen.planning.steady import evenness, room_of, steadied
from guidegen.planning.wall import Wall

from .test_corridor import LIMITS
from .vertebra_shape import Shape

WIDE = replace(LIMITS, run_weight=0.0, tip_weight=0.0)


@dataclass(frozen=True)
class Tall(Shape):
    """Its pedicles are ``radius`` to each side and ``height`` up and down."""

    height: float = 8.0

    def rod(self, p, side):
        way = directions(self.axial, self.sagittal, side)
        across = np.cross(way, [0.0, 0.0, 1.0])
        offset = p - np.array(self.isthmus) * (side, 1.0, 1.0)
        u, v = (offset @ across) / self.radius, offset[..., 2] / self.height
        round_it = (np.hypot(u, v) - 1.0) * self.radius
        return np.maximum(round_it, np.abs(offset @ way - 1.0) - 10.0)


@lru_cache
def task_of(shape, seed=None):
    """One pedicle; with a seed every point of the surface lies up to 0.3 mm off."""
    bone = shape.bone()
    vertices = bone.vertices_mm
    if seed is not None:
        rng = np.random.default_rng(seed)
        vertices = vertices + rng.uniform(-0.3, 0.3, vertices.shape)
    bone = Bone("L3", vertices, bone.faces)
    start = Line(np.array(shape.isthmus), shape.axial, 0.0, 1.0)
    wall = Wall.around(bone.vertices_mm, bone.faces, start, 15.0)
    return Task(wall, Obstacles.near(bone.vertices_mm, np.zeros((0, 3)), start), WIDE, start)


def spread_mm(lines):
    """Largest distance of the lines' ends in the pedicle from their middle."""
    ends = np.array([[line.point + way * line.direction for way in (-8.0, 8.0)] for line in lines])
    return float(np.linalg.norm(ends - ends.mean(axis=0), axis=2).max())


def test_a_tall_tube_gives_the_same_line_whatever_the_noise():
    shape = Tall(radius=4.2, isthmus=(15.0, 17.0, 2.0))
    tasks = [task_of(shape, seed) for seed in range(4)]
    rng = np.random.default_rng(1)
    ups = np.outer(rng.uniform(-1, 1, len(tasks)), [0.0, 0.0, 1.0])
    starts = [replace(t.start, point=t.start.point + u) for t, u in zip(tasks, ups, strict=True)]
    steady = [steadied(t, s, 0.0, 1.0) for t, s in zip(tasks, starts, strict=True)]
    assert spread_mm(steady) < 0.5 < spread_mm(starts)
    for task, line in zip(tasks, steady, strict=True):
        assert evenness(task, line, 0.0, 0.45) >= evenness(task, task.start, 0.0, 0.45) - 1e-3
        assert width_along(task, line) > 2 * 4.2 - 1.0


def test_whole_search_in_a_tall_tube_is_steady():
    shape = Tall(radius=4.2, isthmus=(15.0, 17.0, 2.0))
    lines = [widest_corridors(t, [t.start])[0].line for t in (task_of(shape, n) for n in range(4))]
    assert spread_mm(lines) < 0.5  # 0.7 where the widest line alone counts


@pytest.mark.parametrize("radius", [2.4, 3.0])
def test_a_narrow_pedicle_keeps_its_widest_line(radius):
    task = task_of(Tall(radius=radius, height=2 * radius))
    width, line = widest_width(task, [task.start])
    assert steadied(task, line, 0.0, room_of(width / 2)) is line
    found = widest_corridors(task, [task.start])[0]
    assert width_along(task, found.line) == pytest.approx(width, abs=0.1)


def test_room_grows_from_6_to_8_mm():
    assert [room_of(r) for r in (2.0, 3.0, 3.5, 4.0, 6.0)] == [0.0, 0.0, 0.5, 1.0, 1.0]


def test_a_line_that_oversteps_its_limits_is_no_summit():
    task = task_of(Tall(radius=4.2, isthmus=(15.0, 17.0, 2.0)))
    limits = replace(WIDE, axial_deg=(0.0, 5.0))
    narrow = replace(task, limits=limits)
    start = replace(task.start, axial_deg=5.0)
    assert steadied(narrow, start, 0.0, 1.0).axial_deg <= 5.0
    beyond = replace(task.start, axial_deg=9.0)
    assert evenness(narrow, beyond, 0.0, 0.45) < evenness(task, beyond, 0.0, 0.45) - 3.9
    outside = replace(task.start, point=task.start.point + np.array([60.0, 0.0, 0.0]))
    assert evenness(task, outside, 0.0, 0.45) == -np.inf
