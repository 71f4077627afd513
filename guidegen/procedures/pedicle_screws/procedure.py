"""Pedicle screws as the flow sees them."""

from __future__ import annotations

from typing import ClassVar

from guidegen.anatomy.spine import choose_levels
from guidegen.bones.spine import find_spine
from guidegen.errors import AnatomyError
from guidegen.model.case import Case
from guidegen.model.findings import Finding
from guidegen.model.guide import Guide
from guidegen.model.notice import Progress, stage
from guidegen.model.volume import CTVolume
from guidegen.procedures.contract import Anatomy, Draft, Options, Procedure
from guidegen.procedures.pedicle_screws.bones import (
    find_surfaces,
    find_vertebrae,
    with_neighbours,
)
from guidegen.procedures.pedicle_screws.checks import check_guide
from guidegen.procedures.pedicle_screws.guide import build_guides
from guidegen.procedures.pedicle_screws.plan import plan_screws
from guidegen.procedures.pedicle_screws.settings import PedicleSettings


class PedicleScrews(Procedure[PedicleSettings]):
    """Screws through the pedicles of chosen levels; one bilateral drill guide a vertebra."""

    name: ClassVar[str] = "pedicle-screws"
    title: ClassVar[str] = "Pedicle-screw drill guides"
    settings_type = PedicleSettings

    def find_anatomy(
        self, volume: CTVolume, options: Options, settings: PedicleSettings, progress: Progress
    ) -> Anatomy:
        """Find spine, surfaces of the chosen levels and their neighbours, and landmarks."""
        search = stage(progress, "spine", 0.0, 0.55)
        spine = find_spine(volume, options.lowest_level, options.labels, search)
        chosen = choose_levels(options.levels, spine)
        wanted = with_neighbours(chosen, spine)
        surfaces = stage(progress, "surfaces", 0.55, 0.9)
        bones, failed = find_surfaces(volume, spine, wanted, surfaces)
        progress("landmarks", 0.9)
        landmarks, why = find_vertebrae(bones, spine, chosen)
        failed = {**failed, **why}
        if not landmarks:
            reasons = "; ".join(failed[name] for name in chosen if name in failed)
            raise AnatomyError(
                f"no pedicle can be planned on {', '.join(chosen)}: {reasons}; check that this is "
                "a CT of the spine"
            )
        return Anatomy(spine, bones, landmarks, chosen, failed)

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
