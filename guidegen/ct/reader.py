"""The door: any input to one CT volume."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from guidegen.ct.dicom import read_study
from guidegen.ct.guard import guarded
from guidegen.ct.hounsfield import require_hounsfield
from guidegen.ct.image import Image
from guidegen.ct.nifti import read_nifti
from guidegen.ct.nrrd_file import read_nrrd
from guidegen.ct.series import MIN_EXTENT_MM, MIN_SLICES, thick_notice
from guidegen.ct.source import HEAD_BYTES, FolderSource, Source, ZipSource, kind_of
from guidegen.errors import InputError, UnsupportedScan
from guidegen.model.notice import Notice, Progress, silent
from guidegen.model.volume import CTVolume, Grid, ScanInfo


@guarded("the scan")
def read_ct(
    path: str | Path,
    series_uid: str | Sequence[str] = (),
    progress: Progress = silent,
    in_blocks: bool = False,
) -> CTVolume:
    """Read a CT from a DICOM folder, a zip of one, or a DICOM, NIfTI or NRRD file.

    Voxels are never resampled, except that the slices of a tilted gantry are each shifted in
    their own plane, and that series put together come onto one grid. The axes come back in the
    patient's order: k to the head, j to the back, i to the left, as nearly as the scan lay.

    Args:
        path: Folder or file.
        series_uid: Raw UID of the series to use, as ``inspect`` prints it (``UID#2`` for the
            second part of a mixed series); several of one frame of reference are put together on
            one grid; by default the best one is used.
        progress: Told how far the reading is.
        in_blocks: Where no series can be used as a whole, use one that was scanned in blocks
            (hip, knee, ankle) with wide gaps between them.

    Returns:
        HU as int16 on the scan's own grid, with warnings in ``info.notices``.

    Raises:
        IncompleteSeries: Slices are missing, doubled or uneven.
        UnsupportedScan: Readable, but not a CT that can be planned on.
        InputError: Nothing usable; the message says what to do.
    """
    source, image = open_input(Path(path))
    if source is not None:
        uids = (series_uid,) if isinstance(series_uid, str) else tuple(series_uid)
        return read_study(source, uids, in_blocks, progress)
    if series_uid:
        raise InputError("--series is for DICOM: the input is a single volume, leave it out")
    assert image is not None  # open_input gives one of the two
    return _volume(*image)


@guarded("the case's CT")
def read_case_volume(path: str | Path) -> CTVolume:
    """Read the CT of a case folder (``ct.nii.gz``), any size.

    Raises:
        InputError: It is missing or damaged.
    """
    image = image_of(Path(path))
    if image is None:
        raise InputError("the case's CT is not a NIfTI file: plan the case again")
    hu = image[0].hounsfield()
    return CTVolume(hu, Grid(image[0].matrix, hu.shape), ScanInfo(image[1]))


def open_input(path: Path) -> tuple[Source | None, tuple[Image, str] | None]:
    """Tell what kind of input a path is.

    Returns:
        A source of DICOM files, or an image and its kind (``nifti``, ``nrrd``).

    Raises:
        InputError: It is neither.
    """
    if not path.exists():
        raise InputError("the input does not exist: check the path")
    if path.is_dir():
        return FolderSource.walk(path), None
    image = image_of(path)
    if image is not None:
        return None, image
    kind = kind_of(_head(path))
    if kind == "zip":
        return ZipSource(path), None
    if kind == "dicom":
        if path.name.upper() == "DICOMDIR":
            return FolderSource.walk(path.resolve().parent), None
        return FolderSource((path,)), None
    raise InputError(_SENTENCES.get(kind, _SENTENCES["unknown"]))


_SENTENCES = {
    "empty": "the file is empty: copy or export it again",
    "packed": "the file is compressed in a way that is not read (only zip and .nii.gz are): "
    "unpack it first",
    "gzip": "the gzipped file holds no NIfTI volume: unpack it and name the DICOM folder",
    "nifti_pair": "the file is half of a NIfTI pair (.hdr and .img): convert it to one .nii file",
    "unknown": "the file is neither DICOM, zip, NIfTI nor NRRD: name a DICOM folder, a zip of "
    "one, or one such file",
}


def image_of(path: Path) -> tuple[Image, str] | None:
    """Read a NIfTI or NRRD file; None if it is neither."""
    head = _head(path)
    kind = kind_of(head)
    zipped = kind == "gzip"
    if zipped:
        try:
            with gzip.open(path, "rb") as stream:
                kind = kind_of(stream.read(HEAD_BYTES))
        except (OSError, EOFError, zlib.error):
            raise InputError("the gzipped file is damaged or cut short: copy it again") from None
        if kind not in ("nifti1", "nifti2"):
            return None
    if kind in ("nifti1", "nifti2"):
        return read_nifti(path, int(kind[-1]), zipped), "nifti"
    return (read_nrrd(path), "nrrd") if kind == "nrrd" else None


def _head(path: Path) -> bytes:
    if not path.is_file():
        raise InputError("the input is not a file or folder that can be read: check the path")
    with path.open("rb") as stream:
        return stream.read(HEAD_BYTES)


def _volume(image: Image, kind: str) -> CTVolume:
    """A CT from a file without DICOM headers, checked like one."""
    hu = image.hounsfield()
    steps = np.linalg.norm(image.matrix[:3, :3], axis=0)
    extents = steps * hu.shape
    if min(hu.shape) < MIN_SLICES or extents.min() < MIN_EXTENT_MM:
        raise UnsupportedScan(
            f"the volume has {' x '.join(map(str, hu.shape))} voxels over "
            f"{' x '.join(f'{e:.0f}' for e in extents)} mm, at least {MIN_SLICES} voxels over "
            f"{MIN_EXTENT_MM:.0f} mm each way are needed: export the whole scan"
        )
    require_hounsfield(hu, "the volume")
    notices = tuple(
        Notice(code, text, "series", red) for code, text, red in thick_notice(max(steps), None)
    )
    return CTVolume(hu, Grid(image.matrix, hu.shape), ScanInfo(kind, notices=notices))
