"""The cylinder of a bore is its wall's, whatever lies beside its mouths."""

import numpy as np
import pytest

from guidegen.checks.cylinder import fit_bore
from guidegen.mesh.solid import Solid
from guidegen.mesh.surface import Surface
from tests.unit.checks.specimen import arrays, box

SIZE_MM = 3.3
TOP = np.array([-14.0, 0.0, 0.0])
IN = np.array([1.0, 0.0, 0.0])


def drilled(tilt_deg=0.0, gutters=True):
    """A slab cut obliquely at both ends, whose bore comes out in gutters a little too wide."""
    turn = np.radians(tilt_deg)
    way = np.array([np.cos(turn), np.sin(turn), 0.0])
    body = Solid.from_mesh(*arrays(box((-10, -8, -8), (10, 8, 8)).refine_to_length(2.0)))
    tools = [Solid.cylinder(TOP, way, 30.0, SIZE_MM).refined(2.0)]
    for end in (-1.0, 1.0) if gutters else ():
        corners = [(end * x, y, z) for x, z in ((11, -9), (11, 9), (4, 9)) for y in (-9, 9)]
        start = np.array([min(end * 6, end * 12), 0.0, end * 0.1])
        tools += [Solid.cylinder(start, IN, 6.0, SIZE_MM + 0.1), Solid.hull(np.array(corners))]
    return Surface(*body.minus(tools).arrays())


@pytest.mark.parametrize("gutters", [False, True])
def test_gutters_beside_oblique_mouths_are_not_its_wall(gutters):
    found = fit_bore(drilled(gutters=gutters), TOP, IN, 28.0, SIZE_MM)
    assert found.angle_deg(IN) < 0.02 and found.distance_mm(np.zeros(3)) < 0.003
    assert found.diameter_mm == pytest.approx(SIZE_MM, abs=0.01)


def test_a_tilted_bore_with_gutters_is_measured_tilted():
    found = fit_bore(drilled(tilt_deg=0.4), TOP, IN, 28.0, SIZE_MM)
    assert found.angle_deg(IN) == pytest.approx(0.4, abs=0.05)
