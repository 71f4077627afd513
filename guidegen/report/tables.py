"""The plan and the drill table: one row a path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from guidegen.model.case import Case
from guidegen.model.plan import Path, Skipped
from guidegen.report.frames import bore_of
from guidegen.report.notices import bare_message, skipped_reason
from guidegen.report.section import Section
from guidegen.report.wording import DASH, number, path_kind, plain, point

SIDES = {"right": 0, "left": 1, "": 2}


def plan_section(case: Case) -> Section | None:
    """One row for every path and every skipped site, bone by bone in the plan's order."""
    sites: list[Path | Skipped] = [*case.plan.paths, *case.plan.skipped]
    if not sites:
        return None
    bones = _bone_order(case)
    sites.sort(key=lambda site: (bones[site.bone], SIDES.get(site.side, 2), site.name))
    rows = [_path_row(case, s) if isinstance(s, Path) else _skipped_row(s) for s in sites]
    kinds = sorted({path.kind for path in case.plan.paths})
    title = "Plan: " + " and ".join(path_kind(k) for k in kinds) if kinds else "Plan"
    content = {"rows": rows, "has_screws": "screw" in kinds}
    if kinds == ["pin"]:
        return Section("plan", title, "pins.html.j2", content)
    return Section("plan", title, "plan.html.j2", content)


def _bone_order(case: Case) -> dict[str, int]:
    """Bones in the case's order (head to foot for a spine), then any others by name."""
    known = [level.name for level in case.levels] or [bone.name for bone in case.bones]
    named = {p.bone for p in case.plan.paths} | {s.bone for s in case.plan.skipped}
    order = [*known, *sorted(named - set(known))]
    return {name: place for place, name in enumerate(dict.fromkeys(order))}


def _path_row(case: Case, path: Path) -> Mapping[str, Any]:
    breach = ""
    if path.breach_mm:
        breach = f"{number(path.breach_mm)} mm {plain(path.breach_wall or '')}".strip()
    return {
        "skipped": False,
        "name": plain(path.name),
        "bone": plain(path.bone),
        "side": path.side or DASH,
        "entry": point(path.entry_mm),
        "midline": number(path.extra.get("entry_to_midline_mm")),
        "diameter": number(path.diameter_mm),
        "length": number(path.length_mm),
        "pilot": number(path.pilot_diameter_mm or None),
        "corridor": number(path.corridor_diameter_mm),
        "half_maximum": number(path.extra.get("half_maximum_corridor_mm")),
        "spread": number(path.extra.get("corridor_spread_mm")),
        "clearance": number(path.clearance_mm, 2),
        "grade": path.grade or DASH,
        "poor": bool(path.grade and path.grade > "B"),
        "breach": breach,
        "route": "" if path.route == "transpedicular" else plain(path.route),
        "axial": number(path.axial_angle_deg),
        "sagittal": number(path.sagittal_angle_deg),
        "hu": number(path.extra.get("mean_hu"), 0),
        "warnings": [_warning(case, path, code) for code in path.warnings],
    }


def _warning(case: Case, path: Path, code: str) -> str:
    """The sentence behind a path's warning code, where the plan has it."""
    for notice in case.plan.warnings:
        if notice.code == code and notice.subject == path.name:
            return bare_message(notice)
    return plain(code)


def _skipped_row(skipped: Skipped) -> Mapping[str, Any]:
    return {
        "skipped": True,
        "bone": plain(skipped.bone),
        "side": skipped.side or DASH,
        "corridor": number(skipped.corridor_diameter_mm, 2),
        "reason": skipped_reason(skipped),
    }


def drill_section(case: Case) -> Section | None:
    """Where the drill stop goes for every bore; None before there are guides.

    Needles stand in the puncture table.
    """
    drilled = [path for path in case.plan.paths if path.kind != "needle"]
    if not drilled or not any(guide.role == "guide" for guide in case.guides):
        return None
    rows = []
    for path in drilled:
        built = bore_of(case, path)
        values = built[1].values if built else {}
        stop, sleeve = values.get("drill_depth_mm"), values.get("length_mm")
        foot = None if stop is None or sleeve is None else stop - sleeve - path.length_mm
        rows.append(
            {
                "path": plain(path.name),
                "guide": built[0].file if built else "no guide carries this path",
                "missing": built is None,
                "stop": number(stop, 1),
                "sleeve": number(sleeve, 1),
                "foot": number(foot, 1),
                "bore": number(values.get("diameter_mm"), 2),
                "outer": number(values.get("outer_mm"), 1),
                "pilot": number(path.pilot_diameter_mm or None),
                "length": number(path.length_mm),
            }
        )
    return Section("drill", "Drill table", "drill.html.j2", {"rows": rows})
