"""Stored values to Hounsfield units as int16."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from guidegen.errors import UnsupportedScan

AIR_HU = -1024
"""Value outside the scanned field."""

_OUTSIDE_HU = -1500
"""At or below this a value is no tissue but the scanner's mark for outside of the scanned circle
(-2000, -3024, ...); engineering choice: streaks of metal stay above it."""

_CT_LOW_HU, _CT_HIGH_HU = -50, 200
"""A CT of a body has fat or air below and bone above; engineering choice, tells MR and masks."""


def to_int16(values: npt.NDArray[Any]) -> npt.NDArray[np.int16]:
    """Round to whole HU; not-a-number and marks for outside become air, clipped to int16."""
    if values.dtype.kind == "f":
        values = np.nan_to_num(np.rint(values), nan=AIR_HU, posinf=32767, neginf=AIR_HU)
    hu: npt.NDArray[np.int16] = np.clip(values, -32768, 32767).astype(np.int16)
    hu[hu <= _OUTSIDE_HU] = AIR_HU
    return hu


def rescaled(
    stored: npt.NDArray[Any], rescale: tuple[float, float], padding: tuple[int, int] | None
) -> npt.NDArray[np.int16]:
    """Stored values times slope plus intercept, as int16 HU.

    Args:
        stored: Values as decoded.
        rescale: Slope and intercept.
        padding: Lowest and highest stored value that marks pixels outside the scanned circle.
            Used only where it rescales to air or below or to 3000 HU and more, because some
            exports state a value that is tissue.
    """
    slope, intercept = rescale
    if slope == 1 and float(intercept).is_integer():
        values: npt.NDArray[Any] = stored.astype(np.int32) + np.int32(intercept)
    else:
        values = stored.astype(np.float64) * slope + intercept
    hu = to_int16(values)
    if padding is not None:
        ends = [value * slope + intercept for value in padding]
        if max(ends) <= -1000 or min(ends) >= 3000:
            hu[(stored >= padding[0]) & (stored <= padding[1])] = AIR_HU
    return hu


def require_hounsfield(hu: npt.NDArray[np.int16], what: str) -> None:
    """Raise UnsupportedScan if the values can't be a CT of a body in Hounsfield units."""
    low, high = int(hu.min()), int(hu.max())
    if low > _CT_LOW_HU or high < _CT_HIGH_HU:
        raise UnsupportedScan(
            f"the values of {what} run from {low} to {high}, a CT in Hounsfield units reaches "
            f"below {_CT_LOW_HU} (fat, air) and above {_CT_HIGH_HU} (bone): it is no CT, or its "
            "values were rescaled; export the original CT"
        )
