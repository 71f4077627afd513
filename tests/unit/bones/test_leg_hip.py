"""The femoral head is told from the trochanter wherever a leaning leg puts it."""

from __future__ import annotations

import numpy as np
import pytest

from guidegen.bones.leg_hip import _head

STEP = np.full(3, 1.2)
TOP = np.array([12.0, 60.0, 60.0])


def upper_femur(head: tuple[float, float, float]) -> np.ndarray:
    """Shaft, a thick trochanteric part and the head, a ball a little larger: (K, J, I) bool."""
    k, j, i = np.meshgrid(*(np.arange(n) * 1.2 for n in (90, 100, 100)), indexing="ij")
    shaft = (np.hypot(j - TOP[1], i - TOP[2]) < 13.0) & (k < TOP[0] + 30.0)
    balls = [(TOP + np.array([14.0, 0.0, 14.0]), 17.5), (TOP + np.array(head), 19.5)]
    inside = [np.linalg.norm(np.stack([k, j, i], -1) - c, axis=-1) < r for c, r in balls]
    return shaft | inside[0] | inside[1]


@pytest.mark.parametrize("head", [(57.0, 0.0, -6.0), (40.0, 0.0, -36.0)], ids=["above", "beside"])
def test_the_head_is_found_above_and_beside_the_shaft(head):
    found = _head(upper_femur(head), TOP, STEP)
    assert found is not None
    np.testing.assert_allclose(found.centre, TOP + head, atol=2.5)
