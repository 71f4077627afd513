"""Pedicle screws as the flow sees them."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel

from guidegen.anatomy.spine import choose_levels
from guidegen.bones.spine import find_spine
from guidegen.errors import AnatomyError, PlanError
from guidegen.model.bone import Bone
from guidegen.model.case import SettingRow
from guidegen.model.findings import Finding
from guidegen.model.guide import Guide
from guidegen.model.landmarks import Landmarks
from guidegen.model.notice import Progress, stage
from guidegen.model.plan import Plan
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
from guidegen.procedures.rows import rows_of


def _own(settings: BaseModel) -> PedicleSettings:
    """Make sure that the settings are this procedure's."""
    if not isinstance(settings, PedicleSettings):
        raise PlanError(f"pedicle-screws needs its own settings, found {type(settings).__name__}")
    return settings


class PedicleScrews(Procedure):
    """Screws through the pedicles of chosen levels; one bilateral drill guide a vertebra."""

    name: ClassVar[str] = "pedicle-screws"
    title: ClassVar[str] = "Pedicle-screw drill guides"
    settings_type: ClassVar[type[BaseModel]] = PedicleSettings

    def find_anatomy(
        self, volume: CTVolume, options: Options, settings: BaseModel, progress: Progress
    ) -> Anatomy:
        """Find spine, surfaces of the chosen levels and their neighbours, and landmarks."""
        _own(settings)
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
        self, volume: CTVolume, anatomy: Anatomy, settings: BaseModel, progress: Progress
    ) -> Draft:
        """Plan both pedicles of every chosen level."""
        return plan_screws(volume, anatomy, _own(settings), progress)

    def build(
        self,
        plan: Plan,
        bones: tuple[Bone, ...],
        landmarks: tuple[Landmarks, ...],
        settings: BaseModel,
        progress: Progress,
    ) -> tuple[Guide | Finding, ...]:
        """Make one guide and one model a vertebra that has a screw."""
        return build_guides(plan, bones, landmarks, _own(settings), progress)

    def check(
        self, guide: Guide, plan: Plan, bones: tuple[Bone, ...], settings: BaseModel
    ) -> tuple[Finding, ...]:
        """Measure one part as read back from its file."""
        return check_guide(guide, plan, bones, _own(settings))

    def setting_rows(self, settings: BaseModel) -> tuple[SettingRow, ...]:
        """List every setting with unit, reason and source."""
        return rows_of(settings)
