"""The page of the phantom data set: what was expected of each case, what came of it, how exact."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from guidegen.batch.dataset import read_dataset
from guidegen.batch.limits import LIMITS, Error
from guidegen.batch.result import Row, is_silent
from guidegen.batch.run import Asking, run_batch

DATA = Path(__file__).resolve().parents[1] / "data" / "phantoms"
EXITS = {0: "parts", 1: "refused", 2: "nothing to export"}


def ran(place: Path) -> tuple[Row, ...]:
    """Run the data set, or what of it is not finished yet.

    Args:
        place: Its batch lies in ``phantoms`` under it.

    Returns:
        A row a case.
    """

    def told(text: str, share: float) -> None:
        print(f"[{share:4.0%}] {text}", file=sys.stderr, flush=True)

    return run_batch(read_dataset(DATA), Asking(place / "phantoms"), told)


def phantoms(plan: Callable[[], Sequence[Row]]) -> Iterator[str]:
    """Set the page.

    Args:
        plan: Gives the rows.

    Yields:
        Its lines.
    """
    rows = plan()
    n_right, n_silent = sum(row.as_expected for row in rows), sum(is_silent(r.result) for r in rows)
    yield "# The phantom data set"
    yield ""
    yield (
        "Every definition of [data/phantoms](../../data/phantoms/README.md), scanned, planned, "
        "built and checked by `guidegen batch`, then compared with what is known of it. "
        "`largest errors`: of each quantity the largest of the case and its limit; a case's own "
        "limit stands in its definition with the reason. Seconds are those of one processor. "
        "Not as expected, or over a limit: **bold**."
    )
    yield ""
    yield f"{n_right} of {len(rows)} as expected; {n_silent} silently wrong."
    yield ""
    head = ("case", "expected", "outcome", "largest errors", "checks passed", "seconds")
    yield "| " + " | ".join(head) + " |"
    yield "|---" * len(head) + "|"
    for row in rows:
        yield _line(row)
    yield from _quantities(rows)


def _line(row: Row) -> str:
    result, facts = row.result, row.result.facts
    outcome = result.outcome if row.as_expected else f"**{result.outcome}**"
    if not row.as_expected:
        outcome += f": {'; '.join(row.surprises)}"
    checks = ""
    if facts:
        checks = f"{facts['n_checks'] - len(facts['failed'])} of {facts['n_checks']}"
    cells = (row.case.name, _expected(row), outcome, _errors(result.errors), checks)
    return "| " + " | ".join(_cell(c) for c in (*cells, f"{result.seconds:.0f}")) + " |"


def _expected(row: Row) -> str:
    """What the definition expects, in words."""
    expect = row.case.expect
    if expect is None:
        return EXITS[0]
    text = EXITS.get(expect.exit, f"exit {expect.exit}")
    if expect.message:
        text += f": “{expect.message}”"
    for what, names in (
        ("red", expect.red),
        ("warned", sorted(set(expect.warnings) - set(expect.red))),
        ("left out", expect.skipped),
    ):
        if names:
            text += f"; {what} {', '.join(names)}"
    return text


def _errors(errors: Sequence[Error]) -> str:
    """Of each quantity the largest error and its limit."""
    worst: dict[str, Error] = {}
    for error in errors:
        known = worst.get(error.quantity)
        if known is None or error.share > known.share:
            worst[error.quantity] = error
    return ", ".join(_error(worst[name]) for name in LIMITS if name in worst)


def _error(error: Error) -> str:
    size = f"{abs(error.value):.2f}"
    value = size if error.within else f"**{size.replace('nan', 'missing')}**"
    unit = "" if error.unit == "1" else f" {error.unit}"
    return f"{error.quantity.replace('_', ' ')} {value} ({error.limit:g}{unit})"


def _quantities(rows: Sequence[Row]) -> Iterator[str]:
    """The largest error of each quantity over all cases, with its limit's reason."""
    every = [(error, row.case.name) for row in rows for error in row.result.errors]
    yield from ("", "## Quantities", "")
    yield "The error nearest to its limit, or farthest beyond it, of all cases."
    yield ""
    yield "| quantity | compared | nearest | of | the usual limit's reason |"
    yield "|---|---|---|---|---|"
    for name, (_, _, why) in LIMITS.items():
        found = [pair for pair in every if pair[0].quantity == name]
        if found:
            worst, case = max(found, key=lambda pair: pair[0].share)
            text = _error(worst).removeprefix(name.replace("_", " ")).strip()
            cells = (name.replace("_", " "), len(found), text, f"{case} {worst.subject}", why)
            yield "| " + " | ".join(_cell(str(cell)) for cell in cells) + " |"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "/").split())
