"""Mesh files: STL in and out, 3MF out; millimetres, patient LPS."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import numpy as np
import numpy.typing as npt

from guidegen.errors import GeometryError, InputError
from guidegen.model.arrays import Floats, Ints

_HEADER = 80
_RECORD = np.dtype([("normal", "<f4", (3,)), ("corners", "<f4", (3, 3)), ("extra", "<u2")])
_VERTEX = re.compile(rb"vertex\s+(\S+)\s+(\S+)\s+(\S+)", re.IGNORECASE)
_WELL_KNOWN = (
    *("Title", "Designer", "Description", "Copyright", "LicenseTerms", "Rating"),
    *("CreationDate", "ModificationDate", "Application"),
)
_NAMESPACE = "urn:guidegen:3mf"


def read_stl(path: str | Path) -> tuple[Floats, Ints]:
    """Read a binary or ASCII STL file and weld corners of exactly equal coordinates.

    The normals in the file are ignored; whether the surface is closed is for the checks to say.

    Args:
        path: The file.

    Returns:
        (V, 3) float64 vertices in the file's unit, and (F, 3) int64 faces in the file's order.

    Raises:
        InputError: The file can't be read, is no STL file, is cut short or empty, or holds
            coordinates that are not numbers.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"{path.name} should be an STL file, but it can't be read ({error.strerror}): "
            "check its place and rights"
        ) from error
    corners = _corners(data, path.name)
    if len(corners) == 0:
        raise InputError(f"{path.name} should hold a surface, but has no triangles: export it anew")
    if not np.isfinite(corners).all():
        raise InputError(
            f"{path.name} holds coordinates that are not numbers (NaN or infinite): export it anew"
        )
    return weld(corners)


def _corners(data: bytes, name: str) -> Floats:
    """The corners (3 F, 3) of an STL file's triangles, in order."""
    if len(data) >= _HEADER + 4:
        count = int.from_bytes(data[_HEADER : _HEADER + 4], "little")
        if len(data) == _HEADER + 4 + count * _RECORD.itemsize:
            records = np.frombuffer(data, dtype=_RECORD, offset=_HEADER + 4)
            return records["corners"].astype(np.float64).reshape(-1, 3)
    if data[:_HEADER].lstrip()[:5].lower() == b"solid" and b"\0" not in data[:512]:
        return _ascii_corners(data, name)
    if len(data) < _HEADER + 4:
        raise InputError(
            f"{name} should be an STL file, but has only {len(data)} bytes: export it anew"
        )
    held = (len(data) - _HEADER - 4) / _RECORD.itemsize
    raise InputError(
        f"{name} should hold {count} triangles by its header, but its size is that of {held:.1f}: "
        "it is cut short or no STL file; export it anew"
    )


def _ascii_corners(data: bytes, name: str) -> Floats:
    """The corners (3 F, 3) of an ASCII STL file."""
    found = _VERTEX.findall(data)
    lower = data.lower()
    n_facets = lower.count(b"endfacet")
    whole = b"endsolid" in lower and lower.count(b"facet normal") == n_facets
    if not whole or len(found) != 3 * n_facets:
        raise InputError(
            f"{name} should be an ASCII STL file of triangles, but has {len(found)} corners for "
            f"{n_facets} finished triangles: it is cut short or damaged; export it anew"
        )
    try:
        return np.array(found, dtype="S32").astype(np.float64).reshape(-1, 3)
    except ValueError as error:
        raise InputError(
            f"{name} holds a coordinate that is not a number: export it anew"
        ) from error


def weld(corners: Any) -> tuple[Floats, Ints]:
    """Merge corners of exactly equal coordinates; vertices keep the order they appear in.

    Args:
        corners: (3 F, 3), three rows a triangle.

    Returns:
        (V, 3) float64 and (F, 3) int64.
    """
    points = np.asarray(corners, dtype=np.float64) + 0.0
    order = np.lexsort((points[:, 2], points[:, 1], points[:, 0]))
    ordered = points[order]
    new = np.concatenate([[True], (ordered[1:] != ordered[:-1]).any(axis=1)])
    group = np.cumsum(new) - 1
    first = np.minimum.reduceat(order, np.flatnonzero(new))
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    faces = np.empty(len(points), dtype=np.int64)
    faces[order] = rank[group]
    return points[np.sort(first)], faces.reshape(-1, 3)


def edges_match(faces: Ints) -> bool:
    """Tell whether each edge is used exactly once in each direction (closed, oriented)."""
    if len(faces) == 0:
        return False
    size = int(faces.max()) + 1
    start = faces.ravel()
    end = np.roll(faces, -1, axis=1).ravel()
    forward = np.sort(start * size + end)
    backward = np.sort(end * size + start)
    return bool((np.diff(forward) != 0).all() and np.array_equal(forward, backward))


def as_float32(vertices: Any, faces: Any) -> tuple[npt.NDArray[np.float32], Ints]:
    """Round a closed surface to float32 so that it is still closed when welded again.

    STL has 24 bits a coordinate: 3e-5 mm at 300 mm from the origin. Vertices that fall
    together are merged where that only takes away slivers; where two sheets would touch, the
    vertices are put one or a few steps apart instead.

    Args:
        vertices: (V, 3) mm.
        faces: (F, 3), closed.

    Returns:
        (V', 3) float32 and (F', 3).

    Raises:
        GeometryError: The surface is not closed, or can't be kept closed.
    """
    source = np.asarray(faces, dtype=np.int64)
    if not edges_match(source):
        raise GeometryError("a closed surface is needed for an STL file, found open edges")
    points = np.asarray(vertices, dtype=np.float64).astype(np.float32) + np.float32(0)
    if not np.isfinite(points).all():
        raise GeometryError("a mesh for an STL file needs finite coordinates")
    for _ in range(8):
        welded, triangles = weld(points[source].reshape(-1, 3))
        triangles = without_slivers(triangles)
        if edges_match(triangles):
            return welded.astype(np.float32), triangles
        points = _put_apart(points)
    raise GeometryError(
        "the surface can't be kept closed at the precision of an STL file: it touches itself"
    )


def without_slivers(faces: Ints) -> Ints:
    """Leave out faces with a doubled corner, and pairs of faces that lie back to back."""
    a, b, c = faces.T
    kept = faces[(a != b) & (b != c) & (c != a)]
    key = np.sort(kept, axis=1)
    order = np.lexsort(key.T)
    same = (key[order][1:] == key[order][:-1]).all(axis=1)
    drop = np.zeros(len(kept), dtype=bool)
    drop[order[:-1][same]] = True
    drop[order[1:][same]] = True
    return np.asarray(kept[~drop], dtype=np.int64)


def _put_apart(points: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Move vertices that fall on an earlier one by float32 steps along x, y or z."""
    order = np.lexsort((points[:, 2], points[:, 1], points[:, 0]))
    equal = np.concatenate([[False], (points[order][1:] == points[order][:-1]).all(axis=1)])
    moved = np.array(points)
    step, axis = 0, 0
    for place in np.flatnonzero(equal):
        step = step + 1 if equal[place - 1] else 1
        axis = (axis + 1) % 3
        for _ in range(step):
            value = moved[order[place], axis]
            moved[order[place], axis] = np.nextafter(value, np.float32(np.inf))
    return moved


def stl_bytes(vertices: Any, faces: Any, header: str = "guidegen LPS mm") -> bytes:
    """Write a closed surface as a binary STL file that reads back closed.

    Args:
        vertices: (V, 3) mm, patient LPS.
        faces: (F, 3), closed, outward.
        header: At most 80 characters of ASCII; nothing that names the patient; must not start
            with ``solid``, which would make readers take the file for ASCII.

    Returns:
        The file's bytes; the same input gives the same bytes.

    Raises:
        GeometryError: The surface is not closed, or the header can't be used.
    """
    head = header.encode("ascii", errors="replace")
    if len(head) > _HEADER or head.lstrip()[:5].lower() == b"solid":
        raise GeometryError(
            f"an STL header has at most {_HEADER} characters and does not start with 'solid', "
            f"got {header!r}"
        )
    points, triangles = as_float32(vertices, faces)
    records = np.zeros(len(triangles), dtype=_RECORD)
    records["corners"] = points[triangles]
    a, b, c = (points.astype(np.float64)[triangles[:, n]] for n in range(3))
    normal = np.cross(b - a, c - a)
    length = np.linalg.norm(normal, axis=1, keepdims=True)
    records["normal"] = np.divide(normal, length, out=np.zeros_like(normal), where=length > 0)
    count = len(triangles).to_bytes(4, "little")
    return head.ljust(_HEADER, b" ") + count + records.tobytes()


def threemf_bytes(vertices: Any, faces: Any, metadata: Mapping[str, str]) -> bytes:
    """Write a closed surface as a 3MF core package in millimetres.

    Args:
        vertices: (V, 3) mm, patient LPS.
        faces: (F, 3), closed, outward.
        metadata: ``name`` and ``part_number`` become those of the object; the names that the
            3MF core specification knows (``Title``, ``Description``, ...) stay; all others
            (``plan_sha256``) are put into guidegen's own XML namespace. Nothing that names the
            patient.

    Returns:
        The file's bytes; the same input gives the same bytes.

    Raises:
        GeometryError: The surface is not closed.

    References:
        3MF Consortium, Core Specification 1.3, sections 3 and 4.
    """
    points, triangles = as_float32(vertices, faces)
    parts = {
        "[Content_Types].xml": _CONTENT_TYPES,
        "_rels/.rels": _RELATIONS,
        "3D/3dmodel.model": _model_xml(points, triangles, metadata),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as package:
        for name, text in parts.items():
            info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3
            info.external_attr = 0o644 << 16
            package.writestr(info, text.encode("utf-8"))
    return buffer.getvalue()


def _model_xml(points: Any, triangles: Ints, metadata: Mapping[str, str]) -> str:
    """The model part of a 3MF package."""
    name, part = metadata.get("name", ""), metadata.get("part_number", "")
    lines = []
    if name and "Title" not in metadata:
        lines.append(f'<metadata name="Title">{escape(name)}</metadata>')
    for key, value in metadata.items():
        label = key if key in _WELL_KNOWN else f"guidegen:{key}"
        lines.append(f"<metadata name={quoteattr(label)}>{escape(value)}</metadata>")
    attributes = f" name={quoteattr(name)}" if name else ""
    attributes += f" partnumber={quoteattr(part)}" if part else ""
    corner = '<vertex x="%.9g" y="%.9g" z="%.9g"/>\n' * len(points)
    face = '<triangle v1="%d" v2="%d" v3="%d"/>\n' * len(triangles)
    return "".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>\n<model unit="millimeter" xml:lang="en-US" '
            'xmlns="http://schemas.microsoft.com/3dmanufacturing/core/2015/02" '
            f'xmlns:guidegen="{_NAMESPACE}">\n',
            "\n".join(lines),
            f'\n<resources><object id="1" type="model"{attributes}><mesh>\n<vertices>\n',
            corner % tuple(points.ravel().tolist()),
            "</vertices>\n<triangles>\n",
            face % tuple(triangles.ravel().tolist()),
            "</triangles>\n</mesh></object></resources>\n"
            '<build><item objectid="1"/></build>\n</model>\n',
        ]
    )


_CONTENT_TYPES = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="model" '
    'ContentType="application/vnd.ms-package.3dmanufacturing-3dmodel+xml"/></Types>\n'
)
_RELATIONS = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Target="/3D/3dmodel.model" Id="rel0" '
    'Type="http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"/></Relationships>\n'
)
