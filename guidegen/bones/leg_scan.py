"""A scan of legs on a grid fine enough to tell bones apart and coarse enough to be quick."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from guidegen.errors import AnatomyError
from guidegen.model.arrays import Floats
from guidegen.model.volume import CTVolume, Grid

STEP_MM = 1.2
"""Joint spaces are 2 mm wide and more where they are not worn through (engineering choice)."""
OVERVIEW_MM = 3.0
BONE_HU = 170.0
"""Brighter than muscle and cartilage, darker than the thinnest cortex (engineering choice)."""
OVERVIEW_HU = 300.0
"""The brightest voxel of an overview cell that holds cortex is brighter."""
NOTHING_HU = -1000
"""Slices that hold nothing brighter anywhere fill the gaps between blocks."""
MARGIN_MM = 9.0
EDGE, EDGE_SIGMA = 3, 0.7
"""Labels' edges are smoothed by so many voxels, so that they show no steps where voxels are finer;
thin walls stay (engineering choice)."""
SMALLEST_BOX = 30
"""Overview cells (0.8 ml) of the smallest bone looked for (engineering choice)."""


@dataclass(frozen=True, eq=False)
class LegScan:
    """A box of the scan at about ``STEP_MM``, along the scan's own axes, slices from foot to head.

    Args:
        part: The box on the scan's own voxels.
        hu: (K, J, I) int16.
        grid: Where the voxels of ``hu`` lie.
        seen: (K,) int: number of the block of slices from 1; 0 in the gaps between blocks.
    """

    part: CTVolume
    hu: np.ndarray
    grid: Grid
    seen: np.ndarray

    @property
    def step_mm(self) -> Floats:
        """(3,): voxel size along k, j, i."""
        return self.grid.spacing_kji_mm


def upright(volume: CTVolume) -> CTVolume:
    """The same voxels with the first axis from foot to head: a view, not a copy."""
    rise = volume.grid.axes_kji[2]
    first = int(np.abs(rise).argmax())
    order = [first, *(axis for axis in range(3) if axis != first)]
    hu, matrix = volume.hu.transpose(order), np.array(volume.grid.patient_from_kji)
    matrix[:3, :3] = matrix[:3, order]
    if rise[first] < 0:
        hu = hu[::-1]
        matrix[:3, 3] += (len(hu) - 1) * matrix[:3, 0]
        matrix[:3, 0] *= -1
    shape = (hu.shape[0], hu.shape[1], hu.shape[2])
    return replace(volume, hu=hu, grid=Grid(matrix, shape, volume.grid.frame_of_reference))


def as_scanned(labels: np.ndarray, grid: Grid, scanned: Grid) -> tuple[np.ndarray, Grid]:
    """Turn labels on an upright grid back to the axes of the scan's own: the reverse."""
    match = np.rint(grid.axes_kji.T @ scanned.axes_kji).astype(int)
    order = [int(np.abs(match[:, axis]).argmax()) for axis in range(3)]
    matrix = np.array(grid.patient_from_kji)
    for axis in range(3):
        if match[axis].sum() < 0:
            labels = np.flip(labels, axis)
            matrix[:3, 3] += (labels.shape[axis] - 1) * matrix[:3, axis]
            matrix[:3, axis] *= -1
    labels = np.ascontiguousarray(labels.transpose(order))
    matrix[:3, :3] = matrix[:3, order]
    shape = (labels.shape[0], labels.shape[1], labels.shape[2])
    return labels, Grid(matrix, shape, grid.frame_of_reference)


def leg_scan(volume: CTVolume) -> LegScan:
    """Cut the scan to the box of its bones and resample it.

    Args:
        volume: An upright one, see ``upright``.

    Raises:
        AnatomyError: There is no bone in view.
    """
    part = _around_bones(volume)
    spacing = part.grid.spacing_kji_mm
    n_out = np.floor((np.array(part.hu.shape) - 1) * spacing / STEP_MM).astype(int) + 1
    n_out = np.maximum(n_out, 2)
    factor = (np.array(part.hu.shape) - 1) / (n_out - 1)
    matrix = np.array(part.grid.patient_from_kji)
    matrix[:3, :3] *= factor
    shape = (int(n_out[0]), int(n_out[1]), int(n_out[2]))
    grid = Grid(matrix, shape, part.grid.frame_of_reference)
    slices = np.rint(np.arange(shape[0]) * factor[0]).astype(int)
    return LegScan(part, _resampled(part.hu, factor, shape), grid, block_numbers(part.hu)[slices])


def block_numbers(hu: np.ndarray) -> np.ndarray:
    """(K,) int: number of the block that a slice belongs to, from 1; 0 for slices of nothing."""
    holds = np.array([bool((piece > NOTHING_HU).any()) for piece in hu])
    return np.asarray(ndimage.label(holds)[0])


def native(scan: LegScan, labels: np.ndarray) -> np.ndarray:
    """Carry labels (K, J, I) of ``scan.hu`` to the voxels of ``scan.part``, edges smoothed."""
    shape = np.array(scan.part.hu.shape)
    factor = (np.array(labels.shape) - 1) / np.maximum(shape - 1, 1)
    out = np.zeros(shape, dtype=np.uint16)
    values = np.flatnonzero(np.bincount(labels.ravel()))
    places = ndimage.find_objects(labels)
    for value in values[values > 0].tolist():
        low = np.maximum([s.start - EDGE for s in places[value - 1]], 0)
        high = np.minimum([s.stop + EDGE for s in places[value - 1]], labels.shape)
        share = (labels[tuple(map(slice, low, high))] == value).astype(np.float32)
        share = ndimage.gaussian_filter(share, EDGE_SIGMA)
        start = np.ceil(low / factor - 1e-6).astype(int)
        stop = np.minimum(np.floor((high - 1) / factor + 1e-6).astype(int) + 1, shape)
        fine = ndimage.affine_transform(
            share,
            factor,
            start * factor - low,
            tuple((stop - start).tolist()),
            order=1,
            mode="nearest",
        )
        out[tuple(map(slice, start, stop))][fine > 0.5] = value
    return out


def _around_bones(volume: CTVolume) -> CTVolume:
    """The box of everything that may be bone, smaller things left out."""
    size = np.maximum(np.rint(OVERVIEW_MM / volume.grid.spacing_kji_mm).astype(int), 1)
    size = np.minimum(size, volume.hu.shape)
    bright = _highest(volume.hu, size) > OVERVIEW_HU
    pieces, n = ndimage.label(bright)
    large = np.bincount(pieces.ravel(), minlength=n + 1) >= SMALLEST_BOX
    large[0] = False
    places = ndimage.find_objects(pieces)
    kept = [place for number, place in enumerate(places, 1) if large[number]]
    if not kept:
        raise AnatomyError(
            "bones of a leg were looked for, but nothing in the scan is as bright as bone: give a "
            "CT of the leg"
        )
    low = np.array([[s.start for s in place] for place in kept]).min(axis=0) * size
    high = (np.array([[s.stop for s in place] for place in kept]).max(axis=0) + 1) * size
    margin = np.ceil(MARGIN_MM / volume.grid.spacing_kji_mm).astype(int)
    return volume.crop(low - margin, high + margin)


def _highest(hu: np.ndarray, size: np.ndarray) -> np.ndarray:
    """The brightest voxel of every cell of ``size``; an incomplete last cell is left out."""
    n = np.array(hu.shape) // size
    out = np.empty(n, dtype=hu.dtype)
    for k in range(n[0]):
        layer = hu[k * size[0] : (k + 1) * size[0], : n[1] * size[1], : n[2] * size[2]].max(axis=0)
        rows = layer.reshape(n[1], size[1], -1).max(axis=1)
        out[k] = rows.reshape(n[1], n[2], size[2]).max(axis=2)
    return out


def _resampled(hu: np.ndarray, factor: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """Linear interpolation at every ``factor``-th voxel, smoothed first where voxels are fine."""
    sigma = np.where(factor > 1.6, 0.3 * factor, 0.0)
    out = np.empty(shape, dtype=np.int16)
    reach = int(np.ceil(3 * sigma[0])) + 2
    for start in range(0, shape[0], 64):
        stop = min(start + 64, shape[0])
        first = max(int(start * factor[0]) - reach, 0)
        slab = hu[first : int(np.ceil((stop - 1) * factor[0])) + reach + 1].astype(np.float32)
        if sigma.any():
            slab = ndimage.gaussian_filter(slab, sigma)
        out[start:stop] = ndimage.affine_transform(
            slab,
            factor,
            offset=(start * factor[0] - first, 0, 0),
            output_shape=(stop - start, *shape[1:]),
            order=1,
            mode="nearest",
        )
    return out
