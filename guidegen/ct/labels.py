"""Label maps from outside, and the case folder's own."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt

from guidegen.ct.dicom_seg import read_seg
from guidegen.ct.guard import guarded
from guidegen.ct.image import Image
from guidegen.ct.names import bone_name, names_from_toml, numbered, scheme_names
from guidegen.ct.reader import image_of
from guidegen.ct.source import HEAD_BYTES, kind_of
from guidegen.errors import InputError
from guidegen.model.volume import CTVolume, Grid, LabelMap

MIN_SHARE_INSIDE = 0.5
"""Least share of the labelled voxels that must lie within the scan; engineering choice: a crop
of the scan keeps at least half of a vertebra's neighbours in view."""


@guarded("the label map")
def read_label_map(
    path: str | Path,
    volume: CTVolume,
    scheme: str | None = None,
    names_file: str | Path | None = None,
) -> LabelMap:
    """Read a label map that belongs to a scan.

    Names in the file's header win; else ``names_file`` or ``scheme`` is required, because the
    same number means different bones in different schemes. Labels without a name become 0.

    Args:
        path: NIfTI, NRRD or DICOM SEG file.
        volume: The scan it belongs to; the grids may differ, the frame of reference may not.
        scheme: ``totalseg-v1``, ``totalseg-v2`` or ``verse``.
        names_file: TOML with lines like ``20 = "L5"``.

    Returns:
        The labels on their own grid, with the names of those that occur.

    Raises:
        InputError: Unreadable, no names, or not lying in the scan.
        FrameError: It names another frame of reference than the scan.
    """
    image, frame = _open(Path(path))
    labels = image.labels()
    names = _names(image, scheme, names_file)
    found = _label_map(labels, image, names, frame)
    found.require_same_frame(volume)
    _require_inside(found, volume)
    return found


@guarded("the case's segmentation")
def read_segmentation(nii_path: str | Path, json_path: str | Path) -> LabelMap:
    """Read the case folder's own label map, perhaps corrected by hand.

    Args:
        nii_path: ``bones/segmentation.nii.gz``.
        json_path: ``bones/segmentation.json`` with ``{"labels": {"20": "L5"}}``.

    Raises:
        InputError: One of them is missing or damaged, or holds a label without a name.
    """
    found = image_of(Path(nii_path))
    if found is None:
        raise InputError("the case's segmentation is not a NIfTI file: save it as .nii.gz")
    try:
        text = json.loads(Path(json_path).read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise InputError("segmentation.json is not JSON: restore it or plan again") from None
    table = text.get("labels") if isinstance(text, dict) else None
    names = numbered(table, "the labels of segmentation.json")
    labels = found[0].labels()
    unnamed = sorted(set(_values(labels)) - set(names))
    if unnamed:
        raise InputError(
            f"the segmentation holds label {unnamed[0]}, which segmentation.json does not name: "
            "add its name there"
        )
    return _label_map(labels, found[0], names, "")


def _open(path: Path) -> tuple[Image, str]:
    """The label image and its hashed frame of reference, "" if it has none."""
    if not path.exists():
        raise InputError("the label map does not exist: check the path")
    if path.is_dir():
        raise InputError("the label map is a folder, a file is needed: name the file in it")
    image = image_of(path)
    if image is not None:
        return image[0], ""
    with path.open("rb") as stream:
        kind = kind_of(stream.read(HEAD_BYTES))
    if kind == "dicom":
        return read_seg(path)
    raise InputError("the label map is neither NIfTI, NRRD nor DICOM SEG: export it as one of them")


def _names(image: Image, scheme: str | None, names_file: str | Path | None) -> dict[int, str]:
    if image.names:
        return {number: bone_name(name) for number, name in image.names.items()}
    if names_file is not None:
        return names_from_toml(Path(names_file))
    if scheme is not None:
        return scheme_names(scheme)
    raise InputError(
        "the label map's header does not name its labels, and the same number means different "
        "bones in different schemes: add --label-scheme totalseg-v1|totalseg-v2|verse or "
        "--label-names FILE.toml"
    )


def _values(labels: npt.NDArray[np.uint16]) -> list[int]:
    counts = np.bincount(labels.ravel(), minlength=2)
    return [int(value) for value in np.flatnonzero(counts) if value > 0]


def _label_map(
    labels: npt.NDArray[np.uint16], image: Image, names: dict[int, str], frame: str
) -> LabelMap:
    """Keep the named labels that occur.

    Raises:
        InputError: None occurs, or two labels that occur share a name.
    """
    present = _values(labels)
    kept = {value: names[value] for value in present if value in names}
    if not kept:
        raise InputError(
            f"none of the {len(present)} labels in the map has a name in the scheme or header: "
            "choose the right --label-scheme, or give --label-names"
        )
    doubled = sorted({name for name in kept.values() if list(kept.values()).count(name) > 1})
    if doubled:
        raise InputError(
            f"two labels of the map are both named {doubled[0]}: give each bone one label"
        )
    if len(kept) < len(present):
        lookup = np.zeros(65536, dtype=np.uint16)
        lookup[list(kept)] = list(kept)
        labels = lookup[labels]
    return LabelMap(labels, Grid(image.matrix, labels.shape, frame), kept)


def _require_inside(found: LabelMap, volume: CTVolume) -> None:
    """Raise InputError if most of the labelled voxels lie outside of the scan's box."""
    points = np.argwhere(found.labels)
    points = points[:: max(1, len(points) // 20000)]
    kji = volume.grid.kji(found.grid.patient(points))
    inside = ((kji > -0.5) & (kji < np.array(volume.grid.shape_kji) - 0.5)).all(axis=1)
    share = float(inside.mean())
    if share < MIN_SHARE_INSIDE:
        raise InputError(
            f"only {share:.0%} of the label map lies within the scan: it belongs to another scan, "
            "or one of the two was moved; use a label map made on this scan"
        )
