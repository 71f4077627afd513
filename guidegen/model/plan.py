"""What the surgeon approves. Field names are those of plan.json."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from guidegen.errors import PlanError
from guidegen.model.arrays import Floats, frozen_floats, unit
from guidegen.model.notice import Notice

GRADES = ("A", "B", "C", "D", "E")


@dataclass(frozen=True, eq=False)
class Path:
    """A straight instrument path, LPS mm; the fields are those of plan.json's ``paths``."""

    name: str
    bone: str
    kind: str
    side: str
    entry_mm: Floats
    tip_mm: Floats
    diameter_mm: float
    route: str = "transpedicular"
    pilot_diameter_mm: float = 0.0
    corridor_diameter_mm: float | None = None
    clearance_mm: float | None = None
    grade: str | None = None
    breach_mm: float | None = None
    breach_wall: str | None = None
    skin_mm: Floats | None = None
    axial_angle_deg: float | None = None
    sagittal_angle_deg: float | None = None
    warnings: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "entry_mm", frozen_floats(self.entry_mm, (3,), "entry_mm"))
        object.__setattr__(self, "tip_mm", frozen_floats(self.tip_mm, (3,), "tip_mm"))
        if self.skin_mm is not None:
            object.__setattr__(self, "skin_mm", frozen_floats(self.skin_mm, (3,), "skin_mm"))
        if self.kind not in ("screw", "needle", "pin", "drill"):
            raise PlanError(f"{self.name}: kind must be screw, needle, pin or drill: {self.kind!r}")
        if self.side not in ("left", "right", ""):
            raise PlanError(f"{self.name}: side must be left or right, found {self.side!r}")
        if self.grade is not None and self.grade not in GRADES:
            raise PlanError(f"{self.name}: grade must be A to E, found {self.grade!r}")
        if not (self.diameter_mm > 0 and self.length_mm > 1):
            raise PlanError(f"{self.name}: a path needs a diameter and a length")

    @property
    def length_mm(self) -> float:
        """Entry to tip."""
        return float(np.linalg.norm(self.tip_mm - self.entry_mm))

    @property
    def direction(self) -> Floats:
        """(3,): unit vector from entry to tip."""
        return unit(self.tip_mm - self.entry_mm, "direction")


@dataclass(frozen=True)
class Skipped:
    """A pedicle that gets no path, and why."""

    name: str
    bone: str
    side: str
    code: str
    corridor_diameter_mm: float | None = None
    message: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Cut:
    """A saw cut; ``normal`` points to the bone that is removed."""

    name: str
    bone: str
    origin_mm: Floats
    normal: Floats
    kerf_mm: float
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "origin_mm", frozen_floats(self.origin_mm, (3,), "origin_mm"))
        object.__setattr__(self, "normal", unit(self.normal, "normal"))


@dataclass(frozen=True)
class Measurement:
    """A number of the plan that is no path: an angle, a distance."""

    name: str
    value: float
    unit: str
    note: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class BoneRecord:
    """A bone the plan was made on: its file in the case folder and that file's hash."""

    name: str
    file: str
    sha256: str
    side: str = ""
    complete: bool = True
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Plan:
    """The plan of one case; the fields are those of plan.json."""

    case_id: str
    procedure: str
    frame_of_reference: str
    input_sha256: str
    settings_sha256: str
    bones: tuple[BoneRecord, ...] = ()
    paths: tuple[Path, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    cuts: tuple[Cut, ...] = ()
    wedges: tuple[Mapping[str, Any], ...] = ()
    measurements: tuple[Measurement, ...] = ()
    warnings: tuple[Notice, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = [p.name for p in self.paths] + [s.name for s in self.skipped]
        doubled = sorted({n for n in names if names.count(n) > 1})
        if doubled:
            raise PlanError(f"the plan names {', '.join(doubled)} more than once")
