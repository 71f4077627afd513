"""Golden plans: the numbers of plan.json, rounded, and how a new plan differs from them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("golden")
KEPT = (
    *("entry_mm", "tip_mm", "diameter_mm", "length_mm", "pilot_diameter_mm"),
    *("corridor_diameter_mm", "clearance_mm", "half_maximum_corridor_mm", "breach_mm"),
    *("axial_angle_deg", "sagittal_angle_deg", "mean_hu", "entry_to_midline_mm"),
    *("skin_to_bone_mm", "skin_to_tip_mm", "skin_to_midline_mm"),
    *("medial_inclination_deg", "cranial_caudal_deg"),
    *("grade", "breach_wall", "route", "warnings"),
)
MEASURED = ("height_", "compression_", "local_kyphosis_", "body_volume_")
MEASURED += ("HKA_", "FTA_", "FFC_", "LFC_", "FTC_", "LTC_", "femoral_", "resection_", "size_")
DIGITS = {"mm": 2, "deg": 2, "hu": 0}
LEAST = {"mm": 0.015, "deg": 0.015, "hu": 1.5, "1": 0.0015, "mL": 0.015}
"""Numbers differ where they differ by more: a last digit may round otherwise elsewhere."""


def unit_of(name: str) -> str:
    """``mm``, ``deg`` or ``hu``, from a key such as ``tip_mm[1]``."""
    return name.split("[")[0].rsplit("_", 1)[-1]


def rounded(name: str, value: Any) -> Any:
    """Round numbers by the unit in their name; no negative zero."""
    if isinstance(value, list):
        return [rounded(name, item) for item in value]
    if isinstance(value, float):
        return round(value, DIGITS.get(unit_of(name), 3)) + 0.0
    return value


def numbers(plan: dict[str, Any]) -> dict[str, Any]:
    """Take from plan.json what a change of the program may not move unnoticed."""
    found = {f"{m['name']}_{m['unit']}": m["value"] for m in plan["measurements"]}
    measured = {n: rounded(n, value) for n, value in found.items() if n.startswith(MEASURED)}
    return {
        "paths": {
            path["name"]: {key: rounded(key, path[key]) for key in KEPT if key in path}
            for path in plan["paths"]
        },
        "skipped": {
            item["name"]: {
                "code": item["code"],
                "corridor_diameter_mm": rounded("corridor_mm", item["corridor_diameter_mm"]),
            }
            for item in plan["skipped"]
        },
        "warnings": sorted(f"{w['code']} {w['subject']}" for w in plan["warnings"]),
        **({"measurements": measured} if measured else {}),
        **({"cuts": _cuts(plan)} if plan.get("cuts") else {}),
    }


def _cuts(plan: dict[str, Any]) -> dict[str, Any]:
    """Each cut's place (mm) and normal."""
    return {
        cut["name"]: {
            "origin_mm": rounded("origin_mm", cut["origin_mm"]),
            "normal": [round(float(n), 4) + 0.0 for n in cut["normal"]],
        }
        for cut in plan["cuts"]
    }


def flat(value: Any, name: str = "") -> dict[str, Any]:
    """Every single value with its way: ``paths L3_left entry_mm[0]``."""
    if isinstance(value, dict):
        parts = [flat(v, f"{name} {k}".strip()) for k, v in value.items()]
    elif isinstance(value, list):
        parts = [flat(v, f"{name}[{n}]") for n, v in enumerate(value)]
    else:
        return {name: value}
    return {key: item for part in parts for key, item in part.items()}


def same(name: str, old: Any, new: Any) -> bool:
    """Tell whether two values are the same but for their last digit."""
    if isinstance(old, (int, float)) and isinstance(new, (int, float)):
        return abs(new - old) <= LEAST.get(unit_of(name), 0.0)
    return bool(old == new)


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """One line for each value that differs, is gone or is new, in order."""
    was, now = flat(old), flat(new)
    lines = []
    for name in [*was, *(n for n in now if n not in was)]:
        if name not in now:
            lines.append(f"{name}: was {was[name]}, is gone")
        elif name not in was:
            lines.append(f"{name}: is new, {now[name]}")
        elif not same(name, was[name], now[name]):
            by = ""
            if isinstance(was[name], (int, float)) and isinstance(now[name], (int, float)):
                by = f" ({now[name] - was[name]:+.2f})"
            lines.append(f"{name}: was {was[name]}, is {now[name]}{by}")
    return lines


def read(name: str) -> dict[str, Any] | None:
    """The golden numbers of a case; None if there are none yet."""
    path = FOLDER / f"{name}.json"
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None


def write(name: str, values: dict[str, Any]) -> None:
    """Rewrite the golden numbers of a case."""
    FOLDER.mkdir(exist_ok=True)
    text = json.dumps(values, indent=1) + "\n"
    (FOLDER / f"{name}.json").write_text(text, encoding="utf-8", newline="\n")
