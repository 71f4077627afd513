"""Sizes of vertebrae by level.

The numbers are an engineering choice: rounded values in the range that anatomy books and CT studies
give for adults, smoothed along the spine so that neighbours fit. They make bones that look and
measure like an adult's; no clinical limit is taken from them.
"""

from __future__ import annotations

from dataclasses import dataclass

LEVELS = tuple([f"T{n}" for n in range(1, 13)] + [f"L{n}" for n in range(1, 6)] + ["S1"])


@dataclass(frozen=True)
class Sizes:
    """One vertebra's sizes, mm and degrees.

    Args:
        width: Body, left to right, at the endplates.
        depth: Body, front to back, at the endplates.
        height: Body, endplate to endplate at its centre.
        pedicle_width: Of the rod's narrowest section, before blending.
        pedicle_height: The same.
        convergence: Angle of the pedicle towards the midline, going in.
        canal_width: Left to right.
        canal_depth: Front to back.
        disc: Height of the disc under the body.
        transverse: Half span of the transverse processes.
        spinous: Length of the spinous process behind the lamina.
        slope: How far the spinous process points down, degrees.
        wedge: Body's front lower (+) or higher (-) than its back, degrees between endplates.
        dent: Depth of a round dent in the middle of each endplate.
        fragment: How far the upper back of the body reaches into the canal.
    """

    width: float
    depth: float
    height: float
    pedicle_width: float
    pedicle_height: float
    convergence: float
    canal_width: float
    canal_depth: float
    disc: float
    transverse: float
    spinous: float
    slope: float
    wedge: float
    dent: float = 0.0
    fragment: float = 0.0


# fmt: off
SIZES = {
    "T1": Sizes(29, 17, 16, 8.0, 9.5, 26, 20, 15, 4.0, 36, 34, 25, 2),
    "T2": Sizes(28, 18, 17, 7.0, 11, 18, 18, 15, 4.0, 34, 32, 35, 3),
    "T3": Sizes(27, 19, 17.5, 6.2, 11.5, 14, 17, 15, 4.0, 32, 32, 42, 3),
    "T4": Sizes(26.5, 20, 18, 5.8, 11.5, 11, 16.5, 15.5, 4.0, 31, 32, 48, 4),
    "T5": Sizes(27, 22, 18.5, 5.7, 11.5, 9, 16, 15.5, 4.0, 31, 33, 53, 4),
    "T6": Sizes(27.5, 23.5, 19, 5.8, 11.5, 8, 16, 15.5, 4.0, 31, 34, 56, 4),
    "T7": Sizes(28.5, 25, 19.5, 6.0, 12, 7, 16, 15.5, 4.2, 31, 34, 57, 4),
    "T8": Sizes(29.5, 26.5, 20, 6.4, 12.5, 6, 16, 15.5, 4.4, 30, 33, 55, 4),
    "T9": Sizes(31, 27.5, 20.5, 6.8, 13.5, 6, 16, 15.5, 4.6, 29, 31, 50, 3),
    "T10": Sizes(33, 28, 21.5, 7.2, 14.5, 5, 16.5, 15.5, 5.0, 27, 29, 42, 3),
    "T11": Sizes(35.5, 29, 22.5, 8.0, 15.5, 4, 17.5, 16, 5.5, 23, 27, 30, 3),
    "T12": Sizes(38.5, 30, 24, 8.2, 16, 4, 20, 17, 6.5, 20, 27, 20, 2),
    "L1": Sizes(41.5, 31, 26, 8.2, 15.5, 7, 22, 17.5, 7.5, 36, 28, 12, 1),
    "L2": Sizes(43.5, 32, 27, 8.8, 15, 9, 22, 17, 8.5, 40, 29, 10, 0),
    "L3": Sizes(46, 33, 27.5, 10, 14.5, 13, 22, 16.5, 9.5, 45, 29, 8, -2),
    "L4": Sizes(48.5, 34, 27.5, 12, 14.5, 17, 22.5, 16.5, 10, 42, 28, 8, -4),
    "L5": Sizes(51, 34.5, 27, 15, 14.5, 23, 24, 17, 9, 44, 24, 10, -9),
    "S1": Sizes(50, 32, 30, 16, 14, 28, 28, 16, 0.5, 0, 10, 30, 0),
}
# fmt: on

FACET_TURN = {
    "T11": 10.0, "T12": 40.0, "L1": 60.0, "L2": 57.0, "L3": 52.0, "L4": 46.0, "L5": 38.0,
}  # fmt: skip
"""Angle of the lower facets' normal from straight back towards the midline, degrees, by level."""


def lumbar_share(level: str) -> float:
    """Tell how lumbar a level is built: 0 up to T10, 1 from L1."""
    return {"T11": 0.35, "T12": 0.7}.get(level, 0.0 if level.startswith("T") else 1.0)
