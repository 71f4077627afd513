"""Pedicle screws as the flow sees them."""

from __future__ import annotations

from typing import ClassVar

from guidegen.model.case import Case
from guidegen.model.findings import Finding
from guidegen.model.guide import Guide
from guidegen.model.notice import Progress
from guidegen.model.volume import CTVolume
from guidegen.procedures.bench import Bench
from guidegen.procedures.contract import Anatomy, Draft, Options, Procedure
from guidegen.procedures.methods import LIMITS, PARTS, PATHS, SPINE
from guidegen.procedures.pedicle_screws.bench import ScrewBench
from guidegen.procedures.pedicle_screws.checks import check_guide
from guidegen.procedures.pedicle_screws.guide import build_guides
from guidegen.procedures.pedicle_screws.plan import plan_screws
from guidegen.procedures.pedicle_screws.settings import PedicleSettings
from guidegen.procedures.vertebrae import find_vertebral_anatomy


class PedicleScrews(Procedure[PedicleSettings]):
    """Screws through the pedicles of chosen levels; one bilateral drill guide a vertebra."""

    name: ClassVar[str] = "pedicle-screws"
    title: ClassVar[str] = "Pedicle-screw drill guides"
    methods: ClassVar[tuple[str, ...]] = (*SPINE, PATHS, PARTS, LIMITS)
    settings_type = PedicleSettings

    def find_anatomy(
        self, volume: CTVolume, options: Options, settings: PedicleSettings, progress: Progress
    ) -> Anatomy:
        """Find spine, surfaces of the chosen levels and their neighbours, and landmarks."""
        return find_vertebral_anatomy(volume, options, progress)

    def plan(
        self, volume: CTVolume, anatomy: Anatomy, settings: PedicleSettings, progress: Progress
    ) -> Draft:
        """Plan both pedicles of every chosen level."""
        return plan_screws(volume, anatomy, settings, progress)

    def build(
        self, case: Case, settings: PedicleSettings, progress: Progress
    ) -> tuple[Guide | Finding, ...]:
        """Make one guide and one model a vertebra that has a screw."""
        return build_guides(case.plan, case.bones, case.landmarks, settings, progress)

    def check(self, guide: Guide, case: Case, settings: PedicleSettings) -> tuple[Finding, ...]:
        """Measure one part as read back from its file."""
        return check_guide(guide, case.plan, case.bones, settings)

    def bench(self, case: Case, settings: PedicleSettings) -> Bench:
        """Open a case for changes of its screws."""
        return ScrewBench(case, settings)
