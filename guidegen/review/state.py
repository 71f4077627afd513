"""What the page is told of a case."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import numpy as np

from guidegen.errors import GuidegenError
from guidegen.export import history
from guidegen.export.approval import read_approval, red_warnings, require_approved, warning_key
from guidegen.export.atomic import plain
from guidegen.export.folder import CaseFolder
from guidegen.export.plan_json import plan_to_json
from guidegen.model.bone import SKIN
from guidegen.model.case import Case
from guidegen.model.notice import Notice
from guidegen.model.plan import Path, Plan
from guidegen.report.frames import isthmus_depth_mm
from guidegen.review.session import Session

RED_WEIGHT = 100
GRADE_WEIGHTS = {"A": 0, "B": 20, "C": 60, "D": 70, "E": 80}
WARNING_WEIGHT = 5
TIGHT_MM = 0.5
TIGHT_WEIGHT = 10
LATEST = 50


def state_of(session: Session, plan: Plan | None = None, work: dict[str, Any] | None = None) -> Any:
    """Lay out a case for the page.

    Args:
        session: The case.
        plan: Another plan than the one that is kept, for a change that is only tried.
        work: What is being built.

    Returns:
        What ``/api/case`` answers, in JSON's types.
    """
    tried, now = plan is not None, session.now()
    shown = now.plan if plan is None else plan
    loaded = session.loaded()
    told = plan_to_json(shown)
    return plain(
        {
            "revision": now.revision,
            "case_id": shown.case_id,
            "procedure": shown.procedure,
            "title": shown.procedure.replace("-", " "),
            "plan_sha256": None if tried else shown.extra.get("plan_sha256"),
            "approval": None if tried else approval_state(session.folder, now.settling),
            **_scene(loaded.case, shown),
            "paths": [
                {**_weighed(item, shown), "isthmus_depth_mm": _isthmus(loaded.case, path)}
                for item, path in zip(told["paths"], shown.paths, strict=True)
            ],
            "skipped": told["skipped"],
            "cuts": [_weighed(item, shown) for item in told["cuts"]],
            "planes": told.get("planes", {}),
            "measurements": told["measurements"],
            "warnings": _warnings(shown),
            "items": [asdict(item) for item in loaded.bench.items(shown)],
            "guides": _parts(session.folder, "guide"),
            "models": _parts(session.folder, "model"),
            "checks": _checks(session.folder),
            "reports": ["report.html"] if session.folder.report.is_file() else [],
            "undo": now.n_undo,
            "redo": now.n_redo,
            "work": work or {"running": False},
            "history": history.read(session.folder)[-LATEST:],
            "settling": now.settling,
            "refused": now.refused,
            "folder_changed": session.changed_outside,
            "tried": tried,
        }
    )


def planned_bones(plan: Plan) -> set[str]:
    """Bones that a path or a cut stands on."""
    return {path.bone for path in plan.paths} | {cut.bone for cut in plan.cuts}


def approval_state(folder: CaseFolder, settling: bool = False) -> dict[str, Any]:
    """Tell whether the plan is approved as it is now, by whom, and if not, why not.

    Args:
        folder: The case.
        settling: The plan that is shown is not the folder's yet, so no approval can be of it.
    """
    try:
        found = read_approval(folder)
    except GuidegenError as error:
        return {"state": "stale", "why": str(error)}
    if found is None:
        return {"state": "none", "why": "nobody has approved this plan yet"}
    told = {**vars(found), "state": "valid", "why": ""}
    if settling:
        return told | {"state": "stale", "why": "the last change is still being worked out"}
    try:
        require_approved(folder)
    except GuidegenError as error:
        told |= {"state": "stale", "why": str(error)}
    return told


def _scene(case: Case, plan: Plan) -> dict[str, Any]:
    """Bones, their frames, and where the scan lies."""
    volume = case.volume
    assert volume is not None
    planned = planned_bones(plan) | {item.bone for item in plan.skipped}
    low = np.min([bone.bounds_mm[0] for bone in case.bones], axis=0)
    high = np.max([bone.bounds_mm[1] for bone in case.bones], axis=0)
    frames = {
        marks.bone: {
            "origin_mm": marks.patient_from_bone.origin_mm,
            **dict(zip(("left", "back", "up"), marks.patient_from_bone.axes.T, strict=True)),
        }
        for marks in case.landmarks
    }
    bones = [
        {"name": bone.name, "planned": bone.name in planned, "side": bone.side}
        for bone in case.bones
        if bone.name != SKIN
    ]
    return {
        "bones": bones,
        "skin": any(bone.name == SKIN for bone in case.bones),
        "bounds_mm": [low, high],
        "centre_mm": (low + high) / 2,
        "spacing_mm": volume.grid.spacing_kji_mm[::-1],
        "frames": frames,
    }


def _isthmus(case: Case, path: Path) -> float | None:
    """Depth of the pedicle's narrowest place under a path's entry, where that is known."""
    marks = next((found for found in case.landmarks if found.bone == path.bone), None)
    if path.kind == "pin" or marks is None or f"pedicle_{path.side}" not in marks:
        return None
    return round(isthmus_depth_mm(case, path), 1)


def _weighed(item: dict[str, Any], plan: Plan) -> dict[str, Any]:
    """An item with how much it wants to be looked at: the heaviest is the worst."""
    own = [notice for notice in plan.warnings if notice.subject == item["name"]]
    weight = sum(RED_WEIGHT if notice.red else WARNING_WEIGHT for notice in own)
    weight += GRADE_WEIGHTS.get(item.get("grade") or "A", 0)
    clearance = item.get("clearance_mm")
    if clearance is not None:
        weight += TIGHT_WEIGHT * max(0.0, 1.0 - clearance / TIGHT_MM)
    edited = bool(item.get("edited"))
    return {**item, "edited": edited, "automatic": item.get("automatic"), "weight": round(weight)}


def _warnings(plan: Plan) -> list[dict[str, Any]]:
    red = {warning_key(notice) for notice in red_warnings(plan)}
    items = {path.name for path in plan.paths} | {cut.name for cut in plan.cuts}
    found = [_warning(notice, red, items) for notice in plan.warnings]
    return sorted(found, key=lambda told: (-told["weight"], told["subject"], told["code"]))


def _warning(notice: Notice, red: Iterable[str], items: Iterable[str]) -> dict[str, Any]:
    key = warning_key(notice)
    weight = (RED_WEIGHT if key in red else 0) + (WARNING_WEIGHT if notice.subject in items else 1)
    return {
        "code": notice.code,
        "message": notice.message,
        "subject": notice.subject,
        "red": key in red,
        "key": key,
        "weight": weight,
    }


def _parts(folder: CaseFolder, role: str) -> list[dict[str, Any]]:
    """The parts of a role that were exported, as the manifest has them."""
    found = [item for item in _read(folder.manifest, "files") if item.get("role") == role]
    return [
        {
            "name": item["file"].rpartition("/")[2].removesuffix(".stl"),
            "file": item["file"],
            "role": role,
            "bones": item.get("bones", []),
        }
        for item in found
        if (folder.root / item["file"]).is_file()
    ]


def _checks(folder: CaseFolder) -> list[dict[str, Any]]:
    names = ("code", "subject", "value", "limit", "sense", "unit", "passed", "reason")
    return [{name: item.get(name) for name in names} for item in _read(folder.checks, "checks")]


def _read(path: Any, key: str) -> list[dict[str, Any]]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))[key]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return found if isinstance(found, list) else []
