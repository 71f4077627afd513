"""What a scan shows behind the spine: a box of columns that run to the back."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from guidegen.model.arrays import Floats
from guidegen.model.frames import Pose
from guidegen.model.volume import CTVolume

Mask = npt.NDArray[np.bool_]
Values = npt.NDArray[np.float32]

BESIDE_MM = 110.0
"""The box reaches so far to the left and right of the spine: the whole width of a template."""
BEYOND_MM = 60.0
"""It reaches so far over and under the levels: needles enter the skin higher than the bone."""
DEEPEST_MM = 240.0
"""Skin farther behind the vertebral body than this is not looked for."""
_STEP_MM = 1.5
_MAX_COLUMNS = 14_000
"""A closed surface has about four faces a column: this keeps it below 60 000."""
_PADDING_HU = -900
_MARGIN_VOXELS = 1.5
"""Voxels inside the edge of the view that are not trusted: the scanner blends them with padding."""
_ROUND = 0.9
"""Share of the padding's border that must lie on a circle; the rest is air clipped to its value."""
_CENTRED = 0.03
_BLURRED_HU, _BLURRED = (-850, -300), 0.3
"""Padding ends sharply; the border of a patient in clean air is blurred: more than this share of
the pixels along it hold neither tissue nor air."""
_EVERY = 16
"""Every so many slices the edge of the view is looked for; it moves slowly, if at all."""


@dataclass(frozen=True, eq=False)
class Columns:
    """Straight lines to the back, on a regular lattice, in a vertebra's frame.

    Args:
        frame: ``patient_from_bone``: x left, y back, z head.
        x_mm: (X,) places of the columns, evenly spaced.
        z_mm: (Z,) likewise, the same spacing.
        step_mm: The spacing.
        volume: The scan.
        view: (K, 3) centre (j, i) and radius of what was reconstructed, voxels, for every slice;
            an infinite radius where the whole slice was.
    """

    frame: Pose
    x_mm: Floats
    z_mm: Floats
    step_mm: float
    volume: CTVolume
    view: Floats

    @property
    def shape(self) -> tuple[int, int]:
        """Number of columns along x and z."""
        return len(self.x_mm), len(self.z_mm)

    def sample(self, y_mm: Floats) -> tuple[Values, Mask]:
        """Read grey values along the columns.

        Args:
            y_mm: (Y,) the same heights in every column, or (X, Z, Y) each column's own.

        Returns:
            (X, Z, Y) HU, linear between voxels, and whether each place is in view.
        """
        grid = self.volume.grid
        heights = np.broadcast_to(y_mm, (*self.shape, np.shape(y_mm)[-1]))
        hu = np.empty(heights.shape, dtype=np.float32)
        seen = np.empty(heights.shape, dtype=bool)
        x, z = np.meshgrid(self.x_mm, self.z_mm, indexing="ij")
        foot = grid.kji(self.frame.points(np.stack([x, np.zeros_like(x), z], axis=-1)))
        way = grid.kji(self.frame.points((0.0, 1.0, 0.0))) - grid.kji(self.frame.origin_mm)
        last = np.array(grid.shape_kji, dtype=np.float64)[:, None, None] - 1
        for n in range(len(foot)):
            kji = foot[n].T[:, :, None] + way[:, None, None] * heights[n]
            hu[n] = ndimage.map_coordinates(self.volume.hu, kji, np.float32, 1, mode="nearest")
            slices = np.clip(np.rint(kji[0]), 0, last[0]).astype(int)
            j, i, radius = np.moveaxis(self.view[slices], -1, 0)
            inside = (kji[1] - j) ** 2 + (kji[2] - i) ** 2 < radius**2
            seen[n] = inside & ((kji >= 0) & (kji <= last)).all(axis=0)
        return hu, seen

    @property
    def voxel_mm(self) -> float:
        """Size of a voxel along the columns."""
        grid = self.volume.grid
        return float(np.abs(self.frame.axes[:, 1] @ grid.axes_kji) @ grid.spacing_kji_mm)

    @property
    def coarse(self) -> Columns:
        """Every second column along x and z."""
        return replace(self, x_mm=self.x_mm[::2], z_mm=self.z_mm[::2], step_mm=2 * self.step_mm)

    def refined(self, coarse: Floats) -> Floats:
        """Bring values of every second column (X / 2, Z / 2) to all columns (X, Z)."""
        twice = coarse.repeat(2, axis=0).repeat(2, axis=1)
        return np.asarray(twice[: len(self.x_mm), : len(self.z_mm)])

    def farthest_mm(self) -> float:
        """How far behind the vertebra the scan reaches, mm; at most ``DEEPEST_MM``."""
        ends = np.array(self.volume.grid.shape_kji) - 1
        pick = np.array([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)])
        corners = self.frame.inverse.points(self.volume.grid.patient(pick * ends))
        return float(np.clip(corners[:, 1].max(), 0.0, DEEPEST_MM))


def back_columns(volume: CTVolume, frame: Pose, span_mm: tuple[float, float]) -> Columns:
    """Lay columns behind some levels.

    Args:
        volume: The scan.
        frame: ``patient_from_bone`` of a middle level.
        span_mm: Lowest and highest z of the levels in it.
    """
    low, high = span_mm[0] - BEYOND_MM, span_mm[1] + BEYOND_MM
    step = max(_STEP_MM, float(np.sqrt(2 * BESIDE_MM * (high - low) / _MAX_COLUMNS)))
    n = int(BESIDE_MM / step)
    x = step * np.arange(-n, n + 1.0)
    z = low + step * np.arange(int((high - low) / step) + 1.0)
    corners = [(a, b, c) for a in (x[0], x[-1]) for b in (0.0, DEEPEST_MM) for c in (z[0], z[-1])]
    k = volume.grid.kji(frame.points(corners))[:, 0]
    size = volume.grid.shape_kji
    start = int(np.clip(np.floor(k.min()), 0, size[0] - 1))
    stop = int(np.clip(np.ceil(k.max()) + 1, start + 1, size[0]))
    part = volume.crop((start, 0, 0), (stop, *size[1:]))
    return Columns(frame, x, z, step, part, reconstructed_circles(part))


def reconstructed_circles(volume: CTVolume) -> Floats:
    """Find the circle in each slice outside which the scanner wrote one constant value.

    A scan whose air is all one value (air clipped, a drawn phantom) has no such circle: there the
    constant's border follows the patient.

    Returns:
        (K, 3): centre (j, i) and radius, in voxels, smaller by a margin; infinite radius where
        there is no circle.
    """
    n = volume.grid.shape_kji[0]
    chosen = np.arange(0, n, _EVERY)
    found = np.array([_circle(volume.hu[k]) for k in chosen])
    nearest = np.minimum(np.rint(np.arange(n) / _EVERY).astype(int), len(chosen) - 1)
    return np.asarray(found[nearest] - (0.0, 0.0, _MARGIN_VOXELS))


def _circle(hu: npt.NDArray[np.int16]) -> tuple[float, float, float]:
    """Centre and radius of the circle outside which a slice holds one value."""
    whole = ((hu.shape[0] - 1) / 2, (hu.shape[1] - 1) / 2, np.inf)
    value = min(int(hu[j, i]) for j in (0, -1) for i in (0, -1))
    if value > _PADDING_HU:
        return whole
    same = hu == value
    j, i = np.ogrid[: hu.shape[0], : hu.shape[1]]
    inscribed = max(hu.shape) / 2
    if same[(j - whole[0]) ** 2 + (i - whole[1]) ** 2 > (inscribed + 0.5) ** 2].all():
        whole = (whole[0], whole[1], inscribed)
    fitted = _fitted_circle(same)
    if fitted is None or fitted[2] < 0.47 * min(hu.shape):
        return whole
    away = np.sqrt((j - fitted[0]) ** 2 + (i - fitted[1]) ** 2) - fitted[2]
    centred = np.hypot(fitted[0] - whole[0], fitted[1] - whole[1]) < _CENTRED * min(hu.shape)
    rim = hu[(away < 0) & (away > -1.5)]
    sharp = ((rim > _BLURRED_HU[0]) & (rim < _BLURRED_HU[1])).mean() < _BLURRED
    is_edge = same[away > 2].mean() > 0.99 and same[away < -2].mean() < 0.5
    return fitted if is_edge and (centred or sharp) else whole


def _fitted_circle(same: Mask) -> tuple[float, float, float] | None:
    """Fit a circle to the border of a slice's constant corners; None if it is no circle.

    References:
        Least squares in the circle's equation: Kasa I. A circle fitting procedure and its error
        analysis. IEEE Trans Instrum Meas 1976;IM-25(1):8-14.
    """
    solid = ndimage.binary_opening(same, np.ones((5, 5), dtype=bool))
    pieces, _ = ndimage.label(solid)
    corners = {int(pieces[j, i]) for j in (0, -1) for i in (0, -1)} - {0}
    corner = np.isin(pieces, list(corners))
    border = corner & ~ndimage.binary_erosion(corner, border_value=1)
    border[:4] = border[-4:] = border[:, :4] = border[:, -4:] = False
    edge = np.argwhere(border).astype(float)
    kept = np.ones(len(edge), dtype=bool)
    for _ in range(4):
        if kept.sum() < 20:
            return None
        terms = np.column_stack([edge, np.ones(len(edge))])
        a, b, c = np.linalg.lstsq(terms[kept], (edge[kept] ** 2).sum(axis=1), rcond=None)[0]
        radius = float(np.sqrt(max(c + (a**2 + b**2) / 4, 0.0)))
        off = np.abs(np.hypot(edge[:, 0] - a / 2, edge[:, 1] - b / 2) - radius)
        kept = off < 2.0
    return (a / 2, b / 2, radius) if (off < 1.0).mean() > _ROUND else None
