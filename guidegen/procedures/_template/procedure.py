"""The procedure as the flow sees it: each method hands on to the file that does the work."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel

from guidegen.anatomy.spine import choose_levels
from guidegen.anatomy.vertebra import find_landmarks
from guidegen.bones.spine import find_spine
from guidegen.bones.surface import extract_bones
from guidegen.errors import PlanError
from guidegen.model.bone import Bone
from guidegen.model.case import SettingRow
from guidegen.model.findings import Finding
from guidegen.model.guide import Guide
from guidegen.model.landmarks import Landmarks
from guidegen.model.notice import Progress
from guidegen.model.plan import Plan
from guidegen.model.volume import CTVolume
from guidegen.procedures._template.checks import check_part
from guidegen.procedures._template.guide import build_models
from guidegen.procedures._template.plan import plan_channels
from guidegen.procedures._template.settings import TemplateSettings
from guidegen.procedures.contract import Anatomy, Draft, Options, Procedure
from guidegen.procedures.rows import rows_of


def _own(settings: BaseModel) -> TemplateSettings:
    """Make sure that the settings are this procedure's."""
    if not isinstance(settings, TemplateSettings):
        raise PlanError(f"template needs its own settings, found {type(settings).__name__}")
    return settings


class Template(Procedure):
    """One channel down each left pedicle; not in the registry, because it is of no use."""

    name: ClassVar[str] = "template"
    title: ClassVar[str] = "Template"
    settings_type: ClassVar[type[BaseModel]] = TemplateSettings

    def find_anatomy(
        self, volume: CTVolume, options: Options, settings: BaseModel, progress: Progress
    ) -> Anatomy:
        """Find the spine, the chosen bones and their landmarks."""
        spine = find_spine(volume, options.lowest_level, options.labels, progress)
        chosen = choose_levels(options.levels, spine)
        bones = extract_bones(volume, spine, chosen, progress)
        landmarks = tuple(find_landmarks(bone, spine.level(bone.name)) for bone in bones)
        return Anatomy(spine, bones, landmarks, chosen)

    def plan(
        self, volume: CTVolume, anatomy: Anatomy, settings: BaseModel, progress: Progress
    ) -> Draft:
        """Plan one channel a vertebra."""
        return plan_channels(anatomy, _own(settings))

    def build(
        self,
        plan: Plan,
        bones: tuple[Bone, ...],
        landmarks: tuple[Landmarks, ...],
        settings: BaseModel,
        progress: Progress,
    ) -> tuple[Guide | Finding, ...]:
        """Make a model of every planned bone."""
        return build_models(plan, bones)

    def check(
        self, guide: Guide, plan: Plan, bones: tuple[Bone, ...], settings: BaseModel
    ) -> tuple[Finding, ...]:
        """Measure one part as read back from its file."""
        return check_part(guide, _own(settings))

    def setting_rows(self, settings: BaseModel) -> tuple[SettingRow, ...]:
        """List the settings with unit, reason and source."""
        return rows_of(settings)
