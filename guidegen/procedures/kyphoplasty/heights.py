"""The fracture of each chosen level, measured against its neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from guidegen.anatomy.fracture import BodyShape, measure_shape
from guidegen.model.landmarks import Landmarks
from guidegen.model.notice import Notice
from guidegen.model.plan import Measurement
from guidegen.model.volume import CTVolume
from guidegen.procedures.contract import Anatomy
from guidegen.procedures.kyphoplasty.fracture import FractureSettings, fracture_measures
from guidegen.procedures.kyphoplasty.fracture_findings import (
    BodyFindings,
    examine,
    fracture_measurements,
    fracture_notices,
)
from guidegen.procedures.vertebrae import attempt


@dataclass(frozen=True)
class Fractures:
    """Numbers and warnings of the fractures."""

    measurements: tuple[Measurement, ...]
    notices: tuple[Notice, ...]


def find_fractures(volume: CTVolume, anatomy: Anatomy, settings: FractureSettings) -> Fractures:
    """Measure heights, back wall, canal and volume of every chosen level that has landmarks.

    A level that can't be measured is a warning and stops neither the others nor the needles.
    """
    order = [level.name for level in anatomy.found.levels]
    bones = {bone.name: bone for bone in anatomy.bones}
    marks = {m.bone: m for m in anatomy.landmarks if m.bone in bones}
    whole = {level.name for level in anatomy.found.levels if level.complete}
    shapes: dict[str, BodyShape] = {}
    failed: dict[str, str] = {}
    for name, own in marks.items():
        found = attempt(name, partial(measure_shape, bones[name], own, volume))
        if isinstance(found, str):
            failed |= {name: found} if name in anatomy.chosen else {}
        elif name in whole or name in anatomy.chosen:
            shapes[name] = found
    chosen = [name for name in anatomy.chosen if name in marks]
    measured = [name for name in chosen if name in shapes]
    measures = fracture_measures(shapes, order, measured, settings)
    findings: dict[str, BodyFindings] = {}
    for name in chosen:
        near = [marks[n] for n in _beside(name, order) if n in marks]
        seen = attempt(name, partial(_examined, volume, anatomy, (name, near), settings))
        findings[name] = BodyFindings() if isinstance(seen, str) else seen
    return Fractures(
        fracture_measurements(measures, findings, settings),
        fracture_notices(measures, findings, failed, settings),
    )


def _examined(
    volume: CTVolume,
    anatomy: Anatomy,
    level: tuple[str, list[Landmarks]],
    settings: FractureSettings,
) -> BodyFindings:
    """Look at the back wall and the canal of one level."""
    bone = next(b for b in anatomy.bones if b.name == level[0])
    own = next(m for m in anatomy.landmarks if m.bone == level[0])
    return examine(volume, bone, own, level[1], settings)


def _beside(name: str, order: list[str]) -> list[str]:
    """The levels above and below."""
    at = order.index(name)
    return [order[n] for n in (at - 1, at + 1) if 0 <= n < len(order)]
