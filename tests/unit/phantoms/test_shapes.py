import numpy as np
import pytest

from guidegen.phantoms import shapes


def points(seed: int, n: int = 4000, half: float = 12.0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-half, half, (3, n))


def slope(shape, p: np.ndarray) -> np.ndarray:
    """Length of the gradient, by central differences."""
    parts = []
    for n in range(3):
        way = np.zeros((3, 1))
        way[n] = 1e-5
        parts.append((shape(p + way) - shape(p - way)) / 2e-5)
    return np.linalg.norm(parts, axis=0)


def test_a_capsule_without_length_is_a_ball() -> None:
    p = points(1)
    found = shapes.capsule(p, (0, 0, -1e-9), (0, 0, 1e-9), 4.0)
    np.testing.assert_allclose(found, np.linalg.norm(p, axis=0) - 4.0, atol=1e-6)


def test_a_capsule_is_an_exact_distance() -> None:
    p, start, end = points(2), np.array([-3.0, 1, 2]), np.array([4.0, -2, 1])
    t = np.linspace(0, 1, 4001)[:, None]
    line = start + t * (end - start)
    nearest = np.min([np.linalg.norm(p - c[:, None], axis=0) for c in line[::20]], axis=0)
    np.testing.assert_allclose(shapes.capsule(p, start, end, 2.5), nearest - 2.5, atol=2e-3)


def test_a_rounded_box_keeps_its_size_and_measures_exactly() -> None:
    axes, half = np.eye(3), (5.0, 3.0, 2.0)

    def box(p: np.ndarray) -> np.ndarray:
        return shapes.box(p, (0, 0, 0), axes, half, 1.0)

    faces = np.array([[5.0, 0, 0], [0, -3.0, 0], [0, 0, 2.0]]).T
    np.testing.assert_allclose(box(faces), 0.0, atol=1e-12)
    assert box(np.array([[7.5], [0.0], [0.0]]))[0] == pytest.approx(2.5)
    corner = np.array([[4.0], [2.0], [1.0]]) + 3.0 / np.sqrt(3)
    assert box(corner)[0] == pytest.approx(2.0)


def test_an_ellipse_is_zero_on_its_edge_and_has_a_slope_of_one_there() -> None:
    angle = np.linspace(0, 2 * np.pi, 97)
    p = np.stack([7.0 * np.cos(angle), 4.0 * np.sin(angle), np.zeros_like(angle)])

    def tube(q: np.ndarray) -> np.ndarray:
        return shapes.ellipse(q[0], q[1], 7.0, 4.0)

    np.testing.assert_allclose(tube(p), 0.0, atol=1e-12)
    np.testing.assert_allclose(slope(tube, p), 1.0, atol=1e-6)


def test_a_smooth_union_is_the_minimum_away_from_the_fillet() -> None:
    a, b = np.array([-3.0, 0.0, 2.0, 0.5]), np.array([1.0, 5.0, 2.0, 0.0])
    joined = shapes.smooth_union(a, b, 2.0)
    np.testing.assert_allclose(joined[:2], [-3.0, 0.0])
    assert joined[2] == pytest.approx(2.0 - 0.5)
    assert (joined <= np.minimum(a, b)).all()


def test_a_smooth_cut_is_the_mirror_of_a_smooth_union() -> None:
    a, b = points(3)[:2]
    np.testing.assert_allclose(
        shapes.smooth_cut(a, b, 1.5), -shapes.smooth_union(-a, -b, 1.5), atol=1e-12
    )


def test_an_elliptic_rod_is_as_wide_and_high_as_asked_at_its_centre() -> None:
    ends = np.array([[4.0, 0, 0], [-4.0, 0, 0], [0, 6.0, 0], [0, -6.0, 0]]).T
    found = shapes.elliptic_rod(ends, (0, 0, 0), np.eye(3), (4.0, 6.0), (9.0, 16.0, 0.2))
    np.testing.assert_allclose(found, 0.0, atol=1e-9)
