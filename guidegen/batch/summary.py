"""summary.csv and summary.html: what came of every case."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from guidegen.batch.page import render_page
from guidegen.batch.result import Row
from guidegen.export.atomic import write_text

COLUMNS = (
    *("case", "procedure", "as_expected", "outcome", "exit", "expected_exit", "reason"),
    *("surprises", "levels", "warnings", "red_warnings", "skipped", "grades"),
    *("smallest_clearance_mm", "n_parts", "n_checks", "failed_checks"),
    *("worst_error", "worst_error_over_limit", "seconds", "peak_mb", "kept"),
)
SUMMARIES = ("summary.html", "summary.csv")
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet may take for the beginning of a formula."""


def write_summary(out: Path, rows: Sequence[Row]) -> None:
    """Write both summaries whole or not at all; the page first, so that one is not without it."""
    page, sheet = SUMMARIES
    write_text(out / page, render_page(out, rows))
    write_text(out / sheet, csv_text(rows))


def csv_text(rows: Sequence[Row]) -> str:
    """Set a row a case, with a column for the largest error of each quantity.

    Text that a spreadsheet would take for a formula gets an apostrophe in front.
    """
    quantities = sorted({f"{e.quantity}_{e.unit}" for row in rows for e in row.result.errors})
    columns = [*COLUMNS, *(f"error_{name}" for name in quantities)]
    stream = io.StringIO()
    writer = csv.DictWriter(stream, columns, lineterminator="\n", restval="")
    writer.writeheader()
    for row in rows:
        told = {**_told(row), **_errors(row)}
        writer.writerow({name: _plain(value) for name, value in told.items()})
    return stream.getvalue()


def _told(row: Row) -> dict[str, Any]:
    result, facts = row.result, row.result.facts
    expect = row.case.expect
    worst = max(result.errors, key=lambda e: e.share, default=None)
    clearances = facts.get("clearances_mm", {}).values()
    values = (
        *(row.case.name, row.case.procedure, row.as_expected, result.outcome),
        *("" if result.exit is None else result.exit, expect.exit if expect else 0),
        *(result.reason, "; ".join(row.surprises), " ".join(facts.get("bones", ()))),
        *(" ".join(facts.get("warnings", ())), " ".join(facts.get("red", ()))),
        " ".join(facts.get("skipped", ())),
        " ".join(f"{name}:{grade}" for name, grade in facts.get("grades", {}).items()),
        round(min(clearances), 2) if clearances else "",
        *(len(facts.get("parts", ())), facts.get("n_checks", 0), len(facts.get("failed", ()))),
        f"{worst.quantity} {worst.subject}" if worst else "",
        round(worst.share, 3) if worst else "",
        *(round(result.seconds, 1), round(result.peak_mb), row.kept),
    )
    return dict(zip(COLUMNS, values, strict=True))


def _errors(row: Row) -> dict[str, float]:
    largest: dict[str, float] = {}
    for error in row.result.errors:
        name = f"error_{error.quantity}_{error.unit}"
        off = abs(error.value) if math.isfinite(error.value) else math.inf
        largest[name] = max(largest.get(name, 0.0), round(off, 3))
    return largest


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) and value.startswith(FORMULA):
        return "'" + value
    return value
