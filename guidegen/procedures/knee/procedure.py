"""The knee as the flow sees it."""

from __future__ import annotations

from typing import ClassVar

from guidegen.model.case import Case
from guidegen.model.findings import Finding
from guidegen.model.guide import Guide
from guidegen.model.notice import Progress
from guidegen.model.volume import CTVolume
from guidegen.procedures.bench import Bench
from guidegen.procedures.contract import Anatomy, Draft, Options, Procedure
from guidegen.procedures.knee.anatomy import find_knee_anatomy
from guidegen.procedures.knee.bench import KneeBench
from guidegen.procedures.knee.checks import check_part
from guidegen.procedures.knee.guide import build_guides
from guidegen.procedures.knee.plan import plan_knee
from guidegen.procedures.knee.settings import KneeSettings
from guidegen.procedures.methods import KNEE, LIMITS, PARTS


class Knee(Procedure[KneeSettings]):
    """Cuts of femur and tibia about their axes; one cutting guide a bone."""

    name: ClassVar[str] = "knee"
    title: ClassVar[str] = "Knee-replacement cutting guides"
    methods: ClassVar[tuple[str, ...]] = (*KNEE, PARTS, LIMITS)
    settings_type = KneeSettings
    takes: ClassVar[frozenset[str]] = frozenset({"side", "axis"})
    in_blocks: ClassVar[bool] = True

    def find_anatomy(
        self, volume: CTVolume, options: Options, settings: KneeSettings, progress: Progress
    ) -> Anatomy:
        """Find the legs' bones, their landmarks and their sides."""
        return find_knee_anatomy(volume, options, settings, progress)

    def plan(
        self, volume: CTVolume, anatomy: Anatomy, settings: KneeSettings, progress: Progress
    ) -> Draft:
        """Plan cuts and pins of every bone that has its landmarks."""
        return plan_knee(anatomy, settings, progress)

    def build(
        self, case: Case, settings: KneeSettings, progress: Progress
    ) -> tuple[Guide | Finding, ...]:
        """Make one guide a cut."""
        return build_guides(case, settings, progress)

    def check(self, guide: Guide, case: Case, settings: KneeSettings) -> tuple[Finding, ...]:
        """Measure one part as read back from its file."""
        return check_part(guide, case, settings)

    def bench(self, case: Case, settings: KneeSettings) -> Bench:
        """Open a case for changes of its cuts and pins."""
        return KneeBench(case, settings)
