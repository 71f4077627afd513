"""Compression fractures: settings, and how a body compares with its neighbours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import model_validator

from guidegen.anatomy.canal_bone import CanalLimits
from guidegen.anatomy.fracture import SHARES, BodyShape
from guidegen.settings import Settings, setting

PLACES = tuple(SHARES)
"""Where a body's height is measured: front, middle, back."""


class FractureSettings(Settings):
    """What counts as a fracture, a broken back wall, a fragment; how much cement is usual."""

    mild_share: float = setting(
        0.20,
        "1",
        "Height lost against the neighbours from which a body counts as fractured, grade 1 "
        "(Genant's semiquantitative grades, 20-25 %, as restated in doi 10.21037/qims.2019.02.04)",
        ge=0.05,
        le=0.5,
    )
    moderate_share: float = setting(
        0.25,
        "1",
        "Grade 2 from here (Genant's grades, 25-40 %, the same source)",
        ge=0.05,
        le=0.6,
    )
    severe_share: float = setting(
        0.40,
        "1",
        "Grade 3 above this (Genant's grades, over 40 %, the same source)",
        ge=0.05,
        le=0.9,
    )
    crush_back_share: float = setting(
        0.20,
        "1",
        "A fracture whose back height has lost this much is a crush; else a biconcave one where "
        "the middle has lost most, else a wedge (types of the same grading; where one ends and "
        "the next begins is an engineering choice: the share that makes a fracture)",
        ge=0.05,
        le=0.6,
    )
    max_spread_mm: float = setting(
        1.0,
        "mm",
        "A height that scatters more than this over its rays is called uncertain (engineering "
        "choice: smooth endplates scatter by 0.1-0.6 mm)",
        ge=0.2,
        le=5.0,
    )
    max_bulge_mm: float = setting(
        1.6,
        "mm",
        "Bone farther behind the straight line between the body's back corners is a broken back "
        "wall, which many hold to be a reason against the operation (Perez et al., Int J Spine "
        "Surg 2021;15(2):353); the limit is an engineering choice: lips of the basivertebral vein "
        "reached 1.4 mm in an intact thorax, a fragment of 3 mm measures 1.9-2.3 mm",
        ge=0.5,
        le=6.0,
    )
    canal_hu: float = setting(
        200.0,
        "HU",
        "Brighter than this is bone in the canal (engineering choice: over cord, fat, blood and "
        "noise; contrast medium in the canal counts as bone)",
        ge=100.0,
        le=800.0,
    )
    canal_inside_mm: float = setting(
        1.5,
        "mm",
        "Bone nearer to the canal's outline is its wall (engineering choice: blurred walls, "
        "edges of ligaments and the outline's own error stayed within 1.3 mm in intact vertebrae)",
        ge=0.5,
        le=5.0,
    )
    canal_piece_mm3: float = setting(
        5.0,
        "mm3",
        "Smaller connected pieces in the canal are noise (engineering choice)",
        ge=0.5,
        le=100.0,
    )
    cement_share: tuple[float, float] = setting(
        (0.162, 0.298),
        "1",
        "Cement as a share of the body's volume: what gave strength and stiffness back on average "
        "in 120 bodies (Molloy et al. 2003, PMID 12865843; both correlate weakly with the fill). "
        "Information, not a prescription: in 158 patients pain did not depend on the volume "
        "(Kaufmann et al., AJNR 2006;27:1933)",
    )

    @property
    def canal_limits(self) -> CanalLimits:
        """What counts as bone in the canal."""
        return CanalLimits(self.canal_hu, self.canal_inside_mm, self.canal_piece_mm3)

    @model_validator(mode="after")
    def _ordered(self) -> FractureSettings:
        if not self.mild_share < self.moderate_share < self.severe_share:
            raise ValueError("mild_share, moderate_share and severe_share must rise")
        if not 0.0 < self.cement_share[0] < self.cement_share[1] < 1.0:
            raise ValueError("cement_share: two rising shares between 0 and 1 are wanted")
        return self


@dataclass(frozen=True, eq=False)
class FractureMeasure:
    """How a body compares with its neighbours.

    Args:
        shape: Its own heights and angle.
        neighbours: Names of the unfractured neighbours it was compared with; empty where there is
            none and its own back height took their place.
        lost: Share of height lost at front, middle and back; negative where it is higher.
        kind: ``none``, ``wedge``, ``biconcave`` or ``crush``.
        grade: 0 to 3.
    """

    shape: BodyShape
    neighbours: tuple[str, ...]
    lost: Mapping[str, float]
    kind: str
    grade: int

    @property
    def compression(self) -> float:
        """Largest share of height lost, at least 0."""
        return max(0.0, *self.lost.values())

    @property
    def reference(self) -> str:
        """What the body was compared with, in words."""
        return " and ".join(self.neighbours) or "its own back height"

    @property
    def words(self) -> str:
        """The class in words: ``wedge, grade 2``."""
        return f"{self.kind}, grade {self.grade}" if self.grade else "no fracture"


def _beside(name: str, order: Sequence[str]) -> tuple[str, ...]:
    """Names of the levels above and below."""
    at = order.index(name)
    return tuple(order[n] for n in (at - 1, at + 1) if 0 <= n < len(order))


def _suspect(
    name: str, shapes: Mapping[str, BodyShape], order: Sequence[str], limit: float
) -> bool:
    """Tell whether a body looks fractured beside the higher of its neighbours, or by itself.

    Against the higher one, because two fractured bodies side by side look alike; neighbours of
    one spine differ by less than half the limit.
    """
    own = shapes[name].heights_mm
    if 1.0 - min(own.values()) / max(own.values()) >= limit:
        return True
    near = [shapes[other].heights_mm for other in _beside(name, order) if other in shapes]
    return any(1.0 - own[p] / max(h[p] for h in near) >= limit for p in PLACES if near)


def _class(lost: Mapping[str, float], settings: FractureSettings) -> tuple[str, int]:
    """Kind and grade of a fracture from the shares of height lost."""
    worst = max(lost.values())
    if worst < settings.mild_share:
        return "none", 0
    grade = 1 + (worst >= settings.moderate_share) + (worst > settings.severe_share)
    if lost["back"] >= settings.crush_back_share:
        return "crush", grade
    return ("biconcave" if lost["middle"] > lost["front"] else "wedge"), grade


def _measure(
    shape: BodyShape, near: Mapping[str, BodyShape], settings: FractureSettings
) -> FractureMeasure:
    """Compare one body with its unfractured neighbours, or with its own back height."""
    own = shape.heights_mm
    usual = dict.fromkeys(PLACES, shape.back_mm)
    if near:
        usual = {p: float(np.mean([s.heights_mm[p] for s in near.values()])) for p in PLACES}
    lost = {place: 1.0 - own[place] / usual[place] for place in PLACES}
    return FractureMeasure(shape, tuple(near), lost, *_class(lost, settings))


def fracture_measures(
    shapes: Mapping[str, BodyShape],
    order: Sequence[str],
    chosen: Sequence[str],
    settings: FractureSettings,
) -> dict[str, FractureMeasure]:
    """Compare the chosen bodies with their neighbours and class them.

    A neighbour counts if it is next to the level, whole, and not fractured itself. First every
    body that is much lower than its higher neighbour, or uneven by itself, is suspected; then each
    is measured against neighbours that are not; then once more against those that turned out not
    to be fractured.

    Args:
        shapes: Bodies that could be measured, chosen ones and neighbours; a body that is cut off
            is left out.
        order: All levels in view, head to foot.
        chosen: Levels to measure; those without a shape are left out.
        settings: Limits.

    Returns:
        By name, in the order of ``chosen``.
    """
    fractured = {name for name in shapes if _suspect(name, shapes, order, settings.mild_share)}
    for _ in range(2):
        found = {}
        for name, shape in shapes.items():
            sound = [n for n in _beside(name, order) if n in shapes and n not in fractured]
            found[name] = _measure(shape, {n: shapes[n] for n in sound}, settings)
        fractured = {name for name, measure in found.items() if measure.grade}
    return {name: found[name] for name in chosen if name in found}
