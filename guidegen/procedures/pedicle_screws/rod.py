"""How well the screws of one side stand in line for the rod."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from guidegen.model.notice import Notice
from guidegen.model.plan import Measurement, Path

_REACH_MM = 110.0
"""Longest chord over three screws: two levels of the lumbar spine."""


def _beside(before: Path, path: Path, behind: Path) -> float:
    """Distance of an entry from the straight line between its neighbours' entries; 0 if far."""
    chord = behind.entry_mm - before.entry_mm
    length = float(np.linalg.norm(chord))
    if length > _REACH_MM or length < 1.0:
        return 0.0
    offset = path.entry_mm - before.entry_mm
    return float(np.linalg.norm(offset - chord * ((offset @ chord) / length**2)))


def rod_lines(
    paths: Sequence[Path], limit_mm: float
) -> tuple[tuple[Measurement, ...], tuple[Notice, ...]]:
    """Measure how far each entry stands beside the line of its two neighbours on the same side.

    Args:
        paths: All screws, head to foot.
        limit_mm: Farther than this is a warning.

    Returns:
        One measurement a side with three screws or more (the largest distance), and a warning for
        each entry that stands out and is farther off than its neighbours.
    """
    lines: list[Measurement] = []
    notices: list[Notice] = []
    for side in ("left", "right"):
        own = [path for path in paths if path.side == side]
        if len(own) < 3:
            continue
        triples = zip(own, own[1:], own[2:], strict=False)
        beside = [0.0, *(_beside(*triple) for triple in triples), 0.0]
        note = "largest distance of an entry from the line of its two neighbours"
        lines.append(Measurement(f"rod_line_{side}", round(max(beside), 2), "mm", note))
        for n, path in enumerate(own):
            if beside[n] > limit_mm and beside[n] == max(beside[max(n - 1, 0) : n + 2]):
                notices.append(_stands_out(path, beside[n]))
    return tuple(lines), tuple(notices)


def _stands_out(path: Path, off_mm: float) -> Notice:
    text = (
        f"{path.name.replace('_', ' ')}: the entry stands {off_mm:.1f} mm beside the line of its "
        "neighbours; the rod must be bent there"
    )
    return Notice("off_rod_line", text, path.name)
