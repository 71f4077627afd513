"""A voxel image from a file without DICOM headers, before it is a CT or a label map."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from guidegen.ct.hounsfield import to_int16
from guidegen.ct.orient import patient_like
from guidegen.errors import InputError, UnsupportedScan
from guidegen.model.arrays import Floats


@dataclass(frozen=True, eq=False)
class Image:
    """Values on an orthogonal grid.

    Args:
        values: (K, J, I) as stored, k to the head, j to the back, i to the left.
        matrix: (4, 4) patient_from_kji, LPS mm.
        slope: Stored value times ``slope`` plus ``intercept`` is the value meant.
        intercept: See slope.
        names: Label names that the header gives.
    """

    values: npt.NDArray[Any]
    matrix: Floats
    slope: float = 1.0
    intercept: float = 0.0
    names: dict[int, str] = field(default_factory=dict)

    def hounsfield(self) -> npt.NDArray[np.int16]:
        """(K, J, I) int16, scaled slab by slab."""
        hu = np.empty(self.values.shape, dtype=np.int16)
        for k in range(len(hu)):
            slab = self.values[k]
            if slab.dtype.kind == "u":
                slab = slab.astype(np.int64)
            if (self.slope, self.intercept) != (1.0, 0.0):
                slab = slab.astype(np.float64) * self.slope + self.intercept
            hu[k] = to_int16(slab)
        return hu

    def labels(self) -> npt.NDArray[np.uint16]:
        """(K, J, I) uint16.

        Raises:
            InputError: A value is not a whole number from 0 to 65535.
        """
        values = self.values
        if (self.slope, self.intercept) != (1.0, 0.0):
            values = values.astype(np.float64) * self.slope + self.intercept
        if values.dtype.kind == "f":
            whole = np.isfinite(values).all() and bool((values == np.rint(values)).all())
        else:
            whole = True
        if not whole or values.min() < 0 or values.max() > 65535:
            raise InputError(
                "the label map holds values that are no whole numbers from 0 to 65535: "
                "it is an image or a probability map; export the labels"
            )
        return values.astype(np.uint16)


def build_image(
    values: npt.NDArray[Any],
    matrix: Floats,
    scaling: tuple[float, float],
    names: dict[int, str],
    what: str,
) -> Image:
    """Check a grid and turn it to the patient's order.

    Args:
        values: (A, B, C).
        matrix: (4, 4) from (a, b, c) to LPS mm.
        scaling: Slope and intercept.
        names: Label names of the header.
        what: Subject of the messages: "the NIfTI file".

    Raises:
        UnsupportedScan: Sheared, or not a volume.
        InputError: The matrix is not usable.
    """
    if values.dtype.kind not in "iuf":
        raise UnsupportedScan(f"{what} holds colours or complex numbers: export the CT itself")
    if not np.isfinite(matrix).all() or not np.isfinite(scaling).all():
        raise InputError(f"{what} has a position that is no number: export it again")
    steps = np.linalg.norm(matrix[:3, :3], axis=0)
    if (steps < 1e-3).any() or (steps > 100).any():
        raise InputError(
            f"{what} has voxels of {' x '.join(f'{s:g}' for s in steps)} mm, which no scanner "
            "makes: its position or unit is wrong; export it again"
        )
    axes = matrix[:3, :3] / steps
    skew = float(np.abs(axes.T @ axes - np.eye(3)).max())
    if skew > 1e-3:
        raise UnsupportedScan(
            f"{what} is sheared by {np.degrees(np.arcsin(min(skew, 1.0))):.1f} deg (a tilted "
            "gantry): name the DICOM series, which can be put straight exactly"
        )
    turned, new = patient_like(values, matrix)
    return Image(turned, new, scaling[0], scaling[1], names)
