"""The saw cuts of a plan: angles, bone taken off, planes."""

from __future__ import annotations

from typing import Any

from guidegen.model.case import Case
from guidegen.model.plan import Cut
from guidegen.model.saw_cuts import about_shaft, further_cuts, numbers_of
from guidegen.report.section import Section
from guidegen.report.wording import DASH, number, plain, point


def cuts_section(case: Case) -> Section | None:
    """One row for every cut that gets a guide, and the further planes; None without cuts."""
    if not case.plan.cuts:
        return None
    content = {
        "rows": [_row(case, cut) for cut in case.plan.cuts],
        "planes": _planes(case),
        "alignment": _alignment(case),
    }
    return Section("cuts", "Plan: saw cuts", "cuts.html.j2", content)


def _row(case: Case, cut: Cut) -> dict[str, Any]:
    told, shafted = numbers_of(case.plan, cut), about_shaft(case.plan, cut.bone)
    angles = [f"{name} {number(value)}" for name, value in told.angles_deg.items()]
    frontal, sagittal = angles if len(angles) == 2 else (DASH, DASH)
    return {
        "cut": plain(cut.name),
        "axis": "shaft (anatomical)" if shafted else "mechanical",
        "warn": shafted,
        "frontal": frontal,
        "sagittal": sagittal,
        "medial": number(told.medial_mm),
        "lateral": number(told.lateral_mm),
        "kerf": number(cut.kerf_mm, 2),
        "origin": point(cut.origin_mm),
        "normal": point(cut.normal, 4),
    }


def _planes(case: Case) -> list[dict[str, str]]:
    """Planes that the component's own block cuts, with the middle of their kerf."""
    bones = dict.fromkeys(cut.bone for cut in case.plan.cuts)
    return [
        {"name": plain(cut.name), "origin": point(cut.origin_mm), "normal": point(cut.normal, 4)}
        for bone in bones
        for cut in further_cuts(case.plan, bone)
    ]


def _alignment(case: Case) -> list[dict[str, str]]:
    """HKA and FTA of every leg that shows both of its bones."""
    found = []
    for m in case.plan.measurements:
        name, _, side = m.name.rpartition("_")
        if name in ("HKA", "FTA"):
            found.append(
                {"name": f"{name} {side}", "value": number(m.value), "note": m.note or DASH}
            )
    return found
