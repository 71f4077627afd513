"""Closed bone surfaces from the grey values, within the limits of a label map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from skimage.measure import marching_cubes

from guidegen.bones.limits import HU_PER_MM, within_label
from guidegen.bones.threshold import cortical_hu, local_threshold
from guidegen.errors import AnatomyError, GeometryError
from guidegen.model.arrays import Floats, Ints
from guidegen.model.bone import Bone
from guidegen.model.level import Level, Spine
from guidegen.model.notice import Progress, silent
from guidegen.model.volume import CTVolume, Grid, LabelMap
from guidegen.workers import side_by_side

MARGIN_MM = 5.0
MESH_MM = 0.7
"""Mesh size where voxels are finer: the scanner's blur hides anything smaller."""
NOISE_MM = 0.3
"""Smoothing against noise; the threshold's formula holds for any blur (engineering choice)."""


def extract_bones(
    volume: CTVolume,
    spine: Spine,
    names: tuple[str, ...] | None = None,
    progress: Progress = silent,
) -> tuple[Bone, ...]:
    """Make one closed surface a vertebra.

    Args:
        volume: The CT that the labels were made on, or a crop of it.
        spine: Labels and levels.
        names: Which vertebrae; None for all levels.
        progress: Told the share done.

    Returns:
        In the order of ``spine.levels``.
    """
    labels = spine.labels
    values = {name: value for value, name in labels.names.items()}
    wanted = [level for level in spine.levels if names is None or level.name in names]
    boxes = ndimage.find_objects(labels.labels, max_label=max(values.values(), default=0))
    cortex = cortical_hu(volume.hu, labels.labels > 0) if same_voxels(volume, labels) else None
    known = Known(cortex)

    def make(level: Level) -> Bone:
        box = boxes[values[level.name] - 1]
        if box is None:
            raise AnatomyError(f"{level.name} has no voxels in the label map")
        return bone_surface(volume, labels, values[level.name], box, level.complete, known)

    def starting(n: int) -> None:
        progress(f"surface of {wanted[n].name}", n / len(wanted))

    return tuple(side_by_side(make, wanted, starting))


def same_voxels(volume: CTVolume, labels: LabelMap) -> bool:
    """True if labels and CT share their voxels."""
    return labels.grid.same_as(volume.grid)


@dataclass(frozen=True)
class Known:
    """What is known before a surface is made.

    Args:
        cortex_hu: Brightness of thick cortex; None measures it in the label.
        sure_mm: So deep inside its label all is bone; None is what labels of spines hold to.
    """

    cortex_hu: float | None = None
    sure_mm: float | None = None


def bone_surface(
    volume: CTVolume,
    labels: LabelMap,
    value: int,
    box: tuple[slice, ...],
    complete: bool,
    known: Known,
) -> Bone:
    """Make the closed surface of one label.

    Args:
        volume: The CT.
        labels: The label map; all other labels are neighbours to keep off.
        value: The bone's label.
        box: The label's box of voxels.
        complete: For the bone.
        known: Of the scan and its labels.
    """
    name = labels.names[value]
    part, own, other = _crop(volume, labels, value, box)
    spacing = part.grid.spacing_kji_mm
    hu = ndimage.gaussian_filter(part.hu.astype(np.float32), NOISE_MM / spacing)
    level = cortical_hu(hu, own) if known.cortex_hu is None else known.cortex_hu
    field = hu - local_threshold(hu, spacing, level)
    grid, factor = _meshing_grid(part.grid)
    field, hu = (_resampled(values, grid, factor, 1) for values in (field, hu))
    own, other = (_resampled(mask, grid, factor, 0) for mask in (own, other))
    field = within_label(field, hu, own, other, grid.spacing_kji_mm, known.sure_mm)
    vertices, faces = closed_isosurface(field, grid, name)
    return Bone(name, vertices, faces, complete=complete)


def _meshing_grid(grid: Grid) -> tuple[Grid, np.ndarray]:
    """The grid to mesh on, coarser where voxels are finer than needed, and by how much (3,)."""
    spacing = grid.spacing_kji_mm
    factor = np.where(spacing < 0.65 * MESH_MM / 0.7, MESH_MM / spacing, 1.0)
    shape = np.floor((np.array(grid.shape_kji) - 1) / factor).astype(int) + 1
    matrix = np.array(grid.patient_from_kji)
    matrix[:3, :3] *= factor
    return Grid(matrix, tuple(shape.tolist()), grid.frame_of_reference), factor


def _resampled(values: np.ndarray, grid: Grid, factor: np.ndarray, order: int) -> np.ndarray:
    """Values on the grid to mesh on."""
    if (factor == 1).all():
        return values
    out = ndimage.affine_transform(
        values.view(np.uint8) if values.dtype == bool else values,
        factor,
        output_shape=grid.shape_kji,
        order=order,
    )
    return np.asarray(out.astype(values.dtype))


def _crop(
    volume: CTVolume, labels: LabelMap, value: int, box: tuple[slice, ...]
) -> tuple[CTVolume, np.ndarray, np.ndarray]:
    """The CT round one label, with the masks of that label and of all others on its voxels."""
    corners = np.array(np.meshgrid(*[(b.start - 0.5, b.stop - 0.5) for b in box])).reshape(3, -1).T
    kji = volume.grid.kji(labels.grid.patient(corners))
    margin = np.ceil(MARGIN_MM / volume.grid.spacing_kji_mm)
    part = volume.crop(np.floor(kji.min(axis=0) - margin), np.ceil(kji.max(axis=0) + margin + 1))
    if same_voxels(volume, labels):
        start = np.rint(volume.grid.kji(part.grid.patient((0, 0, 0)))).astype(int)
        cut = tuple(slice(a, a + n) for a, n in zip(start, part.hu.shape, strict=True))
        near = labels.labels[cut]
        return part, near == value, (near != value) & (near != 0)
    own = resampled_mask(labels, part.grid, labels.labels == value)
    other = resampled_mask(labels, part.grid, (labels.labels != value) & (labels.labels != 0))
    return part, own > 0.5, (other > 0.5) & (other >= own)


def resampled_mask(labels: LabelMap, grid: Grid, mask: np.ndarray) -> np.ndarray:
    """A mask of the label map's grid on another grid, as shares 0 to 1."""
    matrix = np.linalg.inv(labels.grid.patient_from_kji) @ grid.patient_from_kji
    return np.asarray(
        ndimage.affine_transform(
            mask.astype(np.float32),
            matrix[:3, :3],
            matrix[:3, 3],
            output_shape=grid.shape_kji,
            order=1,
        )
    )


def closed_isosurface(field: np.ndarray, grid: Grid, name: str) -> tuple[Floats, Ints]:
    """The zero level of a field (positive inside) as one closed body without cavities, LPS mm.

    Raises:
        GeometryError: Nothing is inside.
    """
    inside = field > 0
    pieces, n = ndimage.label(inside)
    if n == 0:
        raise GeometryError(f"{name}: no bone surface was found inside its label")
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    body = pieces == sizes.argmax()
    field = np.where(inside & ~body, -np.abs(field), field)
    cavities = ndimage.binary_fill_holes(body) & ~body
    field = np.where(cavities, np.maximum(np.abs(field), 100.0), field)
    field = np.where(np.abs(field) < 1e-2, np.where(field > 0, 1e-2, -1e-2), field)
    low = -float(np.abs(field).max() + 1)
    padded = np.pad(np.clip(field, -3 * HU_PER_MM, 3 * HU_PER_MM), 1, constant_values=low)
    padded = np.maximum(padded, -3 * HU_PER_MM)
    kji, faces, _, _ = marching_cubes(padded, 0.0, allow_degenerate=False)
    vertices = grid.patient(kji.astype(np.float64) - 1)
    faces = faces.astype(np.int64)
    return _outward(vertices, _largest_shell(faces, len(vertices)))


def _largest_shell(faces: Ints, n_vertices: int) -> Ints:
    """The faces of the shell with the most faces."""
    a, b = faces[:, [0, 1]].ravel(), faces[:, [1, 2]].ravel()
    graph = coo_matrix((np.ones(len(a), dtype=np.int8), (a, b)), shape=(n_vertices, n_vertices))
    _, shell = connected_components(graph, directed=False)
    of_face = shell[faces[:, 0]]
    return np.asarray(faces[of_face == np.bincount(of_face).argmax()])


def _outward(vertices: Floats, faces: Ints) -> tuple[Floats, Ints]:
    """Drop unused vertices and turn the faces outward."""
    used, index = np.unique(faces, return_inverse=True)
    points, triangles = vertices[used], index.reshape(-1, 3).astype(np.int64)
    a, b, c = (points[triangles[:, n]] - points.mean(axis=0) for n in range(3))
    if float(np.einsum("ij,ij->", a, np.cross(b, c))) < 0:
        triangles = triangles[:, ::-1].copy()
    return points, triangles
