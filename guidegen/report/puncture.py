"""The puncture table: where to go in, how deep and at which angles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from guidegen.model.case import Case
from guidegen.model.plan import Path
from guidegen.report.frames import bore_of
from guidegen.report.section import Section
from guidegen.report.wording import number, plain, point


def puncture_section(case: Case) -> Section | None:
    """One row for every needle; None where there is none."""
    rows = [_row(case, path) for path in case.plan.paths if path.kind == "needle"]
    if not rows:
        return None
    content = {"rows": rows, "posture": _posture(case), "has_stops": any(r["stop"] for r in rows)}
    return Section("puncture", "Puncture from the skin", "puncture.html.j2", content)


def _posture(case: Case) -> str:
    """How the patient lay in the scanner, as the plan has it."""
    facts = case.plan.extra.get("posture")
    return str(facts.get("sentence", "")) if isinstance(facts, Mapping) else ""


def _row(case: Case, path: Path) -> Mapping[str, Any]:
    extra = path.extra
    built = bore_of(case, path)
    values = built[1].values if built else {}
    stop, play = values.get("drill_depth_mm"), values.get("tip_play_mm")
    return {
        "name": plain(path.name),
        "route": plain(path.route),
        "diameter": number(path.diameter_mm),
        "skin": point(path.skin_mm) if path.skin_mm is not None else "skin out of view",
        "midline": number(extra.get("skin_to_midline_mm")),
        "to_bone": number(extra.get("skin_to_bone_mm")),
        "to_tip": number(extra.get("skin_to_tip_mm")),
        "in_bone": number(path.length_mm),
        "medial": number(extra.get("medial_inclination_deg")),
        "cranial": number(extra.get("cranial_caudal_deg")),
        "front": number(extra.get("front_mm")),
        "tip_midline": number(extra.get("tip_to_midline_mm")),
        "stop": number(stop) if stop is not None else "",
        "play": number(play) if play is not None else "",
    }
