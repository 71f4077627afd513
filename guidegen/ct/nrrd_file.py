"""NRRD files to voxel images in LPS."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nrrd
import numpy as np

from guidegen.ct.guard import require_size
from guidegen.ct.image import Image, build_image
from guidegen.errors import InputError, UnsupportedScan
from guidegen.model.arrays import Floats

_SPACES = {
    "left-posterior-superior": (1, 1, 1),
    "lps": (1, 1, 1),
    "right-anterior-superior": (-1, -1, 1),
    "ras": (-1, -1, 1),
    "left-anterior-superior": (1, -1, 1),
    "las": (1, -1, 1),
}


def read_nrrd(path: Path) -> Image:
    """Read an NRRD file with its data inside, or beside it under a plain name.

    Raises:
        InputError: ``space``, directions or origin are missing or unknown.
        UnsupportedScan: Not three-dimensional, or sheared.
    """
    with path.open("rb") as stream:
        header: Mapping[str, Any] = nrrd.read_header(stream)
        sizes = tuple(int(n) for n in header["sizes"])
        keep = _volume_axes(sizes, header)
        require_size(tuple(sizes[a] for a in keep), "the NRRD file")
        matrix = _affine(header, keep)
        values = nrrd.read_data(header, stream, _data_file(path, header), index_order="F")
    shape = tuple(sizes[a] for a in keep)
    values = np.asarray(values).reshape(shape, order="F")
    return build_image(values, matrix, (1.0, 0.0), _segment_names(header), "the NRRD file")


def _data_file(path: Path, header: Mapping[str, Any]) -> str | None:
    """The header's own path; a detached data file must lie beside it under a plain name."""
    named = header.get("data file", header.get("datafile"))
    if named is None:
        return None
    if not isinstance(named, str) or Path(named).name != named or named.startswith(("LIST", ".")):
        raise InputError(
            "the NRRD header points to data in another folder or in several files: "
            "save it as one .nrrd file"
        )
    return str(path)


def _volume_axes(sizes: tuple[int, ...], header: Mapping[str, Any]) -> list[int]:
    """The three axes of space; any further axis must have length 1."""
    directions = header.get("space directions")
    if directions is None:
        raise InputError(
            "the NRRD file has no space directions, so nobody knows how its voxels lie: "
            "save it from 3D Slicer as .nrrd"
        )
    rows = np.asarray(directions, dtype=np.float64)
    if rows.ndim != 2 or rows.shape[1] != 3 or len(rows) != len(sizes):
        raise UnsupportedScan("the NRRD file is not one volume in space: save one volume")
    spatial = [a for a in range(len(sizes)) if np.isfinite(rows[a]).all()]
    others = [a for a in range(len(sizes)) if a not in spatial]
    if len(spatial) != 3 or any(sizes[a] != 1 for a in others):
        raise UnsupportedScan(
            f"the NRRD file has {len(sizes)} axes ({' x '.join(map(str, sizes))}), one volume of "
            "three is needed: save one volume; for overlapping segments collapse the layers first"
        )
    return spatial


def _affine(header: Mapping[str, Any], axes: list[int]) -> Floats:
    """(4, 4) from voxel to LPS mm."""
    space = str(header.get("space", "")).strip().lower()
    if space not in _SPACES:
        found = space if space in ("scanner-xyz", "3d-right-handed", "3d-left-handed") else ""
        raise InputError(
            f"the NRRD file's space is {found or 'missing or unknown'}, "
            "left-posterior-superior (or RAS, LAS) is needed: save it from 3D Slicer as .nrrd"
        )
    units = header.get("space units")
    if units is not None and {str(u).lower() for u in units} - {"mm", "millimeter", ""}:
        raise InputError("the NRRD file is not in mm: save it from 3D Slicer as .nrrd")
    origin = header.get("space origin")
    if origin is None:
        raise InputError("the NRRD file has no space origin: save it from 3D Slicer as .nrrd")
    flip = np.array(_SPACES[space], dtype=np.float64)
    matrix = np.eye(4)
    matrix[:3, :3] = flip[:, None] * np.asarray(header["space directions"], dtype=float)[axes].T
    matrix[:3, 3] = flip * np.asarray(origin, dtype=float)
    return matrix


def _segment_names(header: Mapping[str, Any]) -> dict[int, str]:
    """Names that 3D Slicer writes: SegmentN_Name and SegmentN_LabelValue."""
    names: dict[int, str] = {}
    for key in header:
        match = re.fullmatch(r"Segment(\d+)_LabelValue", str(key))
        if not match:
            continue
        name = str(header.get(f"Segment{match.group(1)}_Name", "")).strip()
        value = str(header[key]).strip()
        if name and value.isdigit():
            names[int(value)] = name
    return names
