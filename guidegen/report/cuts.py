"""The saw cuts of a plan: angles, bone taken off, planes."""

from __future__ import annotations

from typing import Any

from guidegen.model.case import Case
from guidegen.model.plan import Cut
from guidegen.report.section import Section
from guidegen.report.wording import DASH, number, plain, point

ANGLES = {"femur": ("FFC", "LFC"), "tibia": ("FTC", "LTC")}


def cuts_section(case: Case) -> Section | None:
    """One row for every cut that gets a guide, and the further planes; None without cuts."""
    if not case.plan.cuts:
        return None
    anatomical = {n.subject for n in case.plan.warnings if n.code == "anatomical_axis"}
    content = {
        "rows": [_row(case, cut, anatomical) for cut in case.plan.cuts],
        "planes": _planes(case),
        "alignment": _alignment(case),
    }
    return Section("cuts", "Plan: saw cuts", "cuts.html.j2", content)


def _values(case: Case) -> dict[str, float]:
    return {m.name: m.value for m in case.plan.measurements}


def _row(case: Case, cut: Cut, anatomical: set[str]) -> dict[str, Any]:
    kind, _, side = cut.bone.partition("_")
    values = _values(case)
    frontal, sagittal = ANGLES.get(kind, ("", ""))
    place = "plateau" if kind == "tibia" else cut.name.partition("_")[0]
    return {
        "cut": plain(cut.name),
        "axis": "shaft (anatomical)" if cut.bone in anatomical else "mechanical",
        "warn": cut.bone in anatomical,
        "frontal": f"{frontal} {number(values.get(f'{frontal}_{side}'))}",
        "sagittal": f"{sagittal} {number(values.get(f'{sagittal}_{side}'))}",
        "medial": number(values.get(f"resection_{place}_medial_{side}")),
        "lateral": number(values.get(f"resection_{place}_lateral_{side}")),
        "kerf": number(cut.kerf_mm, 2),
        "origin": point(cut.origin_mm),
        "normal": point(cut.normal, 4),
    }


def _planes(case: Case) -> list[dict[str, str]]:
    """Planes that the component's own block cuts."""
    planes = case.plan.extra.get("planes")
    if not isinstance(planes, dict):
        return []
    return [
        {
            "name": plain(name),
            "origin": point(plane["point_mm"]),
            "normal": point(plane["normal"], 4),
        }
        for name, plane in sorted(planes.items())
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
