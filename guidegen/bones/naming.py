"""Name the levels: from ribs, from the sacrum, or from the engineer; else V1, V2, ...

T12 is the last level with ribs only if a complete rib-free level is seen below it; T1 is the
first only if a rib-free level is seen above it. The sacrum is the first level whose side walls
spread into the ala.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from guidegen.bones.evidence import odd_level, sacrum_stands
from guidegen.bones.levels import Walls
from guidegen.bones.ribs import ala_of_levels, count_sacral
from guidegen.bones.straightened import Straight, millimetres
from guidegen.errors import AnatomyError
from guidegen.model.notice import Notice

ORDER = (
    *(f"C{n}" for n in range(1, 8)),
    *(f"T{n}" for n in range(1, 13)),
    *(f"L{n}" for n in range(1, 6)),
    "S1",
)
RIB_LENGTH_MM = 20.0
"""A rib reaches at least this far beyond 40 mm beside the canal (engineering choice)."""


MISSED_RIBS = 1
"""Levels without a rib between two with ribs: more, and one of them has none (engineering choice:
all levels between T1 and T12 have ribs, one pair may not be told)."""


@dataclass(frozen=True)
class Naming:
    """Names from foot to head, whether they are anchored, and what to warn of."""

    names: tuple[str, ...]
    anchored: bool
    notices: tuple[Notice, ...]


def ribs_of_levels(straight: Straight, walls: Walls) -> np.ndarray:
    """(L,) how many ribs (0 to 2) start at each level."""
    rib = straight.labels == -1
    pieces, n = ndimage.label(rib, structure=np.ones((3, 3, 3)))
    count = np.zeros(len(walls.pedicles_s), dtype=int)
    heights, _, left = millimetres(rib.shape)
    for box, piece in zip(ndimage.find_objects(pieces), range(1, n + 1), strict=True):
        mine = pieces[box] == piece
        aside = np.abs(left[0, 0, box[2]])
        across = mine.any(axis=(0, 1))
        if not across.any() or aside[across].min() > 32 or np.ptp(aside[across]) < RIB_LENGTH_MM:
            continue
        near = mine & (aside < aside[across].min() + 12)[None, None, :]
        s = heights[box[0]].ravel()[np.argwhere(near)[:, 0]].mean()
        count[int(np.abs(walls.pedicles_s - s).argmin())] += 1
    return count


def name_levels(
    straight: Straight, walls: Walls, complete: np.ndarray, lowest_level: str | None
) -> Naming:
    """Name the levels from foot to head.

    Args:
        straight: Separated spine.
        walls: Its levels.
        complete: (L,) the vertebra is wholly in view.
        lowest_level: The engineer's name of the lowest complete vertebra, or None; a sacrum in
            view counts only if that name is S1.

    Raises:
        AnatomyError: ``lowest_level`` is not a vertebra, or no vertebra is complete.
    """
    n_levels = len(walls.pedicles_s)
    ala = ala_of_levels(straight.hu, walls)
    anchors = _anchors(
        ribs_of_levels(straight, walls), count_sacral(ala), complete, sacrum_stands(ala, walls)
    )
    anchors = [a for a in anchors if plausible(a[1], np.diff(walls.foramina_s))]
    odd = odd_level(walls, count_sacral(ala))
    if lowest_level is not None:
        name = _vertebra(lowest_level)
        sacral = 0 if name == "S1" else count_sacral(ala) % n_levels
        first = ORDER.index(name) + sacral + _lowest_complete(complete[sacral:])
        notices = tuple(_disagrees(how, first, other) for how, other in anchors if other != first)
        doubtful = not sacrum_stands(ala, walls)
        passed_over = (_passed_over(name, doubtful),) if complete[:sacral].any() else ()
        names = _numbered(first, n_levels)
        return Naming(names, True, (*notices, *passed_over, *_uneven(odd, names)))
    if not anchors or odd is not None:
        names = tuple(f"V{n_levels - n}" for n in range(n_levels))
        return Naming(names, False, (_unanchored(), *_uneven(odd, names)))
    first = anchors[0][1]
    notices = tuple(_disagrees(h, first, other) for h, other in anchors[1:] if other != first)
    return Naming(_numbered(first, n_levels), True, notices)


def _anchors(
    ribs: np.ndarray, n_sacral: int, complete: np.ndarray, sacrum: bool
) -> list[tuple[str, int]]:
    """Each way of counting that applies: (what it is, index in ORDER of level 0)."""
    found = []
    has = (ribs >= 1) & (np.arange(len(ribs)) >= n_sacral)
    if sacrum:
        found.append(("the sacrum", ORDER.index("S1") + n_sacral - 1))
    ribbed = np.flatnonzero(has)
    if len(ribbed) == 1 and ribs[ribbed[0]] < 2:
        ribbed = ribbed[:0]
    if np.diff(ribbed).max(initial=0) > MISSED_RIBS + 1:
        return found
    if len(ribbed) and ribbed[0] > 0 and complete[ribbed[0] - 1]:
        found.append(("the lowest ribs", ORDER.index("T12") + int(ribbed[0])))
    if len(ribbed) > 1 and ribbed[-1] + 1 < len(ribs) and complete[ribbed[-1] + 1]:
        found.append(("the highest ribs", ORDER.index("T1") + int(ribbed[-1])))
    return found


def plausible(first: int, spacing_mm: np.ndarray) -> bool:
    """No level is above C1, none whole named C1-T4 taller than 27 mm or lumbar under 18 mm.

    Adults' levels measure 16 mm (T1/2) to 38 mm (lumbar); the limits leave out wrong counts, not
    unusual patients (engineering choice).
    """
    if first < len(spacing_mm) - 1:
        return False
    for n in range(1, len(spacing_mm) - 1):
        place = first - n
        if place <= ORDER.index("T4") and spacing_mm[n] > 27:
            return False
        if ORDER.index("L1") <= place < ORDER.index("S1") and spacing_mm[n] < 18:
            return False
    return True


def _numbered(first: int, n_levels: int) -> tuple[str, ...]:
    """``n_levels`` names upward from ``ORDER[first]``; below S1 they are X1, X2, ..."""
    places = [first - n for n in range(n_levels)]
    return tuple(ORDER[p] if 0 <= p < len(ORDER) else f"X{n + 1}" for n, p in enumerate(places))


def _lowest_complete(complete: np.ndarray) -> int:
    if not complete.any():
        raise AnatomyError(
            "a lowest level was given, but no vertebra is complete in view; "
            "use a scan that shows whole vertebrae"
        )
    return int(np.flatnonzero(complete)[0])


def _vertebra(name: str) -> str:
    clean = name.strip().upper()
    if clean not in ORDER or not re.fullmatch(r"[CTLS]\d+", clean):
        raise AnatomyError(f"--lowest-level must name a vertebra such as T11 or L5, found {name!r}")
    return clean


def _disagrees(how: str, first: int, other: int) -> Notice:
    shift = abs(first - other)
    return Notice(
        "level_count_disagrees",
        f"counting from {how} gives names that differ by {shift} level(s) from those used: "
        "a transitional vertebra, an extra or missing rib, or a miscount; check every level",
        "spine",
        red=True,
    )


def _passed_over(name: str, doubtful: bool) -> Notice:
    return Notice(
        "sacrum_not_counted",
        f"the lowest level in view looks like the sacrum, so {name} is the level above it; if it "
        f"is {name} itself, name the levels with a label map",
        "spine",
        red=doubtful,
    )


def _uneven(odd: int | None, names: tuple[str, ...]) -> tuple[Notice, ...]:
    if odd is None:
        return ()
    return (
        Notice(
            "uneven_levels",
            f"{names[odd]} and its neighbours are of very different height: a level may have been "
            "missed or counted twice there; compare every level with the slices",
            "spine",
            red=True,
        ),
    )


def _unanchored() -> Notice:
    return Notice(
        "unanchored_levels",
        "neither a sacrum beyond doubt nor the last rib with a rib-free level below it is in view, "
        "or the levels found are uneven, so the vertebrae can't be counted; they are named V1, "
        "V2, ... from the head: give the name of the lowest complete one with --lowest-level",
        "spine",
        red=True,
    )
