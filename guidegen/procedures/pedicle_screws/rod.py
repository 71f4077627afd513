"""How well the screws of one side stand in line for the rod."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from guidegen.model.arrays import Floats
from guidegen.model.notice import Notice
from guidegen.model.plan import Measurement, Path

_FEWEST = 4


def _beside(entries: Floats) -> Floats:
    """(N,): distance of entries (N, 3) from a smooth curve through them, over their height.

    The curve is quadratic from five screws on, else straight: the contour a rod can be bent to.
    """
    height = entries[:, 2] - entries[:, 2].mean()
    degree = 2 if len(entries) > _FEWEST else 1
    fitted = np.stack(
        [np.polyval(np.polyfit(height, entries[:, n], degree), height) for n in (0, 1)]
    )
    return np.asarray(np.linalg.norm(entries[:, :2] - fitted.T, axis=1))


def rod_lines(
    paths: Sequence[Path], limit_mm: float
) -> tuple[tuple[Measurement, ...], tuple[Notice, ...]]:
    """Measure how far entries stand beside the smooth line of their side; four screws or more.

    Args:
        paths: All screws.
        limit_mm: Farther than this is a warning.

    Returns:
        One measurement a side (the largest distance), and a warning for each entry too far off.
    """
    lines, notices = [], []
    for side in ("left", "right"):
        own = [path for path in paths if path.side == side]
        if len(own) < _FEWEST:
            continue
        beside = _beside(np.array([path.entry_mm for path in own]))
        note = "largest distance of an entry from a smooth line through the side's entries"
        lines.append(Measurement(f"rod_line_{side}", round(float(beside.max()), 2), "mm", note))
        for path, off in zip(own, beside, strict=True):
            if off > limit_mm:
                text = (
                    f"{path.name.replace('_', ' ')}: the entry stands {off:.1f} mm beside the line "
                    "of its side's entries; the rod must be bent there"
                )
                notices.append(Notice("off_rod_line", text, path.name))
    return tuple(lines), tuple(notices)
