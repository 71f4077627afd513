"""Cuts through shapes of known size."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from guidegen.planning.resection import (
    Face,
    extent_mm,
    notch_mm,
    resection,
    section_segments,
    turned,
)
from tests.fake_procedure import box

TURN = Rotation.from_euler("xyz", (30, -20, 75), degrees=True).as_matrix()
X, Y, Z = np.eye(3)


def _block():
    """A block of 40 x 30 x 60 mm, turned and moved."""
    points, faces = box((-20, -15, -30), (20, 15, 30))
    return points @ TURN.T + (100.0, -50.0, 7.0), faces


def test_the_more_prominent_part_loses_the_thickness():
    medial, lateral = np.array([[10.0, 0, -3.0], [5, 0, 4]]), np.array([[-10.0, 0, 0.0]])
    face = resection(-Z, (medial, lateral), 7.0)
    assert face.removed_mm(medial).max() == pytest.approx(7.0)
    assert face.removed_mm(lateral).max() == pytest.approx(4.0)


def test_turning_follows_the_right_hand():
    np.testing.assert_allclose(turned(Z, X, 90.0), -Y, atol=1e-12)
    assert np.degrees(np.arccos(turned(Z, X + 0.5 * Z, 3.0) @ Z)) < 3.0


@pytest.mark.parametrize("height", [-29.0, 0.0, 12.5])
def test_a_section_of_a_block_has_the_block_s_size(height):
    points, faces = _block()
    face = Face(np.array([100.0, -50, 7]) + TURN @ (height * Z), TURN @ Z)
    assert extent_mm(points, faces, face, TURN @ X) == pytest.approx(40.0)
    assert extent_mm(points, faces, face, TURN @ Y) == pytest.approx(30.0)
    assert np.isfinite(section_segments(points, faces, face)).all()


def test_a_plane_beside_the_bone_cuts_nothing():
    points, faces = _block()
    assert extent_mm(points, faces, Face(np.array([100.0, -50, 80]), Z), X) == 0.0


def test_a_cut_behind_the_cortex_notches_it():
    cortex = np.array([[0.0, -20.0, 60.0], [3.0, -18.5, 70.0]])
    assert notch_mm(Face(np.array([0.0, -20.5, 0.0]), -Y), cortex) == 0.0
    assert notch_mm(Face(np.array([0.0, -18.0, 0.0]), -Y), cortex) == pytest.approx(2.0)
