"""plan.json and the Plan: every key of the contract, unknown ones kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path as File
from typing import Any

from guidegen.errors import PlanError
from guidegen.export.atomic import sha256_of, write_json
from guidegen.model.notice import Notice
from guidegen.model.plan import BoneRecord, Cut, Measurement, Path, Plan, Skipped
from guidegen.model.saw_cuts import further_cuts

SCHEMA = "guidegen.plan/1"
LENGTH_TOLERANCE_MM = 0.5
UNITS = ("_mm", "_mm2", "_deg", "_hu")
IN_MEMORY = ("plan_sha256", "unattended")
_TOP = [
    *("schema", "case_id", "procedure", "frame", "input_sha256", "settings_sha256", "bones"),
    *("paths", "skipped", "cuts", "wedges", "measurements", "warnings"),
]
_PATH = [
    *("name", "bone", "kind", "side", "entry_mm", "tip_mm", "diameter_mm", "length_mm", "route"),
    *("pilot_diameter_mm", "corridor_diameter_mm", "clearance_mm", "grade", "breach_mm"),
    *("breach_wall", "skin_mm", "axial_angle_deg", "sagittal_angle_deg", "warnings"),
]
_SKIPPED = ["name", "bone", "side", "code", "corridor_diameter_mm"]
_CUT = ["name", "bone", "origin_mm", "normal", "kerf_mm"]
_WEDGE = ["name", "bone", "cranial", "caudal", "hinge_mm", "hinge_direction", "angle_deg"]


def write_plan(path: File, plan: Plan) -> str:
    """Write plan.json and return its hash, the one that an approval names."""
    return sha256_of(write_json(path, plan_to_json(plan)))


def read_plan(path: File) -> Plan:
    """Read plan.json; its hash goes into ``extra["plan_sha256"]``, in memory only.

    Raises:
        PlanError: There is none, it is not JSON, or a required key is missing.
    """
    try:
        data = path.read_bytes()
        content = json.loads(data)
    except FileNotFoundError as error:
        raise PlanError("the case has no plan.json: run 'guidegen plan CASE' first") from error
    except (OSError, ValueError) as error:
        raise PlanError(f"plan.json can't be read ({error}): plan the case again") from error
    plan = plan_from_json(content)
    return with_extra(plan, plan_sha256=sha256_of(data))


def with_extra(plan: Plan, **values: Any) -> Plan:
    """Copy the plan with further values in ``extra``."""
    own = {field.name: getattr(plan, field.name) for field in fields(plan)}
    return Plan(**{**own, "extra": {**plan.extra, **values}})


def plan_to_json(plan: Plan) -> dict[str, Any]:
    """Lay the plan out as plan.json has it."""
    extra = {key: value for key, value in plan.extra.items() if key not in IN_MEMORY}
    return {
        "schema": SCHEMA,
        "case_id": plan.case_id,
        "procedure": plan.procedure,
        "frame": {
            **extra.pop("frame", {}),
            "system": "LPS",
            "unit": "mm",
            "frame_of_reference": plan.frame_of_reference,
        },
        "input_sha256": plan.input_sha256,
        "settings_sha256": plan.settings_sha256,
        "bones": [_flat(bone) for bone in plan.bones],
        "paths": [path_to_json(path) for path in plan.paths],
        "skipped": [_flat(item) for item in plan.skipped],
        "cuts": [_flat(cut) for cut in plan.cuts],
        "wedges": [dict(wedge) for wedge in plan.wedges],
        "measurements": [_flat(item) for item in plan.measurements],
        "warnings": [_notice_to_json(notice) for notice in plan.warnings],
        **extra,
    }


def plan_from_json(content: Any) -> Plan:
    """Make the plan from what plan.json holds.

    Raises:
        PlanError: A required key is missing (named), or a value has the wrong form.
    """
    _require(content, _TOP, "plan.json")
    if content["schema"] != SCHEMA:
        raise PlanError(f"plan.json has schema {content['schema']!r}, this version reads {SCHEMA}")
    frame = content["frame"]
    _require(frame, ["system", "unit", "frame_of_reference"], "frame")
    if (frame["system"], frame["unit"]) != ("LPS", "mm"):
        raise PlanError(f"plan.json must be in LPS mm, found {frame['system']} {frame['unit']}")
    extra = {key: value for key, value in content.items() if key not in _TOP}
    for digest in _require(extra.get("files", {}), [], "files").values():
        _require_type(digest, "str", "a hash of files")
    for name, plane in _require(extra.get("planes", {}), [], "planes").items():
        _require(plane, ["point_mm", "normal"], f"planes {name}")
    further = {k: v for k, v in frame.items() if k not in ("system", "unit", "frame_of_reference")}
    for key in ("case_id", "procedure", "input_sha256", "settings_sha256"):
        _require_type(content[key], "str", key)
    _require_type(frame["frame_of_reference"], "str", "frame_of_reference")
    try:
        plan = Plan(
            case_id=content["case_id"],
            procedure=content["procedure"],
            frame_of_reference=frame["frame_of_reference"],
            input_sha256=content["input_sha256"],
            settings_sha256=content["settings_sha256"],
            bones=_items(content, "bones", BoneRecord, ["name", "file", "sha256"]),
            paths=tuple(path_from_json(item) for item in content["paths"]),
            skipped=_items(content, "skipped", Skipped, _SKIPPED),
            cuts=_items(content, "cuts", Cut, _CUT),
            wedges=tuple(_require(item, _WEDGE, "wedges") for item in content["wedges"]),
            measurements=_items(content, "measurements", Measurement, ["name", "value", "unit"]),
            warnings=tuple(_notice_from_json(item) for item in content["warnings"]),
            extra={**extra, "frame": further} if further else extra,
        )
        for bone in {cut.bone for cut in plan.cuts}:
            further_cuts(plan, bone)
        return plan
    except (TypeError, ValueError, AttributeError) as error:
        raise PlanError(f"plan.json has a value of the wrong form: {error}") from error


def path_to_json(path: Path) -> dict[str, Any]:
    """Lay a path out as plan.json has it."""
    flat = _flat(path)
    flat["length_mm"] = path.length_mm
    return {key: flat[key] for key in _PATH} | flat


def path_from_json(item: Any) -> Path:
    """Make a path from what plan.json holds of it.

    Raises:
        PlanError: A required key is missing, or a value has the wrong form.
    """
    _require(item, _PATH, "paths")
    _require_type(item["length_mm"], "float", "length_mm")
    path: Path = _make(Path, {k: v for k, v in item.items() if k != "length_mm"})
    if not abs(path.length_mm - float(item["length_mm"])) <= LENGTH_TOLERANCE_MM:
        raise PlanError(
            f"{path.name}: length_mm is {item['length_mm']} but entry and tip are "
            f"{path.length_mm:.2f} mm apart: correct one of them"
        )
    return path


def skipped_to_json(item: Skipped) -> dict[str, Any]:
    """Lay a pedicle without a path out as plan.json has it."""
    return _flat(item)


def skipped_from_json(item: Any) -> Skipped:
    """Make it from what plan.json holds of it.

    Raises:
        PlanError: A required key is missing, or a value has the wrong form.
    """
    found: Skipped = _make(Skipped, _require(item, _SKIPPED, "skipped"))
    return found


def _notice_to_json(notice: Notice) -> dict[str, Any]:
    flat = _flat(notice)
    return flat if flat.pop("red") is False else {**flat, "red": True}


def _notice_from_json(item: Any) -> Notice:
    _require(item, ["code", "message", "subject"], "warnings")
    notice: Notice = _make(Notice, item)
    return notice


def _flat(item: Any) -> dict[str, Any]:
    """Fields of a frozen type, its ``extra`` on the same floor."""
    own = {field.name: getattr(item, field.name) for field in fields(item)}
    extra = own.pop("extra", {})
    return {**own, **extra}


def _items(content: Mapping[str, Any], name: str, kind: Any, keys: list[str]) -> tuple[Any, ...]:
    return tuple(_make(kind, _require(item, keys, name)) for item in content[name])


def _make(kind: Any, item: Mapping[str, Any]) -> Any:
    """Build a frozen type; keys that it does not know go to its ``extra``."""
    known = {field.name for field in fields(kind)} - {"extra"}
    for field in fields(kind):
        if field.name in item:
            _require_type(item[field.name], str(field.type), field.name)
    for key in set(item) - known:
        if key.endswith(UNITS) and not isinstance(item[key], list):
            _require_type(item[key], "float | None", key)
    if not all(isinstance(text, str) for text in item.get("warnings", ())):
        raise PlanError("warnings of a path must be texts: correct plan.json")
    own = {k: tuple(v) if k == "warnings" else v for k, v in item.items() if k in known}
    return kind(**own, extra={k: v for k, v in item.items() if k not in known})


def _require_type(value: Any, wanted: str, name: str) -> None:
    """Raise PlanError if a value is not text, a finite number or yes/no, as its field says."""
    if value is None and "None" in wanted:
        return
    if wanted.startswith("str"):
        kind, sound = "text", isinstance(value, str)
    elif wanted.startswith("float"):
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        kind, sound = "a number", number and abs(value) < 1e12
    elif wanted == "bool":
        kind, sound = "true or false", isinstance(value, bool)
    else:
        return
    if not sound:
        raise PlanError(f"{name} must be {kind}, found {value!r:.40}: correct plan.json")


def _require(item: Any, keys: list[str], where: str) -> dict[str, Any]:
    if not isinstance(item, dict):
        raise PlanError(f"{where}: an object with keys was expected, found {type(item).__name__}")
    missing = [key for key in keys if key not in item]
    if missing:
        name = f" of {item['name']}" if "name" in item else ""
        raise PlanError(f"{where}{name}: the required key {missing[0]} is missing")
    return item
