"""Closed surfaces from files as bones of a phantom."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from guidegen.errors import InputError
from guidegen.mesh.io import read_stl
from guidegen.mesh.quality import topology
from guidegen.mesh.surface import Surface
from guidegen.model.arrays import Floats
from guidegen.phantoms.landmarks import numbers
from guidegen.phantoms.render import add_bone, blur_and_noise
from guidegen.phantoms.scan import ScanGrid, ScanOptions, scan_grid
from guidegen.phantoms.shapes import Distances, Points

CORTEX_MM = 1.0
MARGIN_MM = np.array([14.0, 14.0, 8.0])
SMALLEST_MM, LARGEST_MM = 3.0, 900.0
MOST_VOXELS = 250_000_000
SLAB = 40
AIR, FAT, MUSCLE = -1000.0, -100.0, 55.0


@dataclass(frozen=True, eq=False)
class MeshBone:
    """A bone whose surface came from a file.

    Args:
        name: The file's name without its ending; a number follows where names are the same.
        surface: Closed and outward, patient LPS mm.
        sha256: Of the file.
        volume_mm3: What it encloses.
    """

    name: str
    surface: Surface
    sha256: str
    volume_mm3: float

    def measure(self, points_mm: Points) -> tuple[Distances, Distances]:
        """Measure patient points (3, N): distance, negative inside, and cortex thickness, mm."""
        distance, _ = self.surface.nearest(points_mm.T.astype(np.float64))
        return distance, np.full(len(distance), CORTEX_MM)

    def truth(self) -> dict[str, Any]:
        """What truth.json says of it."""
        return {
            "name": self.name,
            "sha256": self.sha256,
            "volume_mm3": round(self.volume_mm3, 3),
            "bounds_mm": [numbers(self.surface.low), numbers(self.surface.high)],
        }


def load_bone(path: Path) -> MeshBone:
    """Read one closed surface.

    Raises:
        InputError: It can't be read, is not closed, or has no size of a bone.
    """
    vertices, faces = read_stl(path)
    found = topology(vertices, faces)
    if not found.closed:
        raise InputError(
            f"{path.name} must be a closed surface, but {found.n_faults} of its edges are open or "
            "meet wrongly: close its holes and export it again"
        )
    if not SMALLEST_MM <= float(found.extent_mm.max()) <= LARGEST_MM:
        raise InputError(
            f"{path.name} must be a bone in mm, {SMALLEST_MM:g} to {LARGEST_MM:g} mm long, but is "
            f"{found.extent_mm.max():.4g} mm: export it in millimetres"
        )
    if found.volume_mm3 < 0:
        faces = faces[:, ::-1]
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return MeshBone(path.stem, Surface(vertices, faces), digest, abs(found.volume_mm3))


def load_bones(paths: Sequence[str | Path]) -> tuple[MeshBone, ...]:
    """Read the surfaces; a name that comes again gets a number.

    Raises:
        InputError: There are none, or one can't be used.
    """
    if not paths:
        raise InputError("a phantom from meshes needs at least one STL file, found none: name one")
    bones: list[MeshBone] = []
    for path in map(Path, paths):
        bone = load_bone(path)
        same = sum(other.name.split("#")[0] == bone.name for other in bones)
        name = f"{bone.name}#{same + 1}" if same else bone.name
        bones.append(MeshBone(name, bone.surface, bone.sha256, bone.volume_mm3))
    return tuple(bones)


def _limb(scan: ScanGrid, low: Floats, high: Floats) -> npt.NDArray[np.float32]:
    """Paint an elliptic limb of muscle with a rim of fat, along z, round a box: (K, J, I) HU."""
    m = scan.patient_from_kji
    middle, half = (low + high)[:2] / 2, (high - low)[:2] / 2 + MARGIN_MM[:2] - 1.5
    _, n_j, n_i = scan.shape_kji
    j, i = np.meshgrid(np.arange(n_j), np.arange(n_i), indexing="ij")
    flat = j[..., None] * m[:2, 1] + i[..., None] * m[:2, 2] + m[:2, 3] - middle
    hu = np.empty(scan.shape_kji, dtype=np.float32)
    for k in range(scan.shape_kji[0]):
        place = flat + k * m[:2, 0]
        out = [((place / (half * grow)) ** 2).sum(axis=-1) > 1.0 for grow in (1.42, 1.36)]
        hu[k] = np.where(out[0], AIR, np.where(out[1], FAT, MUSCLE))
    return hu


def _slabs(scan: ScanGrid) -> list[tuple[slice, ScanGrid]]:
    """Cut the grid into slabs of slices, so that a large bone needs little memory at once."""
    parts = []
    for start in range(0, scan.shape_kji[0], SLAB):
        stop = min(start + SLAB, scan.shape_kji[0])
        matrix = scan.patient_from_kji.copy()
        matrix[:3, 3] += start * matrix[:3, 0]
        shape = (stop - start, scan.shape_kji[1], scan.shape_kji[2])
        parts.append((slice(start, stop), ScanGrid(matrix, scan.normal, shape, scan.thickness_mm)))
    return parts


def render_meshes(
    bones: Sequence[MeshBone], options: ScanOptions, seed: int
) -> tuple[npt.NDArray[np.int16], ScanGrid]:
    """Scan surfaces: cortex of 1 mm round cancellous bone, in muscle.

    Args:
        bones: The surfaces.
        options: The scanner's settings; ``size_mm`` widens or narrows the field of view.
        seed: Of the noise.

    Returns:
        Grey values (K, J, I) in HU and the grid they lie on.

    Raises:
        InputError: The scan would be too large.
    """
    low = np.min([bone.surface.low for bone in bones], axis=0)
    high = np.max([bone.surface.high for bone in bones], axis=0)
    view = low - MARGIN_MM, high + MARGIN_MM
    if options.size_mm is not None:
        middle, half = (low + high)[:2] / 2, np.array(options.size_mm) / 2
        view[0][:2], view[1][:2] = middle - half, middle + half
    scan = scan_grid(*view, options)
    if np.prod(scan.shape_kji, dtype=np.int64) > MOST_VOXELS:
        raise InputError(
            f"the scan would have {scan.shape_kji} voxels, at most {MOST_VOXELS // 10**6} million "
            "can be made: give fewer surfaces or a larger spacing"
        )
    hu = _limb(scan, low, high)
    pick = np.array([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)])
    for bone in bones:
        box = np.array([bone.surface.low, bone.surface.high])
        corners = np.stack([box[pick[:, n], n] for n in range(3)], axis=1)
        for part, slab in _slabs(scan):
            add_bone(hu[part], slab, bone.measure, corners)
    return blur_and_noise(hu, scan, options, seed), scan
