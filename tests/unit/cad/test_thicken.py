"""Thin walls grow to the smallest that prints, thick ones stay, channels stay exact."""

import numpy as np
import pytest

from guidegen.cad.channel import Channel
from guidegen.cad.thicken import sturdy
from guidegen.errors import GeometryError
from guidegen.mesh.solid import Solid
from guidegen.mesh.surface import Surface
from guidegen.mesh.wall import thin_walls, thinnest_wall
from tests.unit.checks.specimen import arrays, box


def solid(shape):
    return Solid.from_mesh(*arrays(shape.refine_to_length(2.0)))


def made_of(body, channels=()):
    return sturdy(body, channels, 2.0, "L3", lambda b: thin_walls(*b.arrays(), (), 2.03))


def test_a_thin_blade_grows_and_its_block_stays():
    body = solid(box((-10, -10, -10), (10, 10, 0)) + box((-10, -0.5, -1), (10, 0.5, 10)))
    made = made_of(body)
    vertices, faces = made.arrays()
    assert thinnest_wall(vertices, faces).thickness_mm >= 2.0
    blade = vertices[(vertices[:, 2] > 3) & (vertices[:, 2] < 8) & (np.abs(vertices[:, 0]) < 8)]
    assert np.abs(blade[:, 1]).min() > 1.0 and np.abs(blade[:, 1]).max() < 1.5
    flat = vertices[(vertices[:, 2] < -8) & (np.abs(vertices[:, :2]) < 8).all(axis=1)]
    assert flat[:, 2] == pytest.approx(-10.0, abs=0.03)


def test_cavities_are_filled():
    hollow = box((-10, -10, -10), (10, 10, 10)) - box((-6, -6, -6), (6, 6, 6))
    shell = Solid.from_mesh(*arrays(hollow))
    made = made_of(shell)
    assert made.volume_mm3 == pytest.approx(8000.0, rel=0.03)


def test_the_wall_beside_a_channel_grows_outwards_only():
    body = solid(box((-10, -3, -10), (10, 20, 10)))
    channel = Channel("L3_left", np.array([-14.0, 0.0, 0.0]), np.array([1.0, 0, 0]), 28.0, 4.3)
    made = made_of(body.minus([channel.solid(narrower_mm=0.15)]), (channel,))
    vertices, faces = made.arrays()
    assert thinnest_wall(vertices, faces).thickness_mm >= 2.0
    distance, _ = Surface(vertices, faces).nearest(
        np.column_stack([np.arange(-9.0, 10), *np.zeros((2, 19))])
    )
    assert distance == pytest.approx(np.full(19, 2.15), abs=0.005)
    assert vertices[:, 1].min() < -4.1


def test_gaps_too_narrow_to_print_are_filled_and_wide_ones_stay():
    two = box((-10, -10, -10), (-0.4, 10, 10)) + box((0.4, -10, -10), (10, 10, 10))
    narrow = made_of(solid(two + box((-2, -2, -2), (2, 2, 2))))
    assert narrow.volume_mm3 == pytest.approx(8000.0, rel=0.03)
    apart = box((-10, -10, -10), (-2, 10, 10)) + box((2, -10, -10), (10, 10, 10))
    wide = made_of(solid(apart + box((-5, -3, -3), (5, 3, 3))))
    assert wide.volume_mm3 == pytest.approx(6400 + 144, rel=0.03)


def test_a_skin_between_two_crossing_channels_is_cut_off():
    body = solid(box((-12, -12, -12), (12, 12, 12)))
    one = Channel("L3_left", np.array([-14.0, 0.0, 2.6]), np.array([1.0, 0, 0]), 28.0, 4.3)
    two = Channel("L3_right", np.array([0.0, -14.0, -2.6]), np.array([0.0, 1, 0]), 28.0, 4.3)
    narrow = [c.solid(narrower_mm=0.15) for c in (one, two)]
    made = made_of(body.minus(narrow), (one, two))
    vertices, faces = made.arrays()
    assert thinnest_wall(vertices, faces).thickness_mm >= 2.0
    inside = Surface(vertices, faces).inside(np.array([[0.0, 0.0, 0.0], [8.0, 8.0, 0.0]]))
    assert inside.tolist() == [False, True]


def test_what_the_check_would_find_is_mended_before_the_body_is_handed_over():
    body, asked = solid(box((-10, -10, -10), (10, 10, 10))), []

    def judged(made):
        asked.append(made)
        return np.array([[10.0, 0.0, 0.0]])[: 1 if len(asked) == 1 else 0]

    assert sturdy(body, (), 2.0, "L3", judged) is asked[-1] and len(asked) == 2
    assert asked[1].volume_mm3 > asked[0].volume_mm3 + 1.0


def test_it_gives_up_in_a_sentence():
    body = solid(box((-10, -10, -10), (10, 10, 10)))
    with pytest.raises(GeometryError, match="L3: every wall of the model should be 2 mm thick"):
        sturdy(body, (), 2.0, "L3", lambda made: np.zeros((1, 3)))
