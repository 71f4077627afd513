"""An approved plan held against its own rules again: plan.json may be changed by hand."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np

from guidegen.anatomy.posture import find_posture
from guidegen.errors import PlanError
from guidegen.model.case import Case
from guidegen.model.landmarks import Landmarks
from guidegen.model.plan import Path
from guidegen.planning.line import angles_deg
from guidegen.procedures.kyphoplasty.notices import POSTURE_ACCEPTED
from guidegen.procedures.kyphoplasty.settings import KyphoplastySettings
from guidegen.procedures.kyphoplasty.skin import Back, from_the_skin
from guidegen.procedures.kyphoplasty.template import NONE, Decision, decide_template, template_of

_OFF_MM, _OFF_DEG = 1.0, 0.5
"""A number of a needle that is farther off is not its own (what is asked of skin entry, depths and
angles; rounding and another middle level, where a level was taken out, cost less)."""


def back_of(case: Case) -> Back:
    """The back behind the levels that the plan speaks of."""
    plan = case.plan
    chosen = {*(path.bone for path in plan.paths), *(site.bone for site in plan.skipped)}
    return Back.behind(case.bones, case.landmarks, case.levels, chosen)


def template_again(case: Case, settings: KyphoplastySettings) -> Decision:
    """Decide on the template again, on what the scan says and the plan warns of.

    Returns:
        The plan's decision, with the words that the rules want engraved.

    Raises:
        PlanError: The plan wants a template that the rules do not allow.
    """
    kept = template_of(case.plan.extra)
    if kept.kind == NONE or case.volume is None:
        return Decision(NONE)
    posture = find_posture(case.volume, back_of(case).frame.axes[:, 1])
    accepted = any(n.code == POSTURE_ACCEPTED and n.red for n in case.plan.warnings)
    ruled = decide_template(case.plan.paths, asdict(posture), accepted, settings)
    if ruled.kind != kept.kind:
        why = "; ".join(n.message for n in ruled.notices) or "the settings want another one or none"
        raise PlanError(f"plan.json wants a {kept.kind} template, but {why}: plan the case again")
    return ruled


def require_own_numbers(case: Case, settings: KyphoplastySettings) -> None:
    """Measure angles, skin entry and depths of every needle again, as the operator goes by them.

    Raises:
        PlanError: One is not that of the needle's entry and tip any more.
    """
    needles = [path for path in case.plan.paths if path.kind == "needle"]
    marks = {m.bone: m for m in case.landmarks}
    for path in needles:
        if path.bone not in marks:
            raise PlanError(f"{path.name} stands on a bone without landmarks: plan the case again")
    if not needles:
        return
    behind = back_of(case)
    beside = case.plan.extra.get("approach") == "extrapedicular"
    for path in needles:
        wanted = "extrapedicular" if beside else "transpedicular"
        if path.route != wanted:
            raise PlanError(
                f"{path.name} was planned {wanted} and is {path.route} in plan.json: plan the case "
                "again with the approach that is wanted"
            )
        low, high = settings.needle.min_diameter_mm, settings.needle.max_diameter_mm
        if not low - 1e-6 <= path.diameter_mm <= high + 1e-6:
            raise PlanError(
                f"{path.name} is {path.diameter_mm:g} mm thick in plan.json; needles of {low:g} to "
                f"{high:g} mm are planned: take one of these, or plan again with other settings"
            )
        again = from_the_skin(replace(path, skin_mm=None), behind, settings.needle.skin_reach_mm)
        wrong = _unlike(path, again, marks[path.bone])
        if wrong:
            raise PlanError(
                f"{path.name}: {wrong} in plan.json is not that of its entry and tip; take the "
                "needle out, or plan the case again and leave it as planned"
            )


def _unlike(path: Path, again: Path, marks: Landmarks) -> str:
    """Name the first number of a needle that is not its own; "" where all are."""
    way = marks.patient_from_bone.inverse.vectors(path.direction)
    own = angles_deg(way, 1.0 if path.side == "left" else -1.0)
    said = (path.axial_angle_deg, path.sagittal_angle_deg)
    for name, value, true in zip(("axial_angle_deg", "sagittal_angle_deg"), said, own, strict=True):
        if value is None or abs(value - true) > _OFF_DEG:
            return name
    if path.skin_mm is not None and (
        again.skin_mm is None or np.linalg.norm(path.skin_mm - again.skin_mm) > _OFF_MM
    ):
        return "skin_mm"
    measured = ("skin_to_bone_mm", "skin_to_tip_mm", "skin_to_midline_mm")
    for name in (*measured, "medial_inclination_deg", "cranial_caudal_deg"):
        value = path.extra.get(name)
        if value is not None:
            off = abs(float(value) - float(again.extra.get(name, np.nan)))
            if not off <= (_OFF_DEG if name.endswith("_deg") else _OFF_MM):
                return name
    return ""
