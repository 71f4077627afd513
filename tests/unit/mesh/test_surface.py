"""Distances and sides of points against surfaces whose answer is known."""

import numpy as np
import pytest
from manifold3d import Manifold
from solids import arrays

from guidegen.mesh.surface import Surface

RADIUS = 8.0


@pytest.fixture(scope="module")
def ball():
    return Surface(*arrays(Manifold.sphere(RADIUS, 128)))


def cloud(low, high, n=5000):
    way = np.random.default_rng(4).normal(size=(n, 3))
    way /= np.linalg.norm(way, axis=1)[:, None]
    return way * np.linspace(low, high, n)[:, None]


@pytest.mark.parametrize("span", [(8.3, 40.0), (8.0, 9.0), (3.0, 40.0), (100.0, 101.0)])
def test_smallest_distance_is_that_of_the_nearest(ball, span):
    points = cloud(*span)
    found = ball.smallest_distance(points)
    assert found == pytest.approx(ball.nearest(points)[0].min(), abs=1e-12)
    assert found == pytest.approx(span[0] - RADIUS, abs=0.02)


def test_one_spot_among_many_that_touches_is_found(ball):
    points = np.concatenate([cloud(12.0, 40.0), [[0, 0, RADIUS + 0.011]], cloud(12.0, 40.0)])
    assert ball.smallest_distance(points) == pytest.approx(0.011, abs=0.01)
    deep = np.concatenate([points, [[0, 0, RADIUS - 0.3]]])
    assert ball.smallest_distance(deep) == pytest.approx(-0.3, abs=0.01)


def test_inside_looks_only_into_the_box(ball):
    points = cloud(0.0, 16.0)
    assert np.array_equal(ball.inside(points), ball.nearest(points)[0] < 0)
    assert ball.inside(points).sum() == pytest.approx(len(points) / 2, abs=20)
    assert not ball.inside(points + 20).any()
