"""Kyphoplasty as the flow sees it."""

from __future__ import annotations

from typing import ClassVar

from guidegen.model.case import Case
from guidegen.model.findings import Finding
from guidegen.model.guide import Guide
from guidegen.model.notice import Progress, stage
from guidegen.model.volume import CTVolume
from guidegen.procedures.bench import Bench
from guidegen.procedures.contract import Anatomy, Draft, Options, Procedure
from guidegen.procedures.kyphoplasty.bench import NeedleBench
from guidegen.procedures.kyphoplasty.checks import check_part
from guidegen.procedures.kyphoplasty.guide import build_parts
from guidegen.procedures.kyphoplasty.plan import plan_needles
from guidegen.procedures.kyphoplasty.settings import KyphoplastySettings
from guidegen.procedures.kyphoplasty.skin import with_skin
from guidegen.procedures.methods import LIMITS, PARTS, PATHS, PUNCTURE, SPINE
from guidegen.procedures.vertebrae import find_vertebral_anatomy


class Kyphoplasty(Procedure[KyphoplastySettings]):
    """Needles into fractured vertebrae: plan from the skin, model to rehearse on, template."""

    name: ClassVar[str] = "kyphoplasty"
    title: ClassVar[str] = "Kyphoplasty puncture planning, models and templates"
    methods: ClassVar[tuple[str, ...]] = (*SPINE, PATHS, PUNCTURE, PARTS, LIMITS)
    settings_type = KyphoplastySettings
    takes: ClassVar[frozenset[str]] = frozenset({"side", "approach", "accept_posture"})

    def find_anatomy(
        self, volume: CTVolume, options: Options, settings: KyphoplastySettings, progress: Progress
    ) -> Anatomy:
        """Find spine, surfaces, landmarks (of the neighbours, too), the skin and the posture."""
        found = find_vertebral_anatomy(
            volume, options, stage(progress, "bones", 0.0, 0.85), measured_neighbours=True
        )
        progress("skin", 0.85)
        return with_skin(volume, found)

    def plan(
        self,
        volume: CTVolume,
        anatomy: Anatomy,
        settings: KyphoplastySettings,
        progress: Progress,
    ) -> Draft:
        """Plan the needles of every chosen level."""
        return plan_needles(volume, anatomy, settings, progress)

    def build(
        self, case: Case, settings: KyphoplastySettings, progress: Progress
    ) -> tuple[Guide | Finding, ...]:
        """Make one model a level and the template that the plan decided on."""
        return build_parts(case, settings, progress)

    def check(self, guide: Guide, case: Case, settings: KyphoplastySettings) -> tuple[Finding, ...]:
        """Measure one part as read back from its file."""
        return check_part(guide, case, settings)

    def bench(self, case: Case, settings: KyphoplastySettings) -> Bench:
        """Open a case for changes of its needles."""
        return NeedleBench(case, settings)
