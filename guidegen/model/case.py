"""One case as a whole: what parts are made from and the report is drawn from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from guidegen.model.bone import Bone
from guidegen.model.findings import CheckReport
from guidegen.model.guide import Guide
from guidegen.model.landmarks import Landmarks
from guidegen.model.level import Level
from guidegen.model.plan import Plan
from guidegen.model.volume import CTVolume


@dataclass(frozen=True)
class Approval:
    """Who approved which plan, when, and with which warnings accepted.

    Args:
        by: Name of the person.
        at: ISO 8601 time with zone.
        plan_sha256: Hash of plan.json's bytes.
        accepted: ``CODE:SUBJECT`` of each red warning accepted.
        unattended: True if a run approved itself.
    """

    by: str
    at: str
    plan_sha256: str
    accepted: tuple[str, ...] = ()
    unattended: bool = False


@dataclass(frozen=True)
class SettingRow:
    """A setting as the report shows it."""

    name: str
    value: str
    unit: str
    source: str
    default: str = ""

    @property
    def differs(self) -> bool:
        """True if somebody set it to something else than its default."""
        return self.value != self.default


@dataclass(frozen=True)
class Change:
    """One entry of the case's history: who did what to the plan, and when."""

    at: str
    by: str
    what: str
    item: str = ""
    plan_sha256: str = ""


@dataclass(frozen=True, eq=False)
class Case:
    """Everything known of a case at one moment; later stages are None or empty before they ran."""

    plan: Plan
    volume: CTVolume | None
    bones: tuple[Bone, ...]
    levels: tuple[Level, ...] = ()
    landmarks: tuple[Landmarks, ...] = ()
    guides: tuple[Guide, ...] = ()
    checks: CheckReport | None = None
    approval: Approval | None = None
    settings: tuple[SettingRow, ...] = ()
    methods: tuple[str, ...] = ()
    history: tuple[Change, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)

    def bone(self, name: str) -> Bone | None:
        """The bone of that name, if there is one."""
        return next((b for b in self.bones if b.name == name), None)
