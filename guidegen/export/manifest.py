"""manifest.json and checks.json: what was made, and what was measured on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from guidegen.export.atomic import sha256_file, write_json
from guidegen.export.folder import CaseFolder
from guidegen.model.findings import CheckReport
from guidegen.model.guide import Feature, Guide
from guidegen.model.plan import Plan

MANIFEST_SCHEMA = "guidegen.manifest/1"
CHECKS_SCHEMA = "guidegen.checks/1"
ROLES = {
    "case.toml": "record",
    "ct.nii.gz": "ct",
    "landmarks.json": "landmarks",
    "plan.json": "plan",
    "approval.json": "approval",
    "history.json": "history",
    "checks.json": "checks",
    "report.html": "report",
    "bones/segmentation.nii.gz": "segmentation",
    "bones/segmentation.json": "segmentation",
}
FOLDER_ROLES = {"bones": "bone", "guides": "guide", "models": "model", "slicer": "slicer"}


def write_checks(folder: CaseFolder, report: CheckReport) -> None:
    """Write checks.json; a value that is not a number becomes null and has failed."""
    checks = [
        {
            "code": finding.code,
            "subject": finding.subject,
            "value": finding.value,
            "limit": finding.limit,
            "sense": finding.sense,
            "unit": finding.unit,
            "passed": finding.passed,
            "reference": finding.reference,
            **({"reason": finding.reason} if finding.reason else {}),
        }
        for finding in report.findings
    ]
    content = {"schema": CHECKS_SCHEMA, "passed": report.passed, "checks": checks}
    write_json(folder.checks, content)


def write_manifest(folder: CaseFolder, plan: Plan, guides: tuple[Guide, ...]) -> None:
    """Write manifest.json: each file with its hash and role, each guide with its record.

    The manifest itself and log.txt, which go on changing, are not in it.
    """
    records = {guide.file: guide_record(guide, plan) for guide in guides}
    files = []
    for name in case_files(folder):
        role = ROLES.get(name) or FOLDER_ROLES.get(name.split("/")[0], "other")
        entry = {"file": name, "sha256": sha256_file(folder.root / name), "role": role}
        if name.endswith(".3mf"):
            entry["role"] = "guide_3mf"
        files.append({**entry, **records.get(name, {})})
    write_json(folder.manifest, {"schema": MANIFEST_SCHEMA, "files": files})


def engravings(part: Path) -> tuple[Feature, ...]:
    """Find where a part is engraved, if it lies unchanged in a case."""
    try:
        content = json.loads((part.parent.parent / "manifest.json").read_text(encoding="utf-8"))
        for entry in content["files"]:
            if entry["file"].endswith(part.name) and entry["sha256"] == sha256_file(part):
                return tuple(
                    Feature("label", m["text"], m["centre_mm"], m["normal"], m["values"])
                    for m in entry.get("engravings", [])
                )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass  # a part on its own has no manifest: all of its surface is checked
    return ()


def case_files(folder: CaseFolder) -> list[str]:
    """The case's own files, sorted, with ``/`` between folder and name."""
    own = [name for name in ROLES if (folder.root / name).is_file()]
    for sub in FOLDER_ROLES:
        found = (folder.root / sub).glob("*")
        own += [f"{sub}/{path.name}" for path in found if _is_own(path.name) and path.is_file()]
    return sorted(set(own))


def _is_own(name: str) -> bool:
    return not name.startswith(".")


def guide_record(guide: Guide, plan: Plan) -> dict[str, Any]:
    """What the manifest says of a part beyond file, hash and role."""
    bores = [feature for feature in guide.features if feature.kind == "bore"]
    slots = [feature for feature in guide.features if feature.kind == "slot"]
    record: dict[str, Any] = {
        "role": guide.role,
        "bones": guide.bones,
        "neighbours": guide.neighbours,
        "paths": [
            {
                "name": bore.item,
                "bore_diameter_mm": bore.values.get("diameter_mm"),
                "sleeve_length_mm": bore.values.get("length_mm"),
                "sleeve_outer_mm": bore.values.get("outer_mm"),
            }
            for bore in bores
        ],
        "cuts": [
            {"name": slot.item, "slot_mm": slot.values.get("slot_mm", slot.values.get("width_mm"))}
            for slot in slots
        ],
        "insertion_direction": guide.insertion_direction,
        "fit_gap_mm": guide.fit_gap_mm,
        "contact_area_mm2": guide.contact_area_mm2,
        "label": guide.label,
        "engravings": [
            {
                "text": mark.item,
                "centre_mm": mark.point_mm,
                "normal": mark.direction,
                "values": mark.values,
            }
            for mark in guide.features
            if mark.kind == "label"
        ],
        "plan_sha256": plan.extra.get("plan_sha256"),
    }
    return record
