"""Levels of the spine and what the bone stage hands on."""

from __future__ import annotations

from dataclasses import dataclass

from guidegen.errors import AnatomyError
from guidegen.model.arrays import Floats, frozen_floats
from guidegen.model.frames import PATIENT, Pose
from guidegen.model.notice import Notice
from guidegen.model.volume import LabelMap


@dataclass(frozen=True, eq=False)
class Level:
    """One vertebra's place along the canal.

    Args:
        name: ``T11``, or ``V3`` if the count is not anchored.
        patient_from_level: Origin in the canal's middle at the height of the pedicles; x to
            the patient's left, y to the back, z to the head along the canal.
        limits_mm: (below, above): height of the foramina under and over the pedicles, z in
            the level's frame.
        complete: The whole vertebra is in view.
    """

    name: str
    patient_from_level: Pose
    limits_mm: tuple[float, float]
    complete: bool = True

    def __post_init__(self) -> None:
        if self.patient_from_level.target != PATIENT:
            raise AnatomyError(f"{self.name}: a level's frame must lead to the patient's")
        if not self.limits_mm[0] < 0 < self.limits_mm[1]:
            raise AnatomyError(f"{self.name}: the limits {self.limits_mm} do not hold the origin")


@dataclass(frozen=True, eq=False)
class Spine:
    """What was found before surfaces are made.

    Args:
        labels: A label a vertebra, on the CT's grid or a crop of it.
        levels: From head to foot; the names are those of ``labels``.
        centreline_mm: (N, 3) middle of the canal, from foot to head, LPS.
        notices: Warnings of the naming and separation.
        anchored: True if the names come from anatomy, a label map or the engineer.
    """

    labels: LabelMap
    levels: tuple[Level, ...]
    centreline_mm: Floats
    notices: tuple[Notice, ...] = ()
    anchored: bool = True

    def __post_init__(self) -> None:
        line = frozen_floats(self.centreline_mm, (-1, 3), "centreline")
        object.__setattr__(self, "centreline_mm", line)

    def level(self, name: str) -> Level:
        """The level of that name.

        Raises:
            AnatomyError: No such level is in view.
        """
        for level in self.levels:
            if level.name == name:
                return level
        seen = ", ".join(level.name for level in self.levels)
        raise AnatomyError(f"level {name} is not in the scan; in view: {seen}")
