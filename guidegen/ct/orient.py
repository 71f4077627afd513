"""Exact reordering of voxels, so that k runs to the head, j to the back, i to the left."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from guidegen.model.arrays import Floats


def patient_like(
    values: npt.NDArray[Any], matrix: Floats
) -> tuple[npt.NDArray[Any], npt.NDArray[np.float64]]:
    """Transpose and flip the axes to the nearest patient axes; no voxel changes its place.

    Args:
        values: (A, B, C) in any order.
        matrix: (4, 4) from (a, b, c) to LPS mm.

    Returns:
        The values (K, J, I), contiguous, and their patient_from_kji; k points most nearly to
        the head (+z), j to the back (+y), i to the patient's left (+x).
    """
    axes = matrix[:3, :3] / np.linalg.norm(matrix[:3, :3], axis=0)
    free = [0, 1, 2]
    order = []
    for patient_axis in (2, 1, 0):
        best = max(free, key=lambda n: round(abs(float(axes[patient_axis, n])), 6))
        order.append(best)
        free.remove(best)
    new = np.array(matrix, dtype=np.float64)
    new[:3, :3] = matrix[:3, order]
    turned = values.transpose(order)
    for place, patient_axis in enumerate((2, 1, 0)):
        if new[patient_axis, place] < 0:
            new[:3, 3] += new[:3, place] * (turned.shape[place] - 1)
            new[:3, place] *= -1
            turned = np.flip(turned, place)
    return np.ascontiguousarray(turned), new
