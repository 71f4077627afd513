"""Straighten slices of a tilted gantry: an exact shift of each slice in its own plane."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from guidegen.ct.hounsfield import AIR_HU, to_int16

_LOBES = 3


@dataclass(frozen=True)
class Layout:
    """Where each slice lies in the straightened volume.

    Args:
        shape_ji: Size in the plane that holds every shifted slice.
        start_ji: Pixel of the first slice's frame at which the volume begins (<= 0).
        shear_ji: Shift a slice, pixels.
    """

    shape_ji: tuple[int, int]
    start_ji: tuple[int, int]
    shear_ji: tuple[float, float]

    @classmethod
    def of(cls, n_slices: int, shape_ji: tuple[int, int], shear_ji: tuple[float, float]) -> Layout:
        """Lay out slices so that nothing is cut off."""
        ends = [step * (n_slices - 1) for step in shear_ji]
        start = tuple(int(np.floor(min(0.0, end) + 1e-6)) for end in ends)
        stop = tuple(
            int(np.ceil(max(0.0, end) - 1e-6)) + n for end, n in zip(ends, shape_ji, strict=True)
        )
        shape = (stop[0] - start[0], stop[1] - start[1])
        return cls(shape, (start[0], start[1]), shear_ji)

    def place(self, hu: npt.NDArray[np.int16], k: int, out: npt.NDArray[np.int16]) -> None:
        """Write slice ``k`` (J, I) into its place in ``out``, which is filled with air."""
        if self.shear_ji == (0.0, 0.0):
            out[:] = hu
            return
        j = k * self.shear_ji[0] - self.start_ji[0]
        i = k * self.shear_ji[1] - self.start_ji[1]
        moved = shifted(shifted(hu.astype(np.float64), j - np.floor(j)).T, i - np.floor(i)).T
        np.maximum(moved, float(hu.min()), out=moved)  # no undershoot below the air
        j0, i0 = int(np.floor(j)), int(np.floor(i))
        part = to_int16(moved)[: out.shape[0] - j0, : out.shape[1] - i0]
        out[j0 : j0 + part.shape[0], i0 : i0 + part.shape[1]] = part


def shifted(values: npt.NDArray[np.float64], share: float) -> npt.NDArray[np.float64]:
    """Shift rows downwards by a part of a pixel, 0 <= share < 1, one row longer.

    Lanczos interpolation with three lobes: it keeps edges where they are and loses less detail
    than linear or cubic interpolation (weights are normalised to sum 1).

    References:
        Duchon CE, Lanczos filtering in one and two dimensions, J Appl Meteorol 1979;18:1016.
    """
    n = values.shape[0]
    result = np.full((n + 1, *values.shape[1:]), float(AIR_HU))
    if share < 1e-4:
        result[:n] = values
        return result
    if share > 1 - 1e-4:
        result[1:] = values
        return result
    offsets = np.arange(-_LOBES, _LOBES)
    distance = offsets + share
    weights = np.sinc(distance) * np.sinc(distance / _LOBES)
    weights /= weights.sum()
    padded = np.pad(values, ((_LOBES, _LOBES), (0, 0)), mode="edge")
    # Row p of the result lies at p - share in the slice; p = 0 and p = n lie outside of it.
    total = np.zeros((n - 1, *values.shape[1:]))
    for offset, weight in zip(offsets, weights, strict=True):
        begin = 1 + _LOBES + int(offset)
        total += weight * padded[begin : begin + n - 1]
    result[1:n] = total
    return result
