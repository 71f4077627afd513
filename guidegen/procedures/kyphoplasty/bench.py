"""Needles changed by hand, measured as the planner measures its own, from the skin to the tip."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from guidegen.errors import PlanError
from guidegen.model.arrays import Floats
from guidegen.model.case import Case
from guidegen.model.landmarks import Landmark
from guidegen.model.plan import Path, Plan, Skipped
from guidegen.planning.given import measure_given
from guidegen.planning.limits import PathLimits
from guidegen.planning.pedicle import SIDES
from guidegen.procedures.by_hand import MEETING, hand_notices, meeting_notices
from guidegen.procedures.drawn import Drawn
from guidegen.procedures.kyphoplasty import template
from guidegen.procedures.kyphoplasty.drawn import (
    BesideReady,
    beside_notices,
    meets_lung,
    needle_along,
    needle_beside,
    tip_notices,
)
from guidegen.procedures.kyphoplasty.extrapedicular import ROUTE, WIDE_VIEW_MM
from guidegen.procedures.kyphoplasty.needle import BodySize, needle_limits
from guidegen.procedures.kyphoplasty.notices import (
    POSTURE_ACCEPTED,
    POSTURE_REFUSED,
    notices_of,
    notices_of_levels,
)
from guidegen.procedures.kyphoplasty.settings import KyphoplastySettings
from guidegen.procedures.kyphoplasty.skin import Back, from_the_skin
from guidegen.procedures.kyphoplasty.wires import plan_wires, wired_level
from guidegen.procedures.levels import case_site
from guidegen.procedures.path_bench import Measured, PathBench, still_unplanned
from guidegen.procedures.path_bench import Site as Pedicle

_OF_SEVERAL = (
    *(MEETING, "one_sided_infeasible", "level_without_needle", "needle_left_out"),
    *("level_not_planned", POSTURE_REFUSED, POSTURE_ACCEPTED, "single_wire"),
)
"""Codes of what depends on more than one path; the level that was not planned only if it has one
now."""
_WORST = "A"


class NeedleBench(PathBench):
    """Needles of a kyphoplasty, with their template.

    Args:
        case: With its volume.
        settings: Of the procedure.
    """

    kind = "needle"

    def __init__(self, case: Case, settings: KyphoplastySettings) -> None:
        needle = settings.needle
        diameters = needle.min_diameter_mm, needle.max_diameter_mm, needle.diameter_step_mm
        super().__init__(case, diameters, needle.length_step_mm)
        self._settings, self._needle = settings, needle
        self._beside: dict[tuple[str, str], BesideReady] = {}
        self._backs: dict[frozenset[str], Back] = {}
        self._wires: dict[str, tuple[Path, ...]] = {}

    def limits_of(self, plan: Plan, bone: str, pedicle: Landmark) -> PathLimits:
        """The planner's own limits of the level and approach."""
        size = BodySize.of(self.marks(bone))
        return needle_limits(bone, size, pedicle, _approach(plan), self._needle)

    def measured(self, plan: Plan, drawn: Drawn, site: Pedicle) -> Measured:
        """Measure a needle from the skin to its tip."""
        behind = self._behind(plan)
        if _approach(plan) == ROUTE:
            return self._measured_beside(drawn, behind)
        ready = self.ready(plan, drawn.bone, drawn.side)
        ends = drawn.entry_mm, drawn.tip_mm
        given = measure_given(ready, *ends, drawn.diameter_mm, self.width(site))
        path = needle_along(ready.volume, given, drawn.diameter_mm, self._needle)
        path = from_the_skin(path, behind, self._needle.skin_reach_mm)
        hand = hand_notices(path, given, self._needle.min_corridor_mm, _WORST)
        own = notices_of((path,), behind.skin is not None)
        return Measured(path, own, (*hand, *tip_notices(path, given)))

    def finished(self, plan: Plan) -> Plan:
        """Template and its wires, needles that meet, and what is said of each level."""
        needles = self._own(plan)
        paths = (*needles, *self._wires_of(needles))
        decided = self._template(plan, paths)
        extra = {key: value for key, value in plan.extra.items() if key != "carried_by"}
        sites: list[Path | Skipped] = [*needles, *plan.skipped]
        told = (
            *still_unplanned(plan, "needle"),
            *notices_of_levels(sites),
            *meeting_notices(needles),
            *decided.notices,
        )
        kept = tuple(n for n in plan.warnings if n.code not in _OF_SEVERAL)
        return replace(plan, paths=paths, warnings=(*kept, *told), extra={**extra, **decided.extra})

    def require_place(self, plan: Plan, bone: str, side: str) -> None:
        """Make sure that the approach can serve a pedicle; see ``PathBench``."""
        if _approach(plan) == ROUTE:
            self._ready_beside(bone, side)
        else:
            super().require_place(plan, bone, side)

    def own_axis(self, plan: Plan, site: Pedicle) -> tuple[Floats, Floats]:
        """Where a needle starts that there was none of; see ``PathBench``."""
        if _approach(plan) == ROUTE:
            raise PlanError(
                f"{site.name}: there is no way beside the pedicle to start from: draw its entry "
                "and its tip"
            )
        return super().own_axis(plan, site)

    def entered(self, plan: Plan, drawn: Drawn) -> Floats:
        """Where a drawn needle goes into the bone; see ``PathBench``."""
        if _approach(plan) != ROUTE:
            return super().entered(plan, drawn)
        ready = self._ready_beside(drawn.bone, drawn.side)
        return needle_beside(ready, drawn, self._needle)[0].entry_mm

    def _measured_beside(self, drawn: Drawn, behind: Back) -> Measured:
        """Measure a needle beside the pedicle."""
        ready = self._ready_beside(drawn.bone, drawn.side)
        path, seen, lung = needle_beside(ready, drawn, self._needle)
        path = from_the_skin(path, behind, self._needle.skin_reach_mm)
        lung = lung or meets_lung(self.volume, path, self._needle)
        hand = beside_notices(path, seen, lung, ready.limits, self._needle)
        return Measured(path, notices_of((path,), behind.skin is not None), tuple(hand))

    def _ready_beside(self, bone: str, side: str) -> BesideReady:
        """A side made ready for needles beside its pedicle."""
        key = bone, side
        if key in self._beside:
            return self._beside[key]
        marks = self.marks(bone)
        sign = next((one for one in SIDES if one[0] == side), None)
        if sign is None or f"pedicle_{side}" not in marks or not bone.startswith("T"):
            raise PlanError(
                f"{bone} {side}: a needle beside the pedicle is for thoracic levels whose pedicle "
                "was found"
            )
        site = case_site(self.case, bone, WIDE_VIEW_MM)
        self._beside[key] = BesideReady.of(site, sign, self._needle)
        return self._beside[key]

    def _behind(self, plan: Plan) -> Back:
        """The back behind the levels that the plan speaks of."""
        chosen = frozenset((*(p.bone for p in plan.paths), *(s.bone for s in plan.skipped)))
        if chosen not in self._backs:
            case = self.case
            self._backs[chosen] = Back.behind(case.bones, case.landmarks, case.levels, chosen)
        return self._backs[chosen]

    def _wires_of(self, needles: list[Path]) -> tuple[Path, ...]:
        level = wired_level(needles, self._settings)
        bone = None if level is None else self.case.bone(level)
        if bone is None:
            return ()
        if bone.name not in self._wires:
            self._wires[bone.name] = plan_wires(bone, self.marks(bone.name), self._settings)
        return self._wires[bone.name]

    def _template(self, plan: Plan, paths: tuple[Path, ...]) -> template.Decision:
        posture = plan.extra.get("posture")
        if not isinstance(posture, Mapping) or "prone" not in posture or "sentence" not in posture:
            return template.template_of(plan.extra)
        accepted = _was_accepted(plan, posture)
        decided = template.decide_template(paths, posture, accepted, self._settings)
        return template.laid_out(decided, paths, self._behind(plan), self._settings.template)


def _approach(plan: Plan) -> str:
    return str(plan.extra.get("approach", "two-sided"))


def _was_accepted(plan: Plan, posture: Mapping[str, Any]) -> bool:
    said = any(notice.code == POSTURE_ACCEPTED and notice.red for notice in plan.warnings)
    return said or posture.get("accepted") is True
