"""What was measured on every part, the failures first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from guidegen.model.case import Case
from guidegen.model.findings import Finding
from guidegen.report.section import Section
from guidegen.report.wording import number, plain

SENSES = {"at_least": "≥", "at_most": "≤", "equal": "="}
UNITS = {"mm2": "mm²", "mm3": "mm³", "deg": "°", "count": "", "bool": ""}


def checks_section(case: Case) -> Section | None:
    """All findings by part; None before anything was checked."""
    if case.checks is None:
        return None
    parts: dict[str, list[Mapping[str, Any]]] = {}
    for finding in case.checks.findings:
        parts.setdefault(finding.subject.split("#")[0], []).append(_row(finding))
    sources = {f.code: f.reference for f in case.checks.findings if f.reference}
    content = {
        "passed": case.checks.passed,
        "parts": [
            {"file": file, "rows": rows, "failed": sum(not row["passed"] for row in rows)}
            for file, rows in parts.items()
        ],
        "failed": [_row(f) for f in case.checks.findings if not f.passed],
        "count": len(case.checks.findings),
        "sources": [(plain(code), source) for code, source in sources.items()],
    }
    return Section("checks", "Checks", "checks.html.j2", content, new_page=True)


def _row(finding: Finding) -> Mapping[str, Any]:
    digits = 0 if finding.unit in ("count", "bool") else (2 if abs(finding.limit) < 100 else 0)
    file, _, item = finding.subject.partition("#")
    return {
        "code": plain(finding.code),
        "file": file,
        "item": plain(item),
        "value": number(finding.value, digits),
        "limit": f"{SENSES[finding.sense]} {number(finding.limit, digits)}",
        "unit": UNITS.get(finding.unit, finding.unit),
        "passed": finding.passed,
        "reason": finding.reason,
    }
