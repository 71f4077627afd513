"""Pixels of DICOM slices, one file at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.pixels import iter_pixels
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from guidegen.ct.headers import SliceHeader
from guidegen.ct.hounsfield import AIR_HU, rescaled
from guidegen.ct.jpeg import gdcm_frames, needs_gdcm
from guidegen.ct.source import Source
from guidegen.ct.stack import Stack
from guidegen.ct.tilt import Layout
from guidegen.errors import InputError
from guidegen.model.arrays import Floats
from guidegen.model.notice import Progress, silent


def load_stack(
    source: Source, slices: Sequence[SliceHeader], stack: Stack, progress: Progress = silent
) -> tuple[npt.NDArray[np.int16], Floats]:
    """Decode all slices into one volume, straightened if the gantry was tilted.

    Args:
        source: Where the files are.
        slices: The series, in the order that ``stack.order`` refers to.
        stack: The geometry.
        progress: Told after every 20 slices.

    Returns:
        (K, J, I) HU and the (4, 4) patient_from_kji.

    Raises:
        InputError: A slice can't be decoded; the message names it by its place.
    """
    n = len(stack.order)
    layout = Layout.of(n, slices[0].shape, stack.shear_ji_px)
    hu = np.full((n, *layout.shape_ji), AIR_HU, dtype=np.int16)
    place_of: dict[int, list[int]] = {slices[which].file: [] for which in stack.order}
    for k, which in enumerate(stack.order):
        place_of[slices[which].file].append(k)
    done = 0
    for places in place_of.values():
        headers = [slices[stack.order[k]] for k in places]
        for k, pixels in zip(places, hu_of(source, headers), strict=True):
            layout.place(pixels, k, hu[k])
            done += 1
            if done % 20 == 0:
                progress("reading slices", done / n)
    matrix = np.array(stack.matrix)
    matrix[:3, 3] += matrix[:3, 1] * layout.start_ji[0] + matrix[:3, 2] * layout.start_ji[1]
    return hu, matrix


def hu_of(source: Source, headers: Sequence[SliceHeader]) -> Iterator[npt.NDArray[np.int16]]:
    """HU of slices that stand in one file, in the order asked for."""
    first = headers[0]
    try:
        with source.open(first.file) as stream:
            dataset = pydicom.dcmread(stream, force=True)
            _name_syntax(dataset)
            padding = _padding(dataset)
            frames: Any
            indices = [h.frame or 0 for h in headers]
            if needs_gdcm(dataset):
                frames = gdcm_frames(dataset, indices)
            elif first.frame is None:
                frames = iter([dataset.pixel_array])
            else:
                frames = iter_pixels(dataset, indices=indices)
            for header in headers:
                stored = next(frames)
                if stored.shape != header.shape:
                    raise ValueError("size")
                yield rescaled(stored, header.rescale or (1.0, 0.0), padding)
    except InputError:
        raise
    except Exception as error:
        raise InputError(_cannot_decode(source, first, error)) from None


def same_pixels(source: Source, a: SliceHeader, b: SliceHeader) -> bool:
    """Tell whether two slices hold the same values."""
    first, second = (next(iter(hu_of(source, [h]))) for h in (a, b))
    return bool(np.array_equal(first, second))


def _name_syntax(dataset: Any) -> None:
    """Give a file without a preamble the transfer syntax that it was parsed with."""
    dataset.ensure_file_meta()
    if "TransferSyntaxUID" in dataset.file_meta:
        return
    implicit, little = dataset.original_encoding
    plain = ExplicitVRLittleEndian if little else ExplicitVRBigEndian
    dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else plain


def _cannot_decode(source: Source, header: SliceHeader, error: Exception) -> str:
    where = f"file {header.file + 1} of {source.n_files} (instance {header.instance})"
    if isinstance(error, (NotImplementedError, RuntimeError)):
        return (
            f"the compressed pixels of {where} can't be decoded by any decoder at hand: "
            "export the series again uncompressed (explicit VR little endian)"
        )
    return (
        f"the pixels of {where} are missing, cut short or damaged ({type(error).__name__}): "
        "export the series again"
    )


def _padding(dataset: Any) -> tuple[int, int] | None:
    """Lowest and highest stored value that stands for no measurement."""
    first = dataset.get("PixelPaddingValue")
    if not isinstance(first, int):
        return None
    last = dataset.get("PixelPaddingRangeLimit")
    last = last if isinstance(last, int) else first
    low, high = sorted((first, last))
    if int(dataset.get("PixelRepresentation", 0)) == 1 and high > 32767:
        low, high = low - 65536, high - 65536
    return low, high
