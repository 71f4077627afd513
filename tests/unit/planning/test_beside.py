from functools import lru_cache

import numpy as np
import pytest

from guidegen.mesh.field import sample_field
from guidegen.planning.beside import BesideLimits, way_beside

from .vertebra_shape import Shape

LIMITS = BesideLimits(
    axial_deg=(22.0, 50.0),
    sagittal_deg=(-20.0, 20.0),
    tip_y_mm=-5.0,
    tip_lateral_mm=(2.0, 11.0),
    entry_y_mm=5.0,
    front_margin_mm=5.0,
    canal_half_mm=10.5,
    canal_y_mm=(15.0, 34.0),
    canal_margin_mm=2.0,
    beside_z_mm=(-20.0, 20.0),
    radius_mm=1.5,
    free_mm=0.3,
)
BOX = np.array([[-40.0, -22.0, -20.0], [40.0, 40.0, 20.0]])


@lru_cache
def field():
    bone = Shape(radius=2.0, axial=2.0).bone()
    return sample_field(bone.vertices_mm, bone.faces, BOX, 1.0)


def clear(points, way):
    return False, 0.0


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_the_way_keeps_every_rule(side):
    found = way_beside(field(), LIMITS, 26.0, side, clear)
    tip, way = found.line.point, found.line.direction
    assert 2.0 <= side * tip[0] <= 11.0 and tip[1] <= -5.0
    entry = tip - found.length_mm * way
    assert entry[1] >= 5.0 and side * entry[0] > side * tip[0]
    assert 22.0 <= found.line.axial_deg <= 50.0
    along = tip - np.arange(0.0, 70.0, 0.5)[:, None] * way
    beside = along[(along[:, 1] > 15.0) & (along[:, 1] < 34.0)]
    assert (np.abs(beside[:, 0]) - 10.5).min() >= 1.5 + 2.0 - 0.3
    assert found.canal_mm >= 3.5


def test_both_sides_mirror_each_other():
    left, right = (way_beside(field(), LIMITS, 26.0, s, clear) for s in (1.0, -1.0))
    assert left.line.point * (-1, 1, 1) == pytest.approx(right.line.point, abs=1.6)


def test_lung_in_every_way_is_a_no():
    assert way_beside(field(), LIMITS, 26.0, 1.0, lambda p, w: (True, 0.0)) is None


def test_a_way_without_a_rib_is_preferred():
    def ribs_from_above(points, way):
        return False, 30.0 if way[2] < 0 else 0.0

    found = way_beside(field(), LIMITS, 26.0, 1.0, ribs_from_above)
    assert found.line.sagittal_deg >= 0.0 and found.rib_mm == 0.0


def test_no_way_where_the_canal_is_too_wide():
    wide = BesideLimits(**{**LIMITS.__dict__, "canal_half_mm": 40.0})
    assert way_beside(field(), wide, 26.0, 1.0, clear) is None


@pytest.mark.parametrize("band", [(-5.0, 20.0), (-14.0, -9.0)])
def test_the_way_passes_the_canal_at_the_height_asked_for(band):
    limits = BesideLimits(**{**LIMITS.__dict__, "beside_z_mm": band})
    found = way_beside(field(), limits, 26.0, 1.0, clear)
    along = found.line.point - np.arange(0.0, 70.0, 1.0)[:, None] * found.line.direction
    beside = along[(along[:, 1] > 15.0) & (along[:, 1] < 34.0)]
    assert len(beside) and band[0] <= beside[:, 2].min() and beside[:, 2].max() <= band[1]
