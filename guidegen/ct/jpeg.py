"""JPEG with 12 bits, and the retired JPEG processes: pydicom has no decoder for them, GDCM has."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import gdcm
import numpy as np
import numpy.typing as npt
from pydicom.encaps import get_frame

_EXTENDED = "1.2.840.10008.1.2.4.51"
_RETIRED = ("1.2.840.10008.1.2.4.53", "1.2.840.10008.1.2.4.55")


def needs_gdcm(dataset: Any) -> bool:
    """Tell the lossy JPEG kinds that only GDCM decodes: processes 4, 6, 8, 10 and 12."""
    syntax = str(dataset.file_meta.TransferSyntaxUID)
    return syntax in _RETIRED or (syntax == _EXTENDED and int(dataset.BitsStored) > 8)


def gdcm_frames(dataset: Any, indices: Sequence[int]) -> Iterator[npt.NDArray[Any]]:
    """Decode frames (rows, columns) of one grey sample.

    Args:
        dataset: With its pixel data, compressed.
        indices: Which frames, in this order.

    Raises:
        ValueError: A frame does not decode to the size that the header states.
    """
    shape = (int(dataset.Rows), int(dataset.Columns))
    bits = int(dataset.BitsAllocated)
    sign = "i" if int(dataset.PixelRepresentation) else "u"
    kind = np.dtype(f"<{sign}{bits // 8}")
    count = int(dataset.get("NumberOfFrames", 1) or 1)
    for index in indices:
        packed = get_frame(dataset.PixelData, index, number_of_frames=count)
        with _native_stderr_muted():
            text = _image(dataset, packed, shape).GetBuffer()
        values = np.frombuffer(text.encode("utf-8", "surrogateescape"), dtype=kind)
        if values.size != shape[0] * shape[1]:
            raise ValueError("size")
        yield values.reshape(shape)


def _image(dataset: Any, packed: bytes, shape: tuple[int, int]) -> Any:
    """One frame as GDCM's image."""
    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(packed)
    pieces = gdcm.SequenceOfFragments.New()
    pieces.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(pieces.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((shape[1], shape[0], 1))
    image.SetDataElement(element)
    grey = gdcm.PhotometricInterpretation.MONOCHROME2
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(grey))
    syntax = gdcm.TransferSyntax.GetTSType(str(dataset.file_meta.TransferSyntaxUID))
    image.SetTransferSyntax(gdcm.TransferSyntax(syntax))
    stored = int(dataset.BitsStored)
    sizes = (1, int(dataset.BitsAllocated), stored, stored - 1, int(dataset.PixelRepresentation))
    image.SetPixelFormat(gdcm.PixelFormat(*sizes))
    return image


@contextmanager
def _native_stderr_muted() -> Iterator[None]:
    """Silence what the C library prints past Python; where there is no stderr, do nothing.

    GDCM tries its 8-bit decoder first, which prints a line of complaint a frame.
    """
    try:
        sys.stderr.flush()
        kept = os.dup(2)
    except (OSError, ValueError, AttributeError):
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
