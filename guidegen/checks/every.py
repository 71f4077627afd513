"""All checks, and running them without one stopping the rest."""

from __future__ import annotations

from collections.abc import Callable

from guidegen.checks.bore import check_bores, check_drill, check_side, check_sleeves
from guidegen.checks.breach import check_breach
from guidegen.checks.coverage import check_coverage
from guidegen.checks.docking import check_docking
from guidegen.checks.engraving import check_engraved
from guidegen.checks.fit import check_contact, check_overlap
from guidegen.checks.knee import (
    check_medial_marks,
    check_pins,
    check_rod,
    check_touches,
    check_windows,
)
from guidegen.checks.label import check_label, check_side_marks
from guidegen.checks.model import check_model
from guidegen.checks.part import NAN, Part
from guidegen.checks.printable import check_printable
from guidegen.checks.rehearsal import check_channels, check_fidelity, check_foot
from guidegen.checks.removal import check_removal
from guidegen.checks.slot import check_blade, check_slot
from guidegen.checks.template import check_midline, check_over_skin, check_stand_off
from guidegen.model.findings import Finding
from guidegen.workers import side_by_side

Check = Callable[[Part], tuple[Finding, ...]]

SOLID_CHECKS = (check_printable,)
"""Need a mesh only."""
MODEL_CHECKS: tuple[Check, ...] = (check_model,)
"""For bone models to print."""
_BORED_CHECKS: tuple[Check, ...] = (
    check_overlap,
    check_removal,
    check_bores,
    check_sleeves,
    check_drill,
    check_side,
    check_breach,
    check_label,
    check_side_marks,
)
GUIDE_CHECKS: tuple[Check, ...] = (*_BORED_CHECKS, check_contact, check_docking)
"""For guides with drill sleeves."""
SKIN_TEMPLATE_CHECKS: tuple[Check, ...] = (
    *_BORED_CHECKS,
    check_contact,
    check_over_skin,
    check_midline,
)
"""For templates on the skin; held by hand and laid by marks, so docking is not asked of them."""
BONE_TEMPLATE_CHECKS: tuple[Check, ...] = (*_BORED_CHECKS, check_stand_off)
"""For templates on K-wires, which touch nothing but the wires."""
REHEARSAL_CHECKS: tuple[Check, ...] = (
    check_bores,
    check_channels,
    check_side,
    check_breach,
    check_fidelity,
    check_foot,
    check_label,
    check_side_marks,
)
"""For models with needle channels, to rehearse on."""
KNEE_CHECKS: tuple[Check, ...] = (
    check_overlap,
    check_removal,
    check_bores,
    check_sleeves,
    check_drill,
    check_breach,
    check_label,
    check_contact,
    check_docking,
    check_touches,
    check_slot,
    check_blade,
    check_pins,
    check_rod,
    check_windows,
    check_medial_marks,
)
"""For cutting guides of the knee."""
CUT_MODEL_CHECKS: tuple[Check, ...] = (check_engraved, check_label)
"""For models of a bone's end with the cuts engraved."""
CASE_CHECKS = (check_coverage,)
"""Look at all parts of a case together."""
ALL_CHECKS = tuple(
    dict.fromkeys(
        (
            *SOLID_CHECKS,
            *CASE_CHECKS,
            *MODEL_CHECKS,
            *GUIDE_CHECKS,
            *SKIN_TEMPLATE_CHECKS,
            *BONE_TEMPLATE_CHECKS,
            *REHEARSAL_CHECKS,
            *KNEE_CHECKS,
            *CUT_MODEL_CHECKS,
        )
    )
)


def run_checks(part: Part, checks: tuple[Check, ...]) -> tuple[Finding, ...]:
    """Measure a part: whether it is printable, then everything in ``checks``.

    A check that can't measure at all (its arithmetic fails on a damaged mesh) counts as failed:
    a finding of its name that is not a number.
    """

    def printable(tested: Part) -> tuple[Finding, ...]:
        surface = tested.surface
        wall = tested.limits.min_wall_mm
        return check_printable(
            surface.vertices, surface.faces, tested.subject, wall, tested.label_patches
        )

    def measured(named: tuple[str, Check]) -> tuple[Finding, ...]:
        name, check = named
        try:
            return check(part)
        except Exception as error:  # a check never stops the others: it fails
            why = f"could not be measured: {type(error).__name__}: {error}"
            code = name.removeprefix("check_")
            return (part.finding(code, NAN, 0.0, "at_most", "1", why),)

    named = [("printable", printable), *((c.__name__, c) for c in checks)]
    return tuple(f for found in side_by_side(measured, named) for f in found)
