"""How the patient lay in the scanner: on the belly, or not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from guidegen.model.arrays import Floats
from guidegen.model.notice import Notice
from guidegen.model.volume import CTVolume, TableSide

PRONE, SUPINE = ("HFP", "FFP"), ("HFS", "FFS")
Mask = npt.NDArray[np.bool_]

_CELL_MM = 4.0
_SLICES = 48
_BODY_HU, _THING_HU = -300, -500
_BODY_OPENING_MM = 8.0
"""Nothing of a table, cover or blanket is twice as thick; the trunk is."""
_SQUARE = 0.7
_SLICE_SHARE = 0.85
"""A table is the same in (nearly) every slice; cloth and leads are not."""
_WIDTH_MM = 150.0
"""Less of the trunk's width in view tells nothing."""
_WIDE, _NARROW = 0.4, 0.2
"""Share of the trunk's width behind (or before) which the table must, and the other side may, show
something; a table that touches the back is seen beside the contact only. Engineering choices."""


@dataclass(frozen=True)
class Posture:
    """How the patient lay.

    Args:
        prone: On the belly, as the header says and the table does not contradict.
        known: False where the header does not say it, or the table contradicts it.
        sentence: For the report.
        notices: A red one where header and table contradict each other.
        table: Side on which the table lies, as ``table_side`` finds it.
    """

    prone: bool
    known: bool
    sentence: str
    notices: tuple[Notice, ...] = ()
    table: TableSide = ""


def find_posture(volume: CTVolume, back: Floats) -> Posture:
    """Tell how the patient lay, from the header and from the side on which the table lies.

    Only a stated prone position that the table does not contradict is prone: a lying position
    moves the skin by more than a template allows. Decubitus, absent, NIfTI and NRRD are unknown.
    Where the volume says on which side the table was seen, that holds: a crop no longer shows it.

    Args:
        volume: The scan.
        back: (3,) direction to the patient's back, LPS.
    """
    stated = volume.info.patient_position.strip().upper()
    seen_before = volume.info.table
    side = table_side(volume, back) if seen_before is None else seen_before
    prone = stated in PRONE
    if not prone and stated not in SUPINE:
        told = f"the scan states the position {stated}" if stated else "the scan states no position"
        lies = {
            "back": ", and the table lies behind the back",
            "front": ", although the table lies in front of the patient",
            "": "",
        }[side]
        sentence = f"{told}{lies}: the patient is not known to have lain prone"
        return Posture(False, False, sentence, table=side)
    name = "prone" if prone else "supine"
    if side == ("back" if prone else "front"):
        where = "behind the back" if prone else "in front of the patient"
        message = (
            f"the scan states that the patient lay {name} ({stated}), but the table lies {where}: "
            "the position is taken as unknown; find out how the patient lay, and whether the "
            "scan is mirrored or turned over"
        )
        notice = Notice("posture_contradiction", message, "series", red=True)
        return Posture(False, False, message, (notice,), side)
    seen = f", and the table lies on that side ({side})" if side else "; no table is in view"
    return Posture(prone, True, f"the patient lay {name} ({stated}){seen}", table=side)


def table_side(volume: CTVolume, back: Floats) -> TableSide:
    """Find on which side of the patient the table lies.

    A table is flat, as wide as the trunk, outside of the patient, and at the same place in every
    slice. Mattress cores are as light as air and are not looked for.

    Args:
        volume: The scan; its slices are taken to be square to the table.
        back: (3,) direction to the patient's back, LPS.

    Returns:
        ``back``, ``front``, or "" where no table is seen or both sides have something like it.
    """
    thing, body, axes = _cells(volume)
    across = axes.T @ np.asarray(back, dtype=np.float64)
    turned = int(np.argmax(np.abs(across)))
    if turned == 1:
        thing, body = thing.T, body.T
    if abs(across[turned]) < _SQUARE:
        return ""
    if across[turned] < 0:
        thing, body = thing[::-1], body[::-1]
    inner = body.any(axis=0)
    if inner.sum() * _CELL_MM < _WIDTH_MM:
        return ""
    first = body.argmax(axis=0)
    last = len(body) - 1 - body[::-1].argmax(axis=0)
    row = np.arange(len(body))[:, None]
    behind = float((thing & (row > last)).any(axis=0)[inner].mean())
    before = float((thing & (row < first)).any(axis=0)[inner].mean())
    if behind >= _WIDE and before <= _NARROW:
        return "back"
    if before >= _WIDE and behind <= _NARROW:
        return "front"
    return ""


def _cells(volume: CTVolume) -> tuple[Mask, Mask, Floats]:
    """What lies outside of the patient in nearly every slice, and the patient, in cells.

    Returns:
        (J, I) thing, (J, I) body, and the directions (3, 2) of j and i, LPS.
    """
    grid = volume.grid
    size = np.maximum(np.rint(_CELL_MM / grid.spacing_kji_mm[1:]), 1).astype(int)
    shape = np.array(grid.shape_kji[1:]) // size
    chosen = np.unique(np.linspace(0, grid.shape_kji[0] - 1, _SLICES).round().astype(int))
    seen, inside = np.zeros(shape), np.zeros(shape)
    for k in chosen:
        part = volume.hu[k, : shape[0] * size[0], : shape[1] * size[1]]
        blocks = part.reshape(shape[0], size[0], shape[1], size[1])
        body = _opened(blocks.mean(axis=(1, 3)) > _BODY_HU)
        apart = ~ndimage.binary_dilation(body, np.ones((3, 3), dtype=bool))
        seen += (blocks.max(axis=(1, 3)) > _THING_HU) & apart
        inside += body
    n = len(chosen)
    return seen >= _SLICE_SHARE * n, inside >= n / 2, grid.axes_kji[:, 1:]


def _opened(mask: Mask) -> Mask:
    """Open with a disc; beyond the picture the mask is taken to go on."""
    radius = _BODY_OPENING_MM / _CELL_MM
    padded = np.pad(mask, 4, mode="edge")
    core = ndimage.distance_transform_edt(padded) > radius
    if not core.any():
        return np.zeros_like(mask)
    return np.asarray((ndimage.distance_transform_edt(~core) <= radius)[4:-4, 4:-4])
