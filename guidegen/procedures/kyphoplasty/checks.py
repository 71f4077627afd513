"""The checks of the models to rehearse on and of the templates."""

from __future__ import annotations

from guidegen.checks.every import (
    BONE_TEMPLATE_CHECKS,
    REHEARSAL_CHECKS,
    SKIN_TEMPLATE_CHECKS,
    run_checks,
)
from guidegen.checks.part import Limits, Part
from guidegen.model.bone import SKIN
from guidegen.model.case import Case
from guidegen.model.findings import Finding
from guidegen.model.guide import Guide
from guidegen.procedures.kyphoplasty.settings import KyphoplastySettings


def check_part(guide: Guide, case: Case, settings: KyphoplastySettings) -> tuple[Finding, ...]:
    """Measure one part of the case against its plan.

    Args:
        guide: Mesh as read back from its STL file, features as designed.
        case: The approved case.
        settings: Of the procedure.

    Returns:
        Findings of every check; a value that could not be measured is not a number, and fails.
    """
    own, model = settings.template, settings.model
    if guide.role == "model":
        bones = tuple(bone for bone in case.bones if bone.name != SKIN)
        paths = tuple(p for p in case.plan.paths if p.bone in guide.bones and p.kind == "needle")
        limits = Limits(min_wall_mm=model.min_wall_mm, bore_clearance_mm=model.channel_clearance_mm)
        return run_checks(Part(guide, bones, paths, limits), REHEARSAL_CHECKS)
    limits = Limits(
        min_wall_mm=own.min_wall_mm,
        bore_clearance_mm=own.bore_clearance_mm,
        gap_mm=own.fit_gap_mm / 2,
    )
    on_skin = SKIN in guide.bones
    paths = tuple(p for p in case.plan.paths if p.kind == "needle" or not on_skin)
    checks = SKIN_TEMPLATE_CHECKS if on_skin else BONE_TEMPLATE_CHECKS
    return run_checks(Part(guide, case.bones, paths, limits), checks)
