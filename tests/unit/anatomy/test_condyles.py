"""What stands out of a condyle's side: one hill, its top told from a part of it."""

from __future__ import annotations

import numpy as np
import pytest

from guidegen.anatomy.condyles import _Near

OUT = np.array([0.0, 0.0, 1.0])


def hill(x_mm: float, top_mm: float, radius_mm: float) -> np.ndarray:
    """(N, 3) places 0.5 mm apart on a cap of a ball, its top at x and a height."""
    x, y = np.meshgrid(*[np.arange(-6.0, 6.1, 0.5)] * 2, indexing="ij")
    z = top_mm - (x**2 + y**2) / (2 * radius_mm)
    return np.column_stack([x.ravel() + x_mm, y.ravel(), z.ravel()])


def seen(*hills: np.ndarray) -> _Near:
    places = np.concatenate(hills)
    return _Near(places, np.full(len(places), 0.25))


def test_the_top_of_a_round_hill():
    assert seen(hill(3.0, 10.0, 20.0)).farthest(OUT, 80.0) == pytest.approx([3, 0, 10], abs=0.1)


def test_a_lower_hill_beside_it_takes_no_part():
    alone = seen(hill(0.0, 10.0, 8.0)).farthest(OUT, 150.0, one_hill=True)
    both = seen(hill(0.0, 10.0, 8.0), hill(18.0, 9.3, 20.0)[::3]).farthest(
        OUT, 150.0, one_hill=True
    )
    assert both[:2] == pytest.approx(alone[:2], abs=0.1)


def test_a_step_that_hangs_together_with_it_does():
    joined = seen(hill(0.0, 10.0, 8.0), hill(8.0, 9.7, 30.0)).farthest(OUT, 150.0, one_hill=True)
    assert joined[0] > 1.0


def test_unless_asked_all_that_stands_out_counts():
    rough = seen(hill(-9.0, 10.0, 30.0), hill(9.0, 10.0, 30.0))
    assert rough.farthest(OUT, 100.0)[0] == pytest.approx(0.0, abs=0.5)
