"""NRRD files to voxel images in LPS."""

from __future__ import annotations

import bz2
import io
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import nrrd
import numpy as np

from guidegen.ct.guard import require_size
from guidegen.ct.image import Image, build_image
from guidegen.ct.segments import one_layer, segments_of
from guidegen.errors import InputError, UnsupportedScan
from guidegen.model.arrays import Floats

_SKIP_BYTES = 1_000_000
"""Allowance for bytes and lines that the header says to skip; engineering choice."""

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

    Segments that 3D Slicer keeps in several layers are put into one; where two overlap, the one
    that comes first in the file keeps the voxel.

    Raises:
        InputError: ``space``, directions or origin are missing or unknown.
        UnsupportedScan: Not three-dimensional, or sheared.
    """
    with path.open("rb") as stream:
        header: dict[str, Any] = dict(nrrd.read_header(stream))
        sizes = tuple(int(n) for n in header["sizes"])
        segments = segments_of(header)
        keep = _volume_axes(sizes, header, bool(segments))
        require_size(sizes, "the NRRD file")
        matrix = _affine(header, keep)
        values = np.asarray(_values(path, header, stream, sizes))
    names = {segment.value: segment.name for segment in segments}
    layered = [a for a in range(len(sizes)) if a not in keep and sizes[a] > 1]
    if layered:
        values, names = one_layer(np.moveaxis(values, layered[0], 0), segments)
    shape = tuple(sizes[a] for a in keep)
    values = values.reshape(shape, order="F")
    return build_image(values, matrix, (1.0, 0.0), names, "the NRRD file")


def _values(path: Path, header: dict[str, Any], stream: BinaryIO, sizes: tuple[int, ...]) -> Any:
    """The data as stored; of packed data no more is unpacked than the header states."""
    named = header.pop("data file", header.pop("datafile", None))
    if named is not None:
        plain = isinstance(named, str) and Path(named).name == named
        if not plain or named.startswith(("LIST", ".")):
            raise InputError(
                "the NRRD header points to data in another folder or in several files: "
                "save it as one .nrrd file"
            )
        stream = io.BytesIO((path.parent / named).read_bytes())
    encoding = str(header.get("encoding", "")).lower()
    packed = encoding in ("gzip", "gz", "bzip2", "bz2")
    if packed:
        unpack = zlib.decompressobj(wbits=47) if encoding[0] == "g" else bz2.BZ2Decompressor()
        limit = 8 * int(np.prod(sizes)) + _SKIP_BYTES
        stream = io.BytesIO(unpack.decompress(stream.read(), limit))
        header["encoding"] = "raw"
    values = nrrd.read_data(header, stream, index_order="F")
    if packed and stream.read(1):
        raise InputError("the NRRD file holds more data than its header states: save it again")
    return values


def _volume_axes(sizes: tuple[int, ...], header: Mapping[str, Any], layers: bool) -> list[int]:
    """The three axes of space; any further axis must have length 1, or be layers of segments."""
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
    others = [a for a in range(len(sizes)) if a not in spatial and sizes[a] != 1]
    if len(spatial) != 3 or len(others) > int(layers):
        raise UnsupportedScan(
            f"the NRRD file has {len(sizes)} axes ({' x '.join(map(str, sizes))}), one volume of "
            "three is needed: save one volume"
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
