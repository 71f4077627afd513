"""Blocks of one patient (hip, knee, ankle) put together on one grid; what lies between is air."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from guidegen.ct.hounsfield import AIR_HU
from guidegen.errors import UnsupportedScan
from guidegen.model.arrays import Floats
from guidegen.model.volume import Grid

MOST_VOXELS = 400_000_000
"""Larger grids are made coarser: 0.8 GB, a leg of 850 mm in a field of 400 mm with 0.7 mm voxels
(engineering choice)."""
_PARALLEL = 1e-3
"""Directions that differ by less (0.06 deg) are the same: 0.1 mm over a field of 100 mm."""
_SLAB = 32
_EXACT = 1e-3
"""A block whose voxels lie this near to those of the common grid (in voxels) is copied."""

Values = npt.NDArray[np.int16]
Block = tuple[Values, Grid]


def put_together(blocks: Sequence[Block]) -> tuple[Block, bool]:
    """Lay blocks on one grid: that of the one with the smallest voxels, extended over all.

    Among blocks with the same voxels the middle one along the patient decides (of hip, knee and
    ankle the knee): its voxels are copied. The others are interpolated linearly where their
    voxels lie elsewhere. Where blocks overlap the one with smaller voxels is used.

    Args:
        blocks: HU (K, J, I) with k to the head, and their grids.

    Returns:
        The common block, air where nothing was scanned, and whether its grid had to be coarser
        than that of the finest block.

    Raises:
        UnsupportedScan: The blocks are not parallel.
    """
    first = blocks[0][1].axes_kji
    if any(np.abs(grid.axes_kji - first).max() > _PARALLEL for _, grid in blocks[1:]):
        raise UnsupportedScan(
            "series that lie parallel were wanted, found some turned against each other: give "
            "series of one scan, or put them together beforehand in a viewer"
        )
    ordered = _from_coarse_to_fine(blocks)
    grid, coarser = _common_grid(ordered)
    hu = np.full(grid.shape_kji, AIR_HU, dtype=np.int16)
    for block in ordered:
        _lay(hu, grid, block)
    return (hu, grid), coarser


def gaps_mm(grids: Sequence[Grid]) -> list[float]:
    """Heights of the gaps between blocks, from foot to head; overlaps are none."""
    spans = sorted((float(g.patient((-0.5, 0, 0))[2]), _top_mm(g)) for g in grids)
    found, reached = [], spans[0][1]
    for low, high in spans[1:]:
        if low > reached:
            found.append(low - reached)
        reached = max(reached, high)
    return found


def finest_mm(grids: Sequence[Grid]) -> list[float]:
    """Voxel size of the finest grid along i, j and k."""
    finest = min(grids, key=lambda grid: float(np.prod(grid.spacing_kji_mm)))
    return [float(step) for step in finest.spacing_kji_mm[::-1]]


def _top_mm(grid: Grid) -> float:
    return float(grid.patient((grid.shape_kji[0] - 0.5, 0, 0))[2])


def _from_coarse_to_fine(blocks: Sequence[Block]) -> list[Block]:
    """The last one is the one whose grid is used."""
    heights = [float(grid.patient((np.array(grid.shape_kji) - 1) / 2)[2]) for _, grid in blocks]
    middle = float(np.median(heights))
    ranks = [
        (-round(float(np.prod(grid.spacing_kji_mm)), 4), -abs(height - middle))
        for (_, grid), height in zip(blocks, heights, strict=True)
    ]
    return [blocks[n] for n in sorted(range(len(blocks)), key=lambda n: ranks[n])]


def _common_grid(ordered: Sequence[Block]) -> tuple[Grid, bool]:
    """The finest block's grid over the box of all."""
    own = ordered[-1][1]
    corners = [g.patient(place) for _, g in ordered for place in ((0, 0, 0), _last(g))]
    kji = own.kji(np.array(corners))
    low = np.floor(kji.min(axis=0) + _EXACT).astype(int)
    high = np.ceil(kji.max(axis=0) - _EXACT).astype(int) + 1
    whole = own.crop(low, high)
    n = float(np.prod(np.array(whole.shape_kji, dtype=np.float64)))
    if n <= MOST_VOXELS:
        return whole, False
    factor = (n / MOST_VOXELS) ** (1 / 3)
    matrix = np.array(whole.patient_from_kji)
    matrix[:3, :3] *= factor
    k, j, i = (int(size / factor) for size in whole.shape_kji)
    return Grid(matrix, (k, j, i), own.frame_of_reference), True


def _last(grid: Grid) -> Floats:
    return np.array(grid.shape_kji, dtype=np.float64) - 1


def _lay(hu: Values, grid: Grid, block: Block) -> None:
    """Write a block into its place of the common volume."""
    values, own = block
    start = grid.kji(own.patient((0, 0, 0)))
    stop = grid.kji(own.patient(_last(own)))
    low = np.maximum(np.ceil(start - _EXACT).astype(int), 0)
    high = np.minimum(np.floor(stop + _EXACT).astype(int) + 1, hu.shape)
    place = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    there = np.abs(start - low).max() < _EXACT and np.abs(stop + 1 - high).max() < _EXACT
    if there and values.shape == tuple((high - low).tolist()):
        hu[place] = values
        return
    step = grid.spacing_kji_mm / own.spacing_kji_mm
    for k in range(low[0], high[0], _SLAB):
        top = min(k + _SLAB, high[0])
        hu[k:top, place[1], place[2]] = ndimage.affine_transform(
            values,
            step,
            own.kji(grid.patient((k, low[1], low[2]))),
            output_shape=(top - k, *(high[1:] - low[1:]).tolist()),
            order=1,
            mode="nearest",
        )
