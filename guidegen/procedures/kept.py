"""Changes by hand, made again on a plan that was made anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from guidegen.errors import GuidegenError, PlanError
from guidegen.model.arrays import Floats
from guidegen.model.bone import SKIN, Bone
from guidegen.model.edits import Edits
from guidegen.model.notice import Notice
from guidegen.model.plan import Cut, Path, Plan, Skipped
from guidegen.procedures.bench import Bench, Item
from guidegen.procedures.edits import kept_path

LOST = "edit_lost"
"""Code of the red notice that something changed by hand could not be kept."""
_SAME_MM = 10.0
"""A bone whose middle moved less is the same one, whatever it is called now (engineering choice:
vertebrae lie 16 mm apart or more)."""


def kept_edits(
    plan: Plan, bones: Sequence[Bone], edits: Edits, open_bench: Callable[[], Bench]
) -> Plan:
    """Make the changes of an earlier plan again, each measured on the new bones.

    Args:
        plan: The new automatic plan.
        bones: That it was made on.
        edits: The plan before.
        open_bench: Opens the case's bench; asked only where there is something to keep.

    Returns:
        The plan with what could be kept, and a red notice for each change that could not.
    """
    lost: list[Notice] = []
    if edits.plan is None:
        text = f"changes by hand, if there were any, were not kept: {edits.why}"
        lost.append(Notice(LOST, text, "plan", red=True))
    bench = open_bench() if edits.items else None
    for old in edits.items if bench is not None else ():
        assert bench is not None
        try:
            name = _new_name(old, bones, edits.centres_mm)
            for change in _changes(old, _item(bench, plan, name)):
                plan = bench.changed(plan, name, change)
        except GuidegenError as error:
            text = f"{old.name.replace('_', ' ')}: what was changed by hand was not kept: {error}"
            lost.append(Notice(LOST, text, old.name, red=True))
    if bench is not None:
        plan = bench.settle(plan)
    return replace(plan, warnings=(*plan.warnings, *lost)) if lost else plan


def _new_name(
    old: Cut | Path | Skipped, bones: Sequence[Bone], centres_mm: Mapping[str, Floats]
) -> str:
    """What an item is called on the bone that lies where its own lay."""
    found = {bone.name: bone.vertices_mm.mean(axis=0) for bone in bones if bone.name != SKIN}
    before = centres_mm.get(old.bone)
    if before is None and old.bone in found:
        return old.name
    if before is not None and found:
        away = {name: float(np.linalg.norm(centre - before)) for name, centre in found.items()}
        name = min(away, key=lambda one: away[one])
        if away[name] < _SAME_MM:
            return old.name.replace(old.bone, name)
    raise PlanError(f"no bone lies any more where {old.bone} lay; draw it anew where it is wanted")


def _item(bench: Bench, plan: Plan, name: str) -> Item:
    for item in bench.items(plan):
        if item.name == name:
            return item
    raise PlanError(f"the new plan has no {name}; draw it anew where it is wanted")


def _changes(old: Cut | Path | Skipped, item: Item) -> Iterator[Mapping[str, Any]]:
    """What has to be done to an item to make it what the old one was."""
    fields = {field.name for field in item.fields}
    if isinstance(old, Cut):
        yield {name: old.extra[name] for name in fields if name in old.extra}
        return
    path = old if isinstance(old, Path) else kept_path(old)
    drawn = path is not None and path.extra.get("edited") is True
    if path is not None and drawn:
        thick = {"diameter_mm": path.diameter_mm} if "diameter_mm" in fields else {}
        yield {"entry_mm": path.entry_mm, "tip_mm": path.tip_mm, **thick}
    if isinstance(old, Skipped) and (item.on or drawn):
        yield {"on": False}
