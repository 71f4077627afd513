"""What a case folder says about its plan and parts, in numbers that fit a row."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from guidegen.export.folder import CaseFolder


class Facts(BaseModel):
    """What is kept of a plan and its parts; see ``facts_of``."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)

    bones: list[str]
    warnings: list[str]
    red: list[str]
    skipped: list[str]
    grades: dict[str, str]
    clearances_mm: dict[str, float]
    measurements: dict[str, float | None]
    n_checks: int
    failed: list[str]
    parts: list[str]


def facts_of(folder: CaseFolder) -> dict[str, Any]:
    """Gather what the summary shows of a case.

    Args:
        folder: Planned, perhaps built.

    Returns:
        ``bones``, ``warnings`` and ``red`` (codes), ``skipped``, ``grades`` and
        ``clearances_mm`` by path, ``measurements`` by name, ``n_checks``, ``failed`` (code and
        part) and ``parts`` (files); empty where there is no plan.
    """
    plan, checks = read_json(folder.plan), read_json(folder.checks)
    if not plan:
        return {}
    paths = plan.get("paths", [])
    warnings = plan.get("warnings", [])
    return {
        "bones": [bone["name"] for bone in plan.get("bones", [])],
        "warnings": sorted({item["code"] for item in warnings}),
        "red": sorted({item["code"] for item in warnings if item.get("red")}),
        "skipped": [item["name"] for item in plan.get("skipped", [])],
        "grades": {p["name"]: p["grade"] for p in paths if p.get("grade")},
        "clearances_mm": {
            p["name"]: p["clearance_mm"] for p in paths if p.get("clearance_mm") is not None
        },
        "measurements": {m["name"]: m["value"] for m in plan.get("measurements", [])},
        "n_checks": len(checks.get("checks", [])),
        "failed": [
            f"{item['code']} {item['subject']}"
            for item in checks.get("checks", [])
            if not item["passed"]
        ],
        "parts": [
            path.relative_to(folder.root).as_posix()
            for kind in ("guides", "models")
            for path in sorted(folder.root.glob(f"{kind}/*.stl"))
        ],
    }


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; empty where there is none."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}
