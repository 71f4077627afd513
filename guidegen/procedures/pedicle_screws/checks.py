"""The checks of pedicle-screw guides and vertebra models."""

from __future__ import annotations

from typing import Protocol

from guidegen.cad.settings import GuideSettings
from guidegen.checks.every import GUIDE_CHECKS, MODEL_CHECKS, run_checks
from guidegen.checks.part import Limits, Part
from guidegen.model.bone import Bone
from guidegen.model.findings import Finding
from guidegen.model.guide import Guide
from guidegen.model.plan import Plan


class HasGuide(Protocol):
    """Settings of a procedure that makes guides."""

    @property
    def guide(self) -> GuideSettings:
        """The guide's settings."""


def check_guide(
    guide: Guide, plan: Plan, bones: tuple[Bone, ...], settings: HasGuide
) -> tuple[Finding, ...]:
    """Measure one part of the case against its plan.

    Args:
        guide: Mesh as read back from its STL file, features as designed.
        plan: The approved plan.
        bones: Every bone of the case.
        settings: The procedure's, with ``guide``.

    Returns:
        Findings of every check; a value that could not be measured is not a number, and fails.
    """
    own = settings.guide
    if guide.role == "model":
        return run_checks(Part(guide, bones, (), Limits(min_wall_mm=None)), MODEL_CHECKS)
    limits = Limits(
        min_wall_mm=own.min_wall_mm,
        bore_clearance_mm=own.bore_clearance_mm,
        gap_mm=own.fit_gap_mm / 2,
    )
    paths = tuple(p for p in plan.paths if p.bone in guide.bones)
    return run_checks(Part(guide, bones, paths, limits), GUIDE_CHECKS)
