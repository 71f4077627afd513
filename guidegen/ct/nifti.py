"""NIfTI files to voxel images in LPS."""

from __future__ import annotations

import contextlib
import gzip
import re
from pathlib import Path
from typing import Any

import nibabel
import numpy as np

from guidegen.ct.guard import require_size
from guidegen.ct.image import Image, build_image
from guidegen.errors import InputError, UnsupportedScan
from guidegen.model.arrays import Floats

_AGREE_MM = 0.1
"""How far a corner may lie apart by sform and qform; engineering choice: half the fit gap."""

_LPS_FROM_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def read_nifti(path: Path, version: int, zipped: bool) -> Image:
    """Read a NIfTI file.

    Args:
        path: The file, whatever its ending.
        version: 1 or 2.
        zipped: Whether it is gzipped.

    Raises:
        InputError: Position unknown or contradictory, damaged.
        UnsupportedScan: Not three-dimensional, or sheared.
    """
    kind: Any = nibabel.Nifti1Image if version == 1 else nibabel.Nifti2Image
    with contextlib.ExitStack() as stack:
        raw = stack.enter_context(path.open("rb"))
        stream = stack.enter_context(gzip.open(raw)) if zipped else raw
        image = kind.from_stream(stream)
        header = image.header
        shape = _volume_shape(tuple(int(n) for n in image.shape))
        require_size(shape, "the NIfTI file", int(header["bitpix"]) // 8)
        matrix = _affine(header, shape)
        values = np.asarray(image.dataobj.get_unscaled()).reshape(shape, order="F")
        scaling = (float(image.dataobj.slope), float(image.dataobj.inter))
    return build_image(values, matrix, scaling, _header_names(header), "the NIfTI file")


def _volume_shape(shape: tuple[int, ...]) -> tuple[int, int, int]:
    if len(shape) < 3 or any(n != 1 for n in shape[3:]):
        raise UnsupportedScan(
            f"the NIfTI file has {len(shape)} dimensions ({' x '.join(map(str, shape))}), one "
            "volume of three is needed: export a single volume"
        )
    return shape[0], shape[1], shape[2]


def _affine(header: Any, shape: tuple[int, int, int]) -> Floats:
    """(4, 4) from (i, j, k) to LPS mm."""
    sform, qform = (
        header.get_sform(coded=True)[0],
        header.get_qform(coded=True)[0],
    )
    if sform is None and qform is None:
        raise InputError(
            "the NIfTI file has neither sform nor qform, so nobody knows where its voxels lie "
            "in the patient: convert the DICOM series again, or name it instead"
        )
    if sform is not None and qform is not None:
        corners = np.array([[0, 0, 0, 1], [*(n - 1 for n in shape), 1]], dtype=float)
        corners = np.vstack([corners, [[shape[0] - 1, 0, 0, 1], [0, shape[1] - 1, 0, 1]]])
        apart = float(np.abs(corners @ (sform - qform).T).max())
        if not apart <= _AGREE_MM:
            raise InputError(
                f"the sform and the qform of the NIfTI file disagree by {apart:.1f} mm, so its "
                "place in the patient is not certain: convert the DICOM series again"
            )
    unit = header.get_xyzt_units()[0]
    if unit not in ("mm", "unknown"):
        raise InputError(f"the NIfTI file is in {unit}, mm is needed: convert it again")
    chosen = sform if sform is not None else qform
    return np.asarray(_LPS_FROM_RAS @ chosen, dtype=np.float64)


def _header_names(header: Any) -> dict[int, str]:
    """Names of labels from a Connectome extension (TotalSegmentator, Caret) or Slicer's text."""
    names: dict[int, str] = {}
    for extension in header.extensions:
        content = extension.get_content()
        text = content.decode("utf-8", "replace") if isinstance(content, bytes) else str(content)
        for match in re.finditer(r"<Label\b([^>]*)>(.*?)</Label>", text, re.DOTALL):
            key = re.search(r'Key="(\d{1,5})"', match.group(1))
            name = re.sub(r"^<!\[CDATA\[|\]\]>$", "", match.group(2).strip()).strip()
            if key and name and int(key.group(1)) > 0:
                names[int(key.group(1))] = name
    return names
