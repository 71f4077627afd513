"""From separated bone voxels to one solid label map on the scan's own grid."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from guidegen.bones.straightened import BONE_HU, Straight, millimetres
from guidegen.model.volume import CTVolume

RIB_LABEL = 999
"""Ribs keep a label while vertebrae are cut out, so that they stay apart."""
COARSE_MM = 4.0
VESSEL_STEPS = 3
"""Holes narrower than twice as many voxels are vessels', such as the basivertebral vein's."""


def solid_straight(straight: Straight) -> np.ndarray:
    """Fill each vertebra's marrow, keeping canal and foramina open: labels as ``Straight``."""
    labels = straight.labels
    out = labels.copy()
    places = ndimage.find_objects(np.maximum(labels, 0))
    for n, where in enumerate(places, start=1):
        if where is None:
            continue
        box = tuple(
            slice(max(p.start - 4, 0), min(p.stop + 4, size))
            for p, size in zip(where, labels.shape, strict=True)
        )
        own = _largest(labels[box] == n)
        solid = _filled(own) & ~_lumen(straight, box)
        free = (labels[box] == 0) & solid
        part = out[box]
        part[(labels[box] == n) & ~own] = 0
        part[free] = n
    return out


def _largest(mask: np.ndarray) -> np.ndarray:
    pieces, n = ndimage.label(mask, structure=np.ones((3, 3, 3)))
    if n < 2:
        return mask
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    return np.asarray(pieces == sizes.argmax())


def _filled(own: np.ndarray) -> np.ndarray:
    """Close gaps of up to 2.4 mm, then fill cavities and what is closed in a plane."""
    ball = ndimage.generate_binary_structure(3, 1)
    padded = np.pad(own, 3)
    solid = ndimage.binary_erosion(
        ndimage.binary_dilation(padded, ball, iterations=2), ball, iterations=2
    )[3:-3, 3:-3, 3:-3]
    solid = ndimage.binary_fill_holes(solid | own)
    return np.asarray(_closed_in_planes(solid, 2) | _closed_in_planes(solid, 1))


def _closed_in_planes(solid: np.ndarray, across: int) -> np.ndarray:
    """Fill what is closed all round in the planes across one axis."""
    joined = ndimage.generate_binary_structure(3, 1)
    for end in (0, 2):
        joined[tuple(end if axis == across else slice(None) for axis in range(3))] = False
    pieces, n = ndimage.label(~solid, structure=joined)
    is_open = np.zeros(n + 1, dtype=bool)
    for axis in {0, 1, 2} - {across}:
        is_open[np.take(pieces, [0, -1], axis=axis)] = True
    return np.asarray(solid | ~is_open[pieces])


def _lumen(straight: Straight, box: tuple[slice, ...]) -> np.ndarray:
    """Soft voxels round the canal's centreline, not through its vessels' holes into the marrow."""
    hu = ndimage.gaussian_filter(straight.hu[box], 0.7)
    _, back, left = millimetres(straight.hu.shape)
    radius = np.hypot(back[:, box[1]], left[:, :, box[2]])
    soft = (hu < BONE_HU) & (radius < 16)
    ball = ndimage.generate_binary_structure(3, 1)
    wide = ndimage.binary_erosion(soft, ball, iterations=VESSEL_STEPS, border_value=1)
    pieces, _ = ndimage.label(wide)
    seeds = np.unique(pieces[(radius < 2.0) & wide])
    lumen = np.isin(pieces, seeds[seeds > 0])
    return np.asarray(ndimage.binary_dilation(lumen, ball, iterations=VESSEL_STEPS, mask=soft))


def native_labels(volume: CTVolume, straight: Straight, solid: np.ndarray) -> np.ndarray:
    """Carry the labels to the scan's voxels.

    Returns:
        (K, J, I) uint16: level index + 1, ``RIB_LABEL`` on ribs.
    """
    carried = _carried(volume, straight, solid)
    return np.where(carried < 0, RIB_LABEL, carried).astype(np.uint16)


def _carried(volume: CTVolume, straight: Straight, labels: np.ndarray) -> np.ndarray:
    """Nearest labels of the straightened grid at every voxel of the scan."""
    shape = volume.grid.shape_kji
    knots = [
        np.linspace(0, n - 1, max(2, int(n * size / COARSE_MM) + 2))
        for n, size in zip(shape, volume.grid.spacing_kji_mm, strict=True)
    ]
    mesh = np.stack(np.meshgrid(*knots, indexing="ij"), axis=-1)
    coarse = straight.voxels(volume.grid.patient(mesh)).astype(np.float32)
    out = np.zeros(shape, dtype=np.int16)
    positions = [
        np.interp(np.arange(n), k, np.arange(len(k))) for n, k in zip(shape, knots, strict=True)
    ]
    along_j, along_i = (_interpolation(positions[n], len(knots[n])) for n in (1, 2))
    for k in range(shape[0]):
        low = min(int(positions[0][k]), len(knots[0]) - 2)
        part = np.float32(positions[0][k] - low)
        layer = coarse[low] * (1 - part) + coarse[low + 1] * part
        index = np.rint([along_j @ layer[..., axis] @ along_i.T for axis in range(3)]).astype(int)
        inside = ((index >= 0) & (index < np.array(labels.shape)[:, None, None])).all(axis=0)
        out[k][inside] = labels[tuple(index[:, inside])]
    return out


def _interpolation(positions: np.ndarray, n_knots: int) -> np.ndarray:
    """(N, n_knots) float32 weights that interpolate linearly at positions among the knots."""
    low = np.minimum(positions.astype(int), n_knots - 2)
    rows = np.arange(len(positions))
    weights = np.zeros((len(positions), n_knots), dtype=np.float32)
    weights[rows, low] = 1 - (positions - low)
    weights[rows, low + 1] += positions - low
    return weights
