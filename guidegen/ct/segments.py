"""3D Slicer's segmentations in NRRD: named segments, in several layers where they overlap."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from guidegen.errors import InputError


@dataclass(frozen=True)
class Segment:
    """One segment as the header describes it.

    Args:
        name: As the user named it.
        value: Its voxels' value in its layer.
        layer: Which layer it lies in.
    """

    name: str
    value: int
    layer: int


def segments_of(header: Mapping[str, Any]) -> list[Segment]:
    """Read ``SegmentN_Name``, ``_LabelValue`` and ``_Layer``, in the order of N."""
    found: dict[int, Segment] = {}
    for key in header:
        match = re.fullmatch(r"Segment(\d+)_LabelValue", str(key))
        if not match:
            continue
        number = match.group(1)
        name = str(header.get(f"Segment{number}_Name", "")).strip()
        value = str(header[key]).strip()
        layer = str(header.get(f"Segment{number}_Layer", "0")).strip()
        if name and value.isdigit() and layer.isdigit():
            found[int(number)] = Segment(name, int(value), int(layer))
    return [found[number] for number in sorted(found)]


def one_layer(
    layers: npt.NDArray[Any], segments: Sequence[Segment]
) -> tuple[npt.NDArray[np.uint16], dict[int, str]]:
    """Put layers (L, A, B, C) into one, the first segment on top, numbered from 1.

    Returns:
        The labels (A, B, C) and their names.

    Raises:
        InputError: A segment names a layer that is not there.
    """
    labels = np.zeros(layers.shape[1:], dtype=np.uint16)
    for number, segment in reversed(list(enumerate(segments, start=1))):
        if segment.layer >= len(layers):
            raise InputError(
                f"the segmentation has {len(layers)} layers, a segment names layer "
                f"{segment.layer}: save it again from 3D Slicer"
            )
        labels[layers[segment.layer] == segment.value] = number
    return labels, {number: segment.name for number, segment in enumerate(segments, start=1)}
