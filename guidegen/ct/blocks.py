"""Even stretches of a series whose slices are not evenly spaced as a whole."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from guidegen.ct.headers import SliceHeader
from guidegen.ct.stack import GAP_TOLERANCE, along_normal, sorted_places
from guidegen.errors import UnsupportedScan


def even_blocks(slices: Sequence[SliceHeader], min_slices: int) -> list[list[SliceHeader]]:
    """Find the stretches with one distance between slices, from low to high along the normal.

    A slice where the distance changes belongs to the stretch on both of its sides.

    Args:
        slices: One orientation, size and pixel spacing, without copies.
        min_slices: Shorter stretches are left out.
    """
    try:
        heights = along_normal(slices)[2]
    except UnsupportedScan:
        return []
    order = sorted_places(slices, heights)
    gaps = np.diff(heights[order])
    if not len(gaps) or gaps.min() <= 1e-3:
        return []
    runs: list[list[int]] = [[0]]
    for n in range(1, len(gaps)):
        usual = float(np.median(gaps[runs[-1]]))
        if abs(gaps[n] - usual) <= GAP_TOLERANCE * min(usual, float(gaps[n])):
            runs[-1].append(n)
        else:
            runs.append([n])
    long = [run for run in runs if len(run) + 1 >= min_slices]
    return [[slices[order[n]] for n in (*run, run[-1] + 1)] for run in long]
