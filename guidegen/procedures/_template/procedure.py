"""The procedure as the flow sees it: each method hands on to the file that does the work."""

from __future__ import annotations

from typing import ClassVar

from guidegen.anatomy.spine import choose_levels
from guidegen.anatomy.vertebra import find_landmarks
from guidegen.bones.spine import find_spine
from guidegen.bones.surface import extract_bones
from guidegen.model.case import Case
from guidegen.model.findings import Finding
from guidegen.model.guide import Guide
from guidegen.model.notice import Progress
from guidegen.model.volume import CTVolume
from guidegen.procedures._template.checks import check_part
from guidegen.procedures._template.guide import build_models
from guidegen.procedures._template.plan import plan_channels
from guidegen.procedures._template.settings import TemplateSettings
from guidegen.procedures.contract import Anatomy, Draft, Options, Procedure


class Template(Procedure[TemplateSettings]):
    """One channel down each left pedicle; not in the registry, because it is of no use."""

    name: ClassVar[str] = "template"
    title: ClassVar[str] = "Template"
    settings_type = TemplateSettings

    def find_anatomy(
        self, volume: CTVolume, options: Options, settings: TemplateSettings, progress: Progress
    ) -> Anatomy:
        """Find the spine, the chosen bones and their landmarks."""
        spine = find_spine(volume, options.lowest_level, options.labels, progress)
        chosen = choose_levels(options.levels, spine)
        bones = extract_bones(volume, spine, chosen, progress)
        landmarks = tuple(find_landmarks(bone, spine.level(bone.name)) for bone in bones)
        return Anatomy(spine, bones, landmarks, chosen)

    def plan(
        self, volume: CTVolume, anatomy: Anatomy, settings: TemplateSettings, progress: Progress
    ) -> Draft:
        """Plan one channel a vertebra."""
        return plan_channels(anatomy, settings)

    def build(
        self, case: Case, settings: TemplateSettings, progress: Progress
    ) -> tuple[Guide | Finding, ...]:
        """Make a model of every planned bone."""
        return build_models(case.plan, case.bones)

    def check(self, guide: Guide, case: Case, settings: TemplateSettings) -> tuple[Finding, ...]:
        """Measure one part as read back from its file."""
        return check_part(guide, settings)
