"""Read-only, validated arrays for the frozen types."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from guidegen.errors import GeometryError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def frozen_floats(values: Any, shape: tuple[int, ...], name: str) -> Floats:
    """Copy to a read-only float64 array of a given shape (-1 is any length).

    Raises:
        GeometryError: The shape is wrong or a value is not finite.
    """
    array = np.array(values, dtype=np.float64)
    fits = array.ndim == len(shape) and all(
        want in (-1, got) for want, got in zip(shape, array.shape, strict=True)
    )
    if not fits:
        raise GeometryError(f"{name} must have shape {shape}, got {array.shape}")
    if not np.isfinite(array).all():
        raise GeometryError(f"{name} holds a value that is not finite")
    array.setflags(write=False)
    return array


def unit(values: Any, name: str) -> Floats:
    """Copy to a read-only unit vector (3,).

    Raises:
        GeometryError: The vector has no length.
    """
    array = np.array(values, dtype=np.float64)
    length = float(np.linalg.norm(array))
    if array.shape != (3,) or not np.isfinite(length) or length < 1e-9:
        raise GeometryError(f"{name} must be a direction of three numbers, got {array}")
    return frozen_floats(array / length, (3,), name)
