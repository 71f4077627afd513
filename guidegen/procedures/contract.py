"""What every procedure offers to the flow."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Generic, TypeVar

from pydantic import BaseModel

from guidegen.model.bone import Bone
from guidegen.model.case import Case, SettingRow
from guidegen.model.earlier import Earlier
from guidegen.model.edits import Edits
from guidegen.model.findings import Finding
from guidegen.model.guide import Guide
from guidegen.model.landmarks import Landmarks
from guidegen.model.notice import Notice, Progress
from guidegen.model.plan import Cut, Measurement, Path, Skipped
from guidegen.model.segmentation import Segmentation
from guidegen.model.volume import CTVolume, LabelMap, TableSide
from guidegen.procedures.bench import Bench, NoBench
from guidegen.procedures.rows import rows_of

Own = TypeVar("Own", bound=BaseModel)
"""The settings of one procedure."""


APPROACHES = ("two-sided", "one-sided", "extrapedicular")
AXES = ("mechanical", "anatomical")


@dataclass(frozen=True)
class Options:
    """What the engineer asked for on the command line, procedure-free.

    Args:
        levels: ``T10-L2`` or ``L1,L3``; None for every complete one.
        side: ``left``, ``right`` or ``both``.
        lowest_level: Name of the lowest complete vertebra in view.
        labels: An imported label map, already in LPS and named.
        approach: One of ``APPROACHES``; None where the settings decide.
        accept_posture: Make a skin template though the patient was not scanned prone.
        axis: One of ``AXES``; None is the mechanical one.
        earlier: What the case holds, where it is planned again and nothing was corrected.
        edits: What was changed by hand before, where the case is planned again.
    """

    levels: str | None = None
    side: str = "both"
    lowest_level: str | None = None
    labels: LabelMap | None = None
    approach: str | None = None
    accept_posture: bool = False
    axis: str | None = None
    earlier: Earlier | None = None
    edits: Edits | None = None


@dataclass(frozen=True, eq=False)
class Anatomy:
    """What the first three stages found; bones and landmarks are in the scan's LPS frame.

    Args:
        found: Label map, and levels of a spine.
        bones: One surface a bone.
        landmarks: One set a bone that has them.
        chosen: Names of the bones to plan on.
        failed: Why a bone has no surface or no landmarks, by its name; the others go on.
        options: What was asked for.
        notices: What was noticed on the way.
        extra: Further facts, as plan.json is to keep them.
        table: Side on which the table was seen, for case.toml; see ``ScanInfo``.
    """

    found: Segmentation
    bones: tuple[Bone, ...]
    landmarks: tuple[Landmarks, ...]
    chosen: tuple[str, ...]
    failed: Mapping[str, str] = field(default_factory=dict)
    options: Options = Options()
    notices: tuple[Notice, ...] = ()
    extra: Mapping[str, object] = field(default_factory=dict)
    table: TableSide | None = None


@dataclass(frozen=True)
class Draft:
    """What a procedure plans; the flow adds hashes and the case's name."""

    paths: tuple[Path, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    warnings: tuple[Notice, ...] = ()
    extra: Mapping[str, object] = field(default_factory=dict)
    cuts: tuple[Cut, ...] = ()


class Procedure(ABC, Generic[Own]):
    """One operation: settings, plan, guide, checks.

    The flow reads the settings as ``settings_type`` and hands every method what it read, so that
    a procedure ``Procedure[MySettings]`` gets its own settings and no others.

    Attributes:
        name: As on the command line.
        title: As the report shows it.
        settings_type: What its settings are read as.
        takes: Fields of ``Options`` that not every procedure has a use for, and this one does:
            of ``side``, ``approach``, ``accept_posture`` and ``axis``. The others are refused when
            they are given.
        methods: Paragraphs of the report: how the plan is made, with references.
        in_blocks: A series with wide gaps between blocks of slices can be planned on.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    settings_type: type[Own]
    takes: ClassVar[frozenset[str]] = frozenset()
    methods: ClassVar[tuple[str, ...]] = ()
    in_blocks: ClassVar[bool] = False

    @abstractmethod
    def find_anatomy(
        self, volume: CTVolume, options: Options, settings: Own, progress: Progress
    ) -> Anatomy:
        """Find bones, levels and landmarks. Raises AnatomyError where there are none."""

    @abstractmethod
    def plan(self, volume: CTVolume, anatomy: Anatomy, settings: Own, progress: Progress) -> Draft:
        """Plan on the chosen bones."""

    @abstractmethod
    def build(self, case: Case, settings: Own, progress: Progress) -> tuple[Guide | Finding, ...]:
        """Make the guides and models of an approved case.

        A part that can't be made is a failed finding with its reason, and does not stop the others.
        """

    @abstractmethod
    def check(self, guide: Guide, case: Case, settings: Own) -> tuple[Finding, ...]:
        """Measure one part; ``guide`` carries the mesh as read back from its STL."""

    def bench(self, case: Case, settings: Own) -> Bench:
        """Open a case, with its volume, for changes by hand; where there is none nothing can be."""
        return NoBench()

    def setting_rows(self, settings: Own) -> tuple[SettingRow, ...]:
        """List the settings with unit, reason and source for the report."""
        return rows_of(settings)
