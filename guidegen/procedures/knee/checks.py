"""The checks of knee guides."""

from __future__ import annotations

from guidegen.cad.knee_guide import staying
from guidegen.checks.every import CUT_MODEL_CHECKS, KNEE_CHECKS, run_checks
from guidegen.checks.part import Limits, Part
from guidegen.model.case import Case
from guidegen.model.findings import Finding
from guidegen.model.guide import Guide
from guidegen.procedures.knee.guide import planned_cuts
from guidegen.procedures.knee.settings import KneeSettings


def check_part(guide: Guide, case: Case, settings: KneeSettings) -> tuple[Finding, ...]:
    """Measure one guide of the case against its plan.

    Args:
        guide: Mesh as read back from its STL file, features as designed.
        case: With the approved plan, bones and landmarks.
        settings: The procedure's.
    """
    if guide.role == "model":
        bones = tuple(bone for bone in case.bones if bone.name in guide.bones)
        cuts = planned_cuts(case.plan, guide.bones[0])
        return run_checks(Part(guide, bones, (), Limits(None), cuts), CUT_MODEL_CHECKS)
    own = settings.guide
    limits = Limits(
        min_wall_mm=own.min_wall_mm,
        bore_clearance_mm=own.bore_clearance_mm,
        gap_mm=own.fit_gap_mm / 2,
        slot_clearance_mm=own.slot_clearance_mm if own.slot else None,
        capture_mm=own.capture_mm,
        pin_clear_mm=own.pin_clear_mm,
        pin_offset_mm=None if own.slot else own.pin_offset_mm,
        pin_spacing_mm=None if own.slot else own.pin_spacing_mm,
        rod_mm=own.rod_mm,
        rod_clearance_mm=own.rod_clearance_mm,
    )
    seats = [bone for bone in case.bones if bone.name in guide.bones]
    near = staying(seats[0], [b for b in case.bones if b.name not in guide.bones])
    part = Part(
        guide,
        (*seats, *near),
        tuple(path for path in case.plan.paths if path.bone in guide.bones),
        limits,
        cuts=tuple(cut for cut in case.plan.cuts if cut.bone in guide.bones),
        marks=tuple(marks for marks in case.landmarks if marks.bone in guide.bones),
    )
    return run_checks(part, KNEE_CHECKS)
