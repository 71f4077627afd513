"""What the benches of screws and needles share: drawing, moving, switching, and going back."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from guidegen.errors import GuidegenError, PlanError
from guidegen.model.arrays import Floats
from guidegen.model.bone import SKIN
from guidegen.model.case import Case
from guidegen.model.landmarks import Landmark, Landmarks
from guidegen.model.notice import Notice
from guidegen.model.plan import Path, Plan, Skipped
from guidegen.planning.given import Ready, entered, make_ready, own_axis
from guidegen.planning.limits import PathLimits
from guidegen.planning.pedicle import SIDES
from guidegen.procedures.bench import Bench, Field, Item
from guidegen.procedures.drawn import IN_SET, Drawn, asked, at_length, redrawn
from guidegen.procedures.edits import (
    automatic_of,
    automatic_path,
    automatic_skipped,
    drawn_again,
    edited_notice,
    is_edited,
    marked,
    site_of,
    switched_off,
    with_sites,
)
from guidegen.procedures.levels import UNPLANNED, VIEW_MM, case_site, unplanned_notice

Site = Path | Skipped
NOT_ASKED = "not_asked_for"
"""A pedicle of a planned level of which the automatic plan says nothing."""
FURTHER = ("entry_mm", "tip_mm", "bone", "side", "on", "automatic", IN_SET)


@dataclass(frozen=True, eq=False)
class Measured:
    """A drawn path, measured.

    Args:
        path: With the planner's own warning codes.
        own: What the planner warns of on such a path.
        by_hand: What is warned of besides, because somebody drew it.
    """

    path: Path
    own: tuple[Notice, ...]
    by_hand: tuple[Notice, ...] = ()


class PathBench(Bench):
    """Paths through pedicles, one a side of a vertebra.

    Args:
        case: With its volume.
        diameters_mm: Smallest, largest and step of the instruments.
        length_step_mm: Of a spin button.
    """

    kind = "screw"

    def __init__(
        self, case: Case, diameters_mm: tuple[float, float, float], length_step_mm: float
    ) -> None:
        if case.volume is None:
            raise PlanError("a plan can only be changed with the case's CT: plan the case again")
        self.case, self.volume = case, case.volume
        self.levels = tuple(level.name for level in case.levels)
        self._diameters, self._length_step = diameters_mm, length_step_mm
        self._ready: dict[tuple[str, str], Ready] = {}

    @abstractmethod
    def limits_of(self, plan: Plan, bone: str, pedicle: Landmark) -> PathLimits:
        """What a path through a pedicle may do."""

    @abstractmethod
    def measured(self, plan: Plan, drawn: Drawn, site: Site) -> Measured:
        """Measure a drawn path, which takes the place of ``site``."""

    @abstractmethod
    def finished(self, plan: Plan) -> Plan:
        """Make anew what depends on several paths: measurements, and warnings of the whole."""

    def items(self, plan: Plan) -> tuple[Item, ...]:
        """Every path of the bench's kind and every pedicle without one."""
        sites: list[Site] = [*self._own(plan), *plan.skipped]
        return tuple(self._item(site) for site in sites)

    def changed(self, plan: Plan, item: str, change: Mapping[str, Any]) -> Plan:
        """Change one path; see ``Bench``."""
        site = site_of(plan, item)
        if isinstance(site, Path) and site.kind != self.kind:
            raise PlanError(f"{item} follows the other paths and can't be changed itself")
        wish = asked(item, change, self._fields(None), FURTHER)
        if wish.get("automatic"):
            return self._back(plan, site)
        if wish.get("on") is False:
            if isinstance(site, Skipped):
                raise PlanError(f"{item} has no path that could be left out")
            return self._with(plan, switched_off(site), ())
        place = wish.get("bone", site.bone), wish.get("side", site.side)
        if place != (site.bone, site.side):
            return self._moved(plan, site, place, wish)
        return self._drawn(plan, site, wish)

    def prepare(self, plan: Plan) -> Iterator[str]:
        """Make every pedicle ready that has a path, then those that have none."""
        sites: list[Site] = [*self._own(plan), *plan.skipped]
        for site in sites:
            try:
                self.ready(plan, site.bone, site.side)
            except GuidegenError:
                continue
            yield site.name

    def ready(self, plan: Plan, bone: str, side: str) -> Ready:
        """A pedicle made ready; the first time takes about half a second.

        Raises:
            PlanError: The case has no such pedicle.
        """
        key = bone, side
        if key not in self._ready:
            self._ready[key] = self._make_ready(plan, bone, side)
        return self._ready[key]

    def require_place(self, plan: Plan, bone: str, side: str) -> None:
        """Make sure that a path can stand at a pedicle.

        Raises:
            PlanError: It can't.
        """
        self.ready(plan, bone, side)

    def own_axis(self, plan: Plan, site: Site) -> tuple[Floats, Floats]:
        """Entry and tip of a path along a pedicle's own axis.

        Raises:
            PlanError: There is none to start from.
        """
        return own_axis(self.ready(plan, site.bone, site.side))

    def entered(self, plan: Plan, drawn: Drawn) -> Floats:
        """Where a drawn path goes into the bone, (3,).

        Raises:
            PlanError: It does not.
        """
        return entered(self.ready(plan, drawn.bone, drawn.side), drawn.entry_mm, drawn.tip_mm)

    def marks(self, bone: str) -> Landmarks:
        """Landmarks of a vertebra.

        Raises:
            PlanError: The case has none.
        """
        for found in self.case.landmarks:
            if found.bone == bone and bone != SKIN:
                return found
        names = ", ".join(m.bone for m in self.case.landmarks)
        raise PlanError(f"{bone!r:.40} is not among the planned levels; there are: {names}")

    def width(self, site: Site) -> tuple[float, float]:
        """Widest half-maximum corridor of a pedicle and its spread, as the planner found them."""
        kept = automatic_of(site)
        wide = kept.get("half_maximum_corridor_mm") or kept.get("corridor_diameter_mm")
        return float(wide or 0.0), float(kept.get("corridor_spread_mm") or 0.0)

    def _make_ready(self, plan: Plan, bone: str, side: str) -> Ready:
        marks = self.marks(bone)
        sign = next((one for one in SIDES if one[0] == side), None)
        if sign is None or f"pedicle_{side}" not in marks:
            raise PlanError(f"{bone} has no {side} pedicle that a path could run through")
        site = case_site(self.case, bone, VIEW_MM)
        to_bone = marks.patient_from_bone.inverse
        near = [to_bone.points(other.vertices_mm) for other in site.neighbours]
        others = np.concatenate(near) if near else np.zeros((0, 3))
        limits = self.limits_of(plan, bone, marks[f"pedicle_{side}"])
        return make_ready(site.volume, site.bone, others, marks, sign, limits)

    def _own(self, plan: Plan) -> list[Path]:
        return [path for path in plan.paths if path.kind == self.kind]

    def _item(self, site: Site) -> Item:
        on = isinstance(site, Path)
        places = tuple(
            (marks.bone, side)
            for marks in self.case.landmarks
            for side, _ in SIDES
            if f"pedicle_{side}" in marks
        )
        here = (site.bone, site.side)
        return Item(
            site.name,
            "path",
            site.bone,
            self._fields(site),
            on=on,
            can_switch=on or here in places,
            edited=is_edited(site),
            places=tuple(place for place in places if on and place != here),
        )

    def _fields(self, site: Site | None) -> tuple[Field, ...]:
        path = site if isinstance(site, Path) else None
        low, high, step = self._diameters
        rows = (
            ("diameter_mm", "diameter", "mm", low, high, step),
            ("length_mm", "length", "mm", 10.0, 200.0, self._length_step),
            ("axial_angle_deg", "axial angle", "deg", -75.0, 75.0, 1.0),
            ("sagittal_angle_deg", "sagittal angle", "deg", -75.0, 75.0, 1.0),
        )
        return tuple(
            Field(name, label, unit, getattr(path, name, None), least, most, by)
            for name, label, unit, least, most, by in rows
        )

    def _drawn(self, plan: Plan, site: Site, wish: Mapping[str, Any]) -> Plan:
        before = drawn_again(site)
        if before is None:
            before = self._start(plan, site, wish)
        frame = self.marks(site.bone).patient_from_bone
        drawn = redrawn(before, wish, frame)
        entry_mm = self.entered(plan, drawn)
        return self._put(plan, site, at_length(drawn, entry_mm, wish, self._fields(None)))

    def _start(self, plan: Plan, site: Site, wish: Mapping[str, Any]) -> Drawn:
        """Where a path starts that there was none of: as drawn, or along the pedicle's axis."""
        if "entry_mm" in wish and "tip_mm" in wish:
            ends = wish["entry_mm"], wish["tip_mm"]
        else:
            ends = self.own_axis(plan, site)
        return Drawn(site.name, site.bone, site.side, *ends, self._diameters[0])

    def _moved(
        self, plan: Plan, site: Site, place: tuple[str, str], wish: Mapping[str, Any]
    ) -> Plan:
        """Move a path to another pedicle: to its automatic path, else to its own axis."""
        if isinstance(site, Skipped):
            raise PlanError(f"{site.name} has no path that could be moved: switch it on instead")
        bone, side = place
        self.require_place(plan, bone, side)
        target = _place_of(plan, bone, side)
        if isinstance(target, Path):
            raise PlanError(f"{bone} {side} has a path already: leave that one out first")
        planned = automatic_path(target)
        start = self._start(plan, target, wish) if planned is None else Drawn.of(planned)
        start = replace(start, diameter_mm=min(site.diameter_mm, start.diameter_mm))
        frame = self.marks(bone).patient_from_bone
        plan = self._put(plan, target, redrawn(start, wish, frame))
        return self._with(plan, switched_off(site), ())

    def _back(self, plan: Plan, site: Site) -> Plan:
        """Make a site what the automatic plan made of it."""
        before = automatic_path(site)
        if before is None:
            return self._without(plan, automatic_skipped(site))
        return self._put(plan, site, Drawn.of(before))

    def _put(self, plan: Plan, site: Site, drawn: Drawn) -> Plan:
        """Measure a path and put it in a site's place."""
        found = self.measured(plan, drawn, site)
        path = marked(found.path, site)
        if not is_edited(path):
            return self._with(plan, path, found.own)
        notices = (edited_notice(path), *found.own, *found.by_hand)
        codes = tuple(dict.fromkeys((*path.warnings, *(n.code for n in notices))))
        return self._with(plan, replace(path, warnings=codes), notices)

    def _without(self, plan: Plan, site: Skipped) -> Plan:
        """Take a path out that the automatic plan did not have."""
        if site.code == NOT_ASKED:
            return self.finished(with_sites(plan, (site.name,), (), self.levels))
        return self._with(plan, site, ())

    def _with(self, plan: Plan, new: Site, notices: Sequence[Notice]) -> Plan:
        if isinstance(new, Skipped) and is_edited(new):
            notices = (edited_notice(new),)
        plan = with_sites(plan, (new.name,), (new,), self.levels)
        kept = {(n.code, n.subject): n for n in notices}
        return self.finished(replace(plan, warnings=(*plan.warnings, *kept.values())))


def still_unplanned(plan: Plan, what: str) -> Iterator[Notice]:
    """Levels that the planner could not plan and that have no path now; each is said again."""
    planned = {path.bone for path in plan.paths}
    told = {}
    for site in plan.skipped:
        before = automatic_of(site)
        if site.bone not in planned and before.get("code") in UNPLANNED:
            told[site.bone] = str(before.get("message", ""))
    yield from (unplanned_notice(bone, what, why) for bone, why in told.items())


def _place_of(plan: Plan, bone: str, side: str) -> Site:
    """The site at a pedicle, also where the plan says nothing of it."""
    name = f"{bone}_{side}"
    if name in [p.name for p in plan.paths] + [s.name for s in plan.skipped]:
        return site_of(plan, name)
    return Skipped(name, bone, side, NOT_ASKED, None, "no path was asked for here")
