"""The case's own CT and label map as NIfTI: LPS becomes RAS at this door."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import numpy.typing as npt

from guidegen.export.atomic import write_bytes, write_json
from guidegen.model.arrays import Floats
from guidegen.model.notice import Notice
from guidegen.model.volume import CTVolume, Grid, LabelMap

SEGMENTATION_SCHEMA = "guidegen.segmentation/1"


def write_ct(path: Path, volume: CTVolume) -> None:
    """Write a CT as int16 HU; nothing but grey values and affine, so nothing identifies."""
    write_bytes(path, nifti_bytes(volume.hu, volume.grid))


def write_labels(
    path: Path, names_path: Path, labels: LabelMap, notices: tuple[Notice, ...] = ()
) -> None:
    """Write a label map and, beside it, the names of its values and what was noticed."""
    write_bytes(path, nifti_bytes(labels.labels, labels.grid))
    names = {str(value): labels.names[value] for value in sorted(labels.names)}
    said = [vars(notice) for notice in notices]
    write_json(names_path, {"schema": SEGMENTATION_SCHEMA, "labels": names, "warnings": said})


def nifti_bytes(values: npt.NDArray[Any], grid: Grid) -> bytes:
    """Pack voxels (K, J, I) as .nii.gz; the same voxels give the same bytes."""
    image = nibabel.Nifti1Image(np.ascontiguousarray(values.transpose(2, 1, 0)), ras_from_ijk(grid))
    image.header.set_xyzt_units("mm")
    image.set_sform(image.affine, code=1)
    image.set_qform(image.affine, code=1)
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=packed, compresslevel=1, mtime=0) as stream:
        stream.write(image.to_bytes())
    return packed.getvalue()


def ras_from_ijk(grid: Grid) -> Floats:
    """(4, 4): voxel (i, j, k) to RAS mm, as NIfTI wants it."""
    matrix = np.array(grid.patient_from_kji)[:, [2, 1, 0, 3]]
    return np.asarray(np.diag([-1.0, -1.0, 1.0, 1.0]) @ matrix)


def on_grid(labels: LabelMap, grid: Grid) -> LabelMap:
    """Bring a label map to another grid by nearest voxel; outside of it is background."""
    out = np.zeros(grid.shape_kji, dtype=np.uint16)
    j, i = np.meshgrid(*(np.arange(n) for n in grid.shape_kji[1:]), indexing="ij")
    for k in range(grid.shape_kji[0]):
        kji = np.stack([np.full_like(j, k), j, i], axis=-1)
        source = np.rint(labels.grid.kji(grid.patient(kji))).astype(int)
        inside = ((source >= 0) & (source < labels.grid.shape_kji)).all(axis=-1)
        out[k][inside] = labels.labels[tuple(source[inside].T)]
    return LabelMap(out, grid, labels.names)
