"""Which series or blocks are put together, by stated rules."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from guidegen.ct.series import Series
from guidegen.errors import InputError
from guidegen.model.notice import Notice

PLANNED_GAP_MM = 30.0
"""A gap that a protocol leaves is wider, one of lost slices usually narrower (engineering choice:
between blocks of hip, knee and ankle lie more than 100 mm)."""


def planned_blocks(found: Sequence[Series]) -> list[Series]:
    """The blocks of a series that has nothing but blocks with wide gaps between them.

    Returns:
        From foot to head; nothing if there is no such series, or more than one.
    """
    whole = [
        blocks
        for uid in dict.fromkeys(series.head.series_uid for series in found)
        if (blocks := _whole(uid, found))
    ]
    return whole[0] if len(whole) == 1 else []


def _whole(uid: str, found: Sequence[Series]) -> list[Series]:
    """All blocks of a series, if they hold every slice and the gaps between them are wide."""
    blocks = [s for s in found if s.head.series_uid == uid and s.is_block]
    rest = [s for s in found if s.head.series_uid == uid and not s.is_block]
    if len(blocks) < 2 or len(rest) != 1:
        return []
    held = {header.file for block in blocks for header in block.slices}
    if held != {header.file for header in rest[0].slices}:
        return []
    if sum(len(block.slices) for block in blocks) != len(rest[0].slices):
        return []
    spans = sorted(_span_mm(block) for block in blocks)
    gaps = [low - high for (_, high), (low, _) in pairwise(spans)]
    return blocks if min(gaps) >= PLANNED_GAP_MM else []


def _span_mm(block: Series) -> tuple[float, float]:
    """First and last slice along the normal."""
    assert block.stack is not None  # blocks are stacked
    matrix = block.stack.matrix
    axis = matrix[:3, 0] / (block.step_mm or 1.0)
    low = float(matrix[:3, 3] @ axis)
    return low, low + (len(block.slices) - 1) * (block.step_mm or 0.0)


def require_one_frame(chosen: Sequence[Series]) -> None:
    """Refuse to put together what may not belong together.

    Raises:
        InputError: The series are not of one frame of reference, or the patient lay otherwise.
    """
    if len(chosen) < 2:
        return
    frames = {series.frame_uid for series in chosen}
    if len(frames) > 1 or "" in frames:
        raise InputError(
            "series of one frame of reference were wanted, found "
            + ("some that name none" if "" in frames else f"{len(frames)} of them")
            + ": the patient may have moved between them; give series of one examination"
        )
    lying = {series.head.patient_position for series in chosen}
    if len(lying) > 1:
        raise InputError(
            f"series of a patient who lay the same way were wanted, found {len(lying)} ways: give "
            "series of one examination"
        )


def blocks_notice(gaps_mm: Sequence[float], n: int) -> Notice:
    """Say what was put together; red where slices may be lost."""
    if not gaps_mm:
        return Notice("blocks", f"{n} series were put together, without a gap", "series")
    shown = " and ".join(f"{gap:.0f}" for gap in gaps_mm)
    narrow = min(gaps_mm) < PLANNED_GAP_MM
    text = f"{n} blocks of slices were put together; {shown} mm between them were not scanned"
    if narrow:
        text += ": a gap is narrow, slices may be lost; look whether all were exported"
    return Notice("blocks", text, "series", red=narrow)
