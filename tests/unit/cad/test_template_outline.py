"""The flat shape of a template: midline, outline, openings."""

import numpy as np
import pytest

from guidegen.cad.template_outline import Midline, Opening, Outline, composite, notch

SQUARE = Outline(np.array([(-20.0, -10.0), (20.0, -10.0), (20.0, 10.0), (-20.0, 10.0)]), 5.0)


def test_a_rounded_outline_is_an_exact_distance():
    places = np.array([(0, 0), (30, 0), (25, 0), (23, 14), (20, 17)], dtype=float)
    assert SQUARE.distance(places) == pytest.approx([-15, 5, 0, 0, 2])


def test_the_midline_goes_from_tip_to_tip_and_straight_on():
    bent = Midline(np.array([(2.0, 20.0), (0.0, 0.0), (4.0, -20.0)]))
    assert bent.x_at(np.array([20.0, 10.0, 0.0, -10.0])) == pytest.approx([2, 1, 0, 2])
    assert bent.x_at(40.0) == pytest.approx(2.0 - 20 * 0.05)
    alone = Midline(np.array([(3.0, 7.0)]))
    assert alone.x_at(np.array([-50.0, 50.0])) == pytest.approx([3, 3])
    assert bent.mirrored(np.array([(10.0, 0.0)])) == pytest.approx(np.array([(-10.0, 0.0)]))


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_notch_follows_a_slanting_line(sign):
    slanting = Midline(np.array([(-3.0, 15.0), (3.0, -15.0)]))
    cut = notch(SQUARE, slanting, sign, (6.0, 7.0))
    y = sign * np.array([15.5, 12.0, 9.0, 7.0])
    on_line = np.column_stack([slanting.x_at(y), y])
    assert (cut.distance(on_line) < 0).tolist() == [True, True, True, False]
    beside = on_line[1] + np.array([[3.6, 0.0], [-3.6, 0.0]])
    assert (cut.distance(beside) > 0).all()
    assert cut.along[1] * sign > 0.9 and cut.along[0] * sign < 0
    assert composite(SQUARE, [cut], on_line[1]) > 0 > SQUARE.distance(on_line[1])


def test_a_round_opening():
    hole = Opening("sight", "spinous_1", np.array([1.0, 2.0]), (3.0, 3.0), 3.0)
    assert hole.distance(np.array([(1, 2), (4, 2), (1, 7)], dtype=float)) == pytest.approx(
        [-3, 0, 2]
    )
