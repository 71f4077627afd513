"""summary.html: which cases went wrong and why, at a glance."""

from __future__ import annotations

import base64
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from guidegen import __version__
from guidegen.batch.limits import Error
from guidegen.batch.reasons import kind_of_reason
from guidegen.batch.result import DONE, REFUSED, Row, is_silent
from guidegen.batch.strips import Strip, clearance_strips, error_strips, time_strips
from guidegen.report.pages import style_of, templates_of

PACKAGE = "guidegen.batch"

WRONG, RIGHT = "wrong", "right"


@dataclass(frozen=True)
class Shown:
    """What the page shows of one case."""

    row: Row
    tone: str
    pictures: tuple[tuple[str, str], ...]
    report: str
    log: str
    silent: bool
    worst: Error | None
    worst_value: str


def render_page(out: Path, rows: Sequence[Row]) -> str:
    """Set the summary as one HTML page that loads nothing and runs nothing.

    Args:
        out: The batch's folder; links lead to the reports and logs in it.
        rows: A row a case.

    Returns:
        The page's text; the same rows give the same page.
    """
    shown = [_shown(out, row) for row in rows]
    wrong = [item for item in shown if item.tone == WRONG]
    template = templates_of(PACKAGE).get_template("summary.html.j2")
    return template.render(
        version=__version__,
        style=style_of(PACKAGE, "summary.css"),
        cases=wrong + [item for item in shown if item.tone != WRONG],
        wrong=wrong,
        counts=_counts(shown),
        reasons=_reasons(rows),
        strips=_strips(rows),
        n_kept=sum(row.kept for row in rows),
        minutes=sum(row.result.seconds for row in rows) / 60,
    )


def _shown(out: Path, row: Row) -> Shown:
    name = row.case.name
    worst = max(row.result.errors, key=lambda e: e.share, default=None)
    report, log = out / "cases" / name / "report.html", out / "logs" / f"{name}.txt"
    return Shown(
        row,
        RIGHT if row.as_expected else WRONG,
        tuple(_pictures(out / "pictures" / name)),
        f"cases/{name}/report.html" if report.is_file() else "",
        f"logs/{name}.txt" if log.is_file() else "",
        is_silent(row.result),
        worst,
        _size_of(worst) if worst else "",
    )


def _size_of(error: Error) -> str:
    """An error's size in words."""
    missing = not math.isfinite(error.value)
    return "missing" if missing else f"{abs(error.value):.2f} {error.unit}"


def _pictures(folder: Path) -> Iterator[tuple[str, str]]:
    """Each part's name and its picture as a data URI."""
    for path in sorted(folder.glob("*.jpg")):
        data = base64.b64encode(path.read_bytes()).decode("ascii")
        yield path.stem, "data:image/jpeg;base64," + data


def _counts(shown: Sequence[Shown]) -> Mapping[str, int]:
    """The numbers at the top."""
    wrong = [item for item in shown if item.tone == WRONG]
    outcomes = Counter(item.row.result.outcome for item in shown)
    refused = sum(i.row.result.outcome == REFUSED and i.tone == RIGHT for i in shown)
    return {
        "all": len(shown),
        "wrong": len(wrong),
        "silent": sum(item.silent for item in shown),
        "done": outcomes[DONE],
        "rightly_refused": refused,
        "broken_off": sum(item.row.result.broken_off for item in shown),
    }


def _reasons(rows: Sequence[Row]) -> list[tuple[str, str, list[str], bool]]:
    """What was not done: outcome, kind of reason, the cases, and whether one is unexpected."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row.result.outcome != DONE:
            kind = kind_of_reason(row.result.reason)
            groups.setdefault((row.result.outcome, kind), []).append(row)
    found = [
        (outcome, kind, [row.case.name for row in group], any(not r.as_expected for r in group))
        for (outcome, kind), group in groups.items()
    ]
    return sorted(found, key=lambda item: (not item[3], -len(item[2]), item[0], item[1]))


def _strips(rows: Sequence[Row]) -> list[tuple[str, str, list[Strip]]]:
    """The distributions: title, what is marked, a strip each."""
    groups = (
        ("Errors against the truth, as shares of their limits", "limit", error_strips(rows)),
        ("Clearance of screws and needles in the bone, mm", "touches", clearance_strips(rows)),
        ("Seconds a case", "", time_strips(rows)),
    )
    return [group for group in groups if group[2]]
