"""Cuts and pins of a knee changed by hand, measured as the planner measures its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from guidegen.errors import PlanError
from guidegen.model.case import Case
from guidegen.model.notice import Notice
from guidegen.model.plan import Cut, Path, Plan
from guidegen.model.saw_cuts import ANATOMICAL_AXIS
from guidegen.planning.given_pins import PinBone
from guidegen.planning.pins import plan_pins
from guidegen.procedures.bench import EDITED, Bench, Field, Item
from guidegen.procedures.drawn import asked
from guidegen.procedures.edits import is_edited
from guidegen.procedures.knee.cuts import Cutting
from guidegen.procedures.knee.pins import (
    PIN_FURTHER,
    PinMeter,
    changed_pin,
    pin_fields,
    pin_notices,
)
from guidegen.procedures.knee.plan import doubts, leg_measurements, planes_of, unpinned
from guidegen.procedures.knee.settings import KneeSettings
from guidegen.procedures.knee.targets import (
    make_cut,
    marked_cut,
    of_plane,
    same_targets,
    set_targets,
    side_of,
    target_fields,
    targets_of,
)
from guidegen.procedures.vertebrae import attempt

WAITING = "pins_wait"
"""Code of the red notice that a bone's pins belong to its cut before the last change."""
CUT_FURTHER = ("origin_mm", "normal", "automatic")
_OF_CUTS = (
    *("implausible_hka", "bent_knee", "implausible_flexion", "implausible_joint"),
    *("implausible_twist", "implausible_size", "no_lateral_malleolus", "no_medial_sulcus"),
    *("no_trochlear_groove", "no_anterior_cortex", "notching", "part_uncut", "posterior_uncut"),
)


class KneeBench(Bench):
    """Cuts of femur and tibia by their targets, and pins.

    Args:
        case: With bones and landmarks.
        settings: Of the procedure.
    """

    def __init__(self, case: Case, settings: KneeSettings) -> None:
        self._bones = {bone.name: bone for bone in case.bones}
        self._marks = {marks.bone: marks for marks in case.landmarks}
        self._settings = settings
        self._ready: dict[str, PinBone] = {}
        self._meters: dict[tuple[str, bytes], PinMeter] = {}

    def items(self, plan: Plan) -> tuple[Item, ...]:
        """The cuts, then the pins."""
        waiting = _waiting(plan)
        cuts = tuple(
            Item(
                cut.name,
                "cut",
                cut.bone,
                self._fields(plan, cut),
                edited=is_edited(cut),
            )
            for cut in plan.cuts
        )
        pins = tuple(
            Item(
                pin.name,
                "path",
                pin.bone,
                pin_fields(pin),
                edited=is_edited(pin),
                waiting=pin.bone in waiting,
            )
            for pin in plan.paths
        )
        return (*cuts, *pins)

    def changed(self, plan: Plan, item: str, change: Mapping[str, Any]) -> Plan:
        """Change a cut or a pin; see ``Bench``.

        A changed cut's pins wait for ``settle``, which takes a second or two; until then a red
        notice says so.
        """
        for cut in plan.cuts:
            if cut.name == item:
                return self._with_cut(plan, cut, change)
        for pin in plan.paths:
            if pin.name == item:
                return self._with_pin(plan, pin, change)
        names = ", ".join([c.name for c in plan.cuts] + [p.name for p in plan.paths]) or "none"
        raise PlanError(f"the plan has no cut or pin {item!r:.60}; there are: {names}")

    def settle(self, plan: Plan) -> Plan:
        """Place the pins of changed cuts anew; those drawn by hand stay and are measured anew."""
        for bone in _waiting(plan):
            plan = self._pinned(plan, bone)
        return plan

    def _cut_of(self, plan: Plan, bone: str) -> Cut:
        for cut in plan.cuts:
            if cut.bone == bone and bone in self._bones and bone in self._marks:
                return cut
        raise PlanError(f"{bone} has no cut, surface or landmarks: plan the case again")

    def _meter(self, plan: Plan, bone: str) -> PinMeter:
        """What measures pins on a bone as it is cut now."""
        cut = self._cut_of(plan, bone)
        key = bone, np.concatenate([cut.origin_mm, cut.normal]).tobytes()
        found = self._meters.get(key)  # more than one thread may ask: no look twice
        if found is None:
            if bone not in self._ready:
                self._ready[bone] = PinBone.of(self._bones[bone], self._marks[bone])
            found = PinMeter(self._ready[bone], cut, self._settings.guide)
            others = {old: m for old, m in self._meters.items() if old[0] != bone}
            self._meters = {**others, key: found}
        return found

    def _fields(self, plan: Plan, cut: Cut) -> tuple[Field, ...]:
        values = targets_of(cut, self._settings)
        if cut.bone.startswith("femur") and "rotation_deg" not in values:
            name = f"femoral_rotation_to_PCA_{side_of(cut.bone)}"
            turned = [m.value for m in plan.measurements if m.name == name]
            if turned:
                values["rotation_deg"] = turned[0]
        return target_fields(cut.bone, values, self._settings)

    def _with_cut(self, plan: Plan, cut: Cut, change: Mapping[str, Any]) -> Plan:
        self._cut_of(plan, cut.bone)
        before = targets_of(cut, self._settings)
        wanted = self._wanted(plan, cut, change, before)
        if same_targets(wanted, before):
            return plan
        return self._cut_anew(plan, cut.bone, wanted)

    def _wanted(
        self, plan: Plan, cut: Cut, change: Mapping[str, Any], before: Mapping[str, float]
    ) -> Mapping[str, float]:
        """The targets that a change asks for."""
        fields = self._fields(plan, cut)
        wish = asked(cut.name, change, fields, CUT_FURTHER)
        if wish.pop("automatic", False):
            return set_targets(cut.bone, self._settings)
        plane = wish.pop("origin_mm", None), wish.pop("normal", None)
        if plane[0] is None and plane[1] is None:
            return {**before, **wish}
        if plane[0] is None or plane[1] is None:
            raise PlanError(f"{cut.name}: a plane wants both origin_mm and normal")
        bone, marks = self._bones[cut.bone], self._marks[cut.bone]
        found = of_plane(bone, marks, (plane[0], plane[1]), before, self._settings)
        named = {field.name for field in fields}
        return asked(cut.name, {k: v for k, v in found.items() if k in named}, fields, ())

    def _cut_anew(self, plan: Plan, bone: str, wanted: Mapping[str, float]) -> Plan:
        """Cut one bone by its targets, and measure its leg anew."""
        side = side_of(bone)
        cuttings: dict[str, Cutting] = {}
        for cut in plan.cuts:
            if side_of(cut.bone) == side:
                own = wanted if cut.bone == bone else targets_of(cut, self._settings)
                parts = self._bones[cut.bone], self._marks[cut.bone]
                cuttings[cut.bone] = make_cut(*parts, own, self._settings)
        new = marked_cut(cuttings[bone], wanted, self._settings)
        plan = replace(
            plan,
            cuts=tuple(new if cut.bone == bone else cut for cut in plan.cuts),
            extra={
                **plan.extra,
                "planes": {**plan.extra.get("planes", {}), **planes_of({bone: cuttings[bone]})},
            },
        )
        plan = _told(plan, (new.name,), (WAITING,), bone, (*_cut_notices(new), _wait(bone)))
        return _measured_anew(plan, side, cuttings, self._marks)

    def _with_pin(self, plan: Plan, pin: Path, change: Mapping[str, Any]) -> Plan:
        wish = asked(pin.name, change, pin_fields(pin), PIN_FURTHER)
        new = changed_pin(pin, wish, self._meter(plan, pin.bone))
        paths = tuple(new if path.name == pin.name else path for path in plan.paths)
        return self._judged(replace(plan, paths=paths), pin.bone)

    def _pinned(self, plan: Plan, bone: str) -> Plan:
        cut = self._cut_of(plan, bone)
        parts = self._bones[bone], self._marks[bone]
        found = attempt(bone, partial(plan_pins, *parts, cut, self._settings.guide))
        old = {path.name: path for path in plan.paths if path.bone == bone}
        if isinstance(found, str):
            pins = tuple(pin for pin in old.values() if is_edited(pin))
        else:
            meter = self._meter(plan, bone)
            pins = tuple(_kept(pin, old.get(pin.name), meter) for pin in found)
        others = [path for path in plan.paths if path.bone != bone]
        order = {one.bone: n for n, one in enumerate(plan.cuts)}
        paths = sorted([*others, *pins], key=lambda path: order.get(path.bone, len(order)))
        plan = replace(plan, paths=tuple(paths))
        told = tuple(unpinned({bone: found})) if isinstance(found, str) else ()
        plan = _told(plan, tuple(old), (WAITING, "no_pins"), bone, told)
        return self._judged(plan, bone)

    def _judged(self, plan: Plan, bone: str) -> Plan:
        """Say anew what is to be said of a bone's drawn pins."""
        pins = [path for path in plan.paths if path.bone == bone]
        told = tuple(pin_notices(pins, self._meter(plan, bone)))
        names = tuple(pin.name for pin in pins)
        return _told(plan, names, ("pins_not_parallel", "pins_unlike_block"), bone, told)


def _kept(automatic: Path, old: Path | None, meter: PinMeter) -> Path:
    """A pin that was drawn by hand, measured on the new cut; else the automatic one."""
    if old is None or not is_edited(old):
        return automatic
    return changed_pin(automatic, {"entry_mm": old.entry_mm, "tip_mm": old.tip_mm}, meter)


def _waiting(plan: Plan) -> tuple[str, ...]:
    return tuple(notice.subject for notice in plan.warnings if notice.code == WAITING)


def _wait(bone: str) -> Notice:
    text = (
        f"{bone.replace('_', ' ')}: the pins belong to the cut before its last change: wait until "
        "they are placed anew, or plan the case again"
    )
    return Notice(WAITING, text, bone, red=True)


def _told(
    plan: Plan,
    subjects: Sequence[str],
    codes: Sequence[str],
    bone: str,
    new: Iterable[Notice],
) -> Plan:
    """Replace all that is said of some items, and some codes of a bone."""
    kept = [
        notice
        for notice in plan.warnings
        if notice.subject not in subjects and not (notice.subject == bone and notice.code in codes)
    ]
    return replace(plan, warnings=(*kept, *new))


def _measured_anew(
    plan: Plan, side: str, cuttings: Mapping[str, Cutting], marks: Mapping[str, Any]
) -> Plan:
    """Angles, resections, sizes and doubts of one leg."""
    shafted = {n.subject for n in plan.warnings if n.code == ANATOMICAL_AXIS}
    new = leg_measurements(side, marks, cuttings, shafted)
    names = {item.name for item in new}
    kept = [item for item in plan.measurements if item.name not in names]
    first = next((n for n, m in enumerate(plan.measurements) if m.name in names), len(kept))
    subjects = {f"leg_{side}", *cuttings, *(own.cut.name for own in cuttings.values())}
    warnings = [
        notice
        for notice in plan.warnings
        if not (notice.code in _OF_CUTS and notice.subject in subjects)
    ]
    return replace(
        plan,
        measurements=(*kept[:first], *new, *kept[first:]),
        warnings=(*warnings, *doubts(cuttings, {n: m for n, m in marks.items() if n in cuttings})),
    )


def _cut_notices(cut: Cut) -> Iterator[Notice]:
    """What of a cut was changed by hand."""
    if not is_edited(cut):
        return
    name, before = cut.name.replace("_", " "), cut.extra["automatic"]
    changes = [
        f"{target.rpartition('_')[0]} {cut.extra[target]:.1f} (automatic {value:.1f})"
        for target, value in before.items()
        if abs(cut.extra[target] - value) > 1e-6
    ]
    changes += [f"{t.rpartition('_')[0]} {cut.extra[t]:.1f}" for t in cut.extra
                if t not in before and t.endswith("_deg")]  # fmt: skip
    yield Notice(EDITED, f"{name}: changed by hand: {', '.join(changes)}", cut.name)
