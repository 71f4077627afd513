"""A scene becomes grey values: partial volume, slice profile, point spread, noise.

Every bone is sampled only in small blocks near its surface. The share of a sub-voxel inside the
bone is a ramp of the signed distance, which for a flat surface is the exact integral along the
normal; the ramp's own blur is taken off the in-plane point spread. Averaging the sub-slices then
gives a box profile across the slice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from guidegen.errors import InputError
from guidegen.model.arrays import Floats
from guidegen.model.notice import Progress, silent
from guidegen.model.volume import CTVolume, ScanInfo
from guidegen.phantoms.definition import Definition
from guidegen.phantoms.metal import add_streaks, pieces
from guidegen.phantoms.scan import ScanGrid, ScanOptions, scan_grid
from guidegen.phantoms.shapes import Distances, Points
from guidegen.phantoms.spine import Scene, Solid, build_scene
from guidegen.phantoms.tissue import soft_tissue

CORTEX_HU, CANCELLOUS_HU = 1150.0, 200.0
SUB_MM = 0.5
CHUNK = 512
Array = npt.NDArray[Any]
Measure = Callable[[Points], tuple[Distances, Distances]]


class _Blocks:
    """Small blocks of sub-voxels that cover a part of the scan grid."""

    def __init__(self, scan: ScanGrid, low: Any, high: Any) -> None:
        m = scan.patient_from_kji
        steps = np.linalg.norm(m[:3, :3], axis=0)
        self.n_sub = max(1, round(scan.thickness_mm / SUB_MM))
        self.ramp_mm = scan.thickness_mm / self.n_sub
        self.size = np.array([max(1, round(2 / s)) for s in steps])
        self.count = -(-(high - low) // self.size)
        self.low = low
        k, j, i, s = np.meshgrid(
            *(np.arange(n) for n in self.size), np.arange(self.n_sub), indexing="ij"
        )
        along = ((s + 0.5) / self.n_sub - 0.5) * scan.thickness_mm
        kji = np.stack([k, j, i], axis=-1).reshape(-1, 3)
        self.offsets = kji @ m[:3, :3].T + along.reshape(-1, 1) * scan.normal
        self.middle = self.offsets.mean(axis=0)
        self.reach_mm = float(np.linalg.norm(self.offsets - self.middle, axis=1).max())
        self._matrix = m

    def origins(self) -> Floats:
        """(B, 3): patient position of every block's first voxel."""
        index = np.stack(np.meshgrid(*(np.arange(n) for n in self.count), indexing="ij"), axis=-1)
        kji = self.low + index.reshape(-1, 3) * self.size
        return np.asarray(kji @ self._matrix[:3, :3].T + self._matrix[:3, 3])

    def assemble(self, values: Array, shape: Any) -> Array:
        """Put (B, voxels of a block) together to a (K, J, I) array of the wanted shape."""
        parts = values.reshape(*self.count, *self.size)
        whole = parts.transpose(0, 3, 1, 4, 2, 5).reshape(*(self.count * self.size))
        return whole[: shape[0], : shape[1], : shape[2]]


def _shares(measure: Measure, blocks: _Blocks) -> tuple[Array, Array]:
    """Share of every voxel inside the bone and inside its cancellous core, (B, voxels)."""
    origins = blocks.origins()
    voxels = int(np.prod(blocks.size))
    bone = np.zeros((len(origins), voxels), dtype=np.float32)
    core = np.zeros_like(bone)
    for start in range(0, len(origins), 4 * CHUNK):
        part = slice(start, start + 4 * CHUNK)
        middle = (origins[part] + blocks.middle).T.astype(np.float32)
        distance, cortex = measure(middle)
        inside = distance + np.maximum(cortex, 1.0) < -1.4 * blocks.reach_mm - 0.6
        bone[part][inside] = core[part][inside] = 1.0
        near = np.flatnonzero(~inside & (distance < 1.4 * blocks.reach_mm + 0.6)) + start
        for first in range(0, len(near), CHUNK):
            chosen = near[first : first + CHUNK]
            points = (origins[chosen][:, None] + blocks.offsets).reshape(-1, 3)
            distance, cortex = measure(np.ascontiguousarray(points.T, dtype=np.float32))
            for target, depth in ((bone, distance), (core, distance + cortex)):
                share = np.clip(0.5 - depth / blocks.ramp_mm, 0.0, 1.0)
                target[chosen] = share.reshape(len(chosen), voxels, -1).mean(axis=2)
    return bone, core


def add_bone(
    hu: Array,
    scan: ScanGrid,
    measure: Measure,
    corners_mm: Floats,
    cancellous_hu: float | None = None,
    cortex_hu: float = CORTEX_HU,
) -> None:
    """Lay one bone into the grey values, in place.

    Args:
        hu: (K, J, I) float32.
        scan: Its grid.
        measure: Patient points (3, N) to distance and cortex thickness.
        corners_mm: (N, 3) corners of a box that holds the bone, LPS.
        cancellous_hu: Its inside; None is ``CANCELLOUS_HU``.
        cortex_hu: Its outer layer.
    """
    inner = CANCELLOUS_HU if cancellous_hu is None else cancellous_hu
    low, high = scan.index_box(corners_mm)
    if (high <= low).any():
        return
    blocks = _Blocks(scan, low, high)
    bone, core = _shares(measure, blocks)
    part = hu[low[0] : high[0], low[1] : high[1], low[2] : high[2]]
    share = blocks.assemble(bone, part.shape)
    part += share * (cortex_hu - part)
    part += blocks.assemble(core, part.shape) * (inner - cortex_hu)


def blur_and_noise(hu: Array, scan: ScanGrid, options: ScanOptions, seed: int) -> Array:
    """Apply point spread and noise; returns int16 (K, J, I) between -1024 and 3071."""
    ramp = scan.thickness_mm / max(1, round(scan.thickness_mm / SUB_MM))
    sigma = np.sqrt(max(options.psf_mm**2 - ramp**2 / 12, 0.0)) / options.spacing_mm
    random = np.random.default_rng(seed)
    out = np.empty(hu.shape, dtype=np.int16)
    for k, piece in enumerate(hu):
        if options.psf_mm > 0 and sigma > 0.05:
            piece = ndimage.gaussian_filter(piece, sigma, truncate=3.5)
        if options.noise_hu > 0:
            piece = piece + options.noise_hu * random.standard_normal(piece.shape, np.float32)
        out[k] = np.clip(np.rint(piece), -1024, 3071)
    return out


def view_box(scene: Scene, options: ScanOptions) -> tuple[Floats, Floats]:
    """Lowest and highest corner of what the scan shows, LPS mm."""
    view, levels = scene.definition.view, scene.definition.levels
    size = np.array(options.size_mm or view.size_mm)
    middle = np.array(view.centre_mm)
    low = scene.poses[levels[-1]].origin_mm[2] - view.below_mm
    high = scene.poses[levels[0]].origin_mm[2] + view.above_mm
    return np.append(middle - size / 2, low), np.append(middle + size / 2, high)


def corners(solid: Solid) -> Floats:
    """(8, 3): the corners of a bone's box, LPS mm."""
    pick = np.array([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)])
    box = solid.bounds_mm
    return solid.patient_from_bone.points(np.stack([box[pick[:, n], n] for n in range(3)], axis=1))


def render(
    scene: Scene, options: ScanOptions, progress: Progress = silent
) -> tuple[npt.NDArray[np.int16], ScanGrid]:
    """Scan a scene; a prone phantom is scanned prone, whatever the options say.

    Returns:
        Grey values (K, J, I) in HU and the grid they lie on, sheared if the gantry is tilted.
    """
    options = options.laid(scene.definition.prone)
    scan = scan_grid(*view_box(scene, options), options)
    hu = soft_tissue(scene, scan, options.prone)
    inner = scene.definition.cancellous_hu
    for n, solid in enumerate(scene.rendered):
        progress(f"phantom: {solid.name}", n / len(scene.rendered))
        add_bone(hu, scan, solid.measure, corners(solid), inner)
    for piece in pieces(scene):
        add_bone(hu, scan, piece.measure, piece.corners(), piece.hu, piece.hu)
        add_streaks(hu, scan, piece)
    return blur_and_noise(hu, scan, options, scene.definition.seed), scan


def make_volume(
    definition: Definition | str, options: ScanOptions | None = None, progress: Progress = silent
) -> CTVolume:
    """Scan a phantom into memory.

    Args:
        definition: The phantom or its name (``lumbar``).
        options: The scanner's settings.
        progress: Told how far it is.

    Raises:
        InputError: There is no such phantom, or the gantry is tilted (such a scan has no regular
            grid; write it as DICOM instead).
    """
    scene = build_scene(definition)
    options = (options or ScanOptions()).laid(scene.definition.prone)
    if options.tilt_deg:
        raise InputError("a scan with gantry tilt has no regular grid; write it as DICOM instead")
    hu, scan = render(scene, options, progress)
    info = ScanInfo(
        "phantom",
        patient_position=options.patient_position,
        slice_thickness_mm=options.profile_mm,
    )
    return CTVolume(hu, scan.grid(), info)
