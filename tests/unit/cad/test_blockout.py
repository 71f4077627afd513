"""Block-out on shapes whose shadow is known in closed form."""

import numpy as np
import pytest

from guidegen.cad.blockout import (
    bone_distance,
    columns_over,
    lowered,
    refined_distance,
    shadow,
    top_height,
)
from guidegen.cad.parts import ball, empty, join
from guidegen.mesh.grid import Lattice, isosurface
from guidegen.mesh.solid import Solid

GAP = 0.2


def surface(parts, low, high, blend=0.0):
    lattice = Lattice.around(low, high, 0.5)
    return Solid.from_mesh(
        *isosurface(lattice, join(lattice, empty(lattice), parts, blend))
    ).arrays()


def blocked_out(bone, lattice):
    """What of the lattice's box is free: a cover with the bone's shadow cut out."""
    coarse = Lattice(lattice.origin_mm, 1.2, tuple(int(n // 3) + 1 for n in lattice.shape))
    near = refined_distance((coarse, bone_distance(coarse, *bone)), lattice, bone, (GAP, GAP))
    free = GAP - lowered(shadow(near))
    return free


def test_shadow_of_a_ball_is_a_capsule_down_to_the_floor():
    bone = surface([ball(np.zeros(3), 6.0)], (-7, -7, -7), (7, 7, 7))
    lattice = Lattice.around((-8, -8, -8), (8, 8, 8), 0.4)
    vertices, _ = isosurface(lattice, blocked_out(bone, lattice))
    inner = np.abs(vertices).max(axis=1) < 7.9
    points = vertices[inner & (np.hypot(vertices[:, 0], vertices[:, 1]) < 7.5)]
    under = points[:, 2] < 0
    radial = np.where(under, np.hypot(points[:, 0], points[:, 1]), np.linalg.norm(points, axis=1))
    assert np.abs(radial - 6.0 - GAP).max() < 0.05


def test_the_shadow_on_a_part_needs_only_the_columns_over_it():
    bone = surface([ball(np.zeros(3), 6.0)], (-7, -7, -7), (7, 7, 7))
    lattice = Lattice.around((-8, -8, -8), (8, 8, 8), 0.4)
    part = np.zeros(lattice.shape, dtype=bool)
    part[lattice.box((-1, -6, -2), (3, 2, 6))] = True
    coarse = Lattice(lattice.origin_mm, 1.2, tuple(int(n // 3) + 1 for n in lattice.shape))
    from_coarse = (coarse, bone_distance(coarse, *bone))
    whole = refined_distance(from_coarse, lattice, bone, (GAP, GAP))
    some = refined_distance(from_coarse, lattice, bone, (GAP, GAP), columns_over(part))
    assert not np.array_equal(whole, some)
    assert np.array_equal(lowered(shadow(whole))[part], lowered(shadow(some))[part])


def test_nothing_collides_on_straight_removal_from_a_bumpy_bone():
    rng = np.random.default_rng(3)
    spots = rng.uniform((-6, -6, -4), (6, 6, 4), (40, 3))
    bumps = [ball(p, r) for p, r in zip(spots, rng.uniform(1.0, 3.0, 40), strict=True)]
    bone = surface([ball(np.zeros(3), 5.0), *bumps], (-11, -11, -9), (11, 11, 9), 0.3)
    lattice = Lattice.around((-7, -7, -5), (7, 7, 9), 0.4)
    part, body = isosurface(lattice, blocked_out(bone, lattice)), Solid.from_mesh(*bone)
    for lift in (0.0, 0.1, 0.5, 1.0, 2.0, 4.0, 8.0):
        moved = Solid.from_mesh(part[0] + [0, 0, lift], part[1])
        assert moved.overlap_mm3(body) == 0.0


def test_plain_offset_would_collide_under_an_overhang():
    bone = surface(
        [ball(np.array([0, 0, 3.0]), 4.0), ball(np.array([0, 0, -4.0]), 3.0)], (-8,) * 3, (8,) * 3
    )
    lattice = Lattice.around((-6, -6, -6), (6, 6, 6), 0.4)
    plain = isosurface(lattice, GAP - bone_distance(lattice, *bone))
    lifted = Solid.from_mesh(plain[0] + [0, 0, 2.0], plain[1])
    assert lifted.overlap_mm3(Solid.from_mesh(*bone)) > 1.0


def test_top_height_is_sub_voxel():
    lattice = Lattice.around((-3, -3, -3), (3, 3, 3), 0.5)
    z = lattice.axis(2)[None, None, :]
    clear = np.broadcast_to(z - 0.83, lattice.shape).astype(np.float32)
    assert top_height(lattice, clear) == pytest.approx(0.83, abs=1e-5)
    assert np.isneginf(top_height(lattice, np.ones_like(clear))).all()


def test_lowered_leaves_a_plane_and_lowers_a_ridge():
    lattice = Lattice.around((-3, -3, -3), (3, 3, 3), 0.5)
    x = lattice.axis(0)[:, None, None]
    plane = np.broadcast_to(x, lattice.shape).astype(np.float32)
    assert lowered(plane) == pytest.approx(plane)
    ridge = np.abs(plane)
    assert (ridge - lowered(ridge)).max() == pytest.approx(0.05)
