"""What came of one case, and whether that is what was expected."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from guidegen.batch.cases import BatchCase
from guidegen.batch.facts import Facts
from guidegen.batch.limits import Error
from guidegen.export.atomic import write_json

SCHEMA = "guidegen.result/1"
DONE, REFUSED, FAILED = "done", "refused", "check failed"
CRASHED, LATE, MEMORY, KILLED = "crashed", "timed out", "out of memory", "killed"
NOT_RUN = "not run"
OUTCOMES = (DONE, REFUSED, FAILED, CRASHED, LATE, MEMORY, KILLED, NOT_RUN)
BROKEN_OFF = (CRASHED, LATE, MEMORY, KILLED, NOT_RUN)
"""Outcomes of a case that did not come to an answer of its own."""


@dataclass(frozen=True)
class Result:
    """What came of one case.

    Args:
        name: The case.
        key: Of its inputs, options, settings and program.
        outcome: ``done``, ``refused``, ``check failed``, ``crashed``, ``timed out``,
            ``out of memory``, ``killed`` or ``not run``.
        exit: The command's exit code; None where it did not come to its end.
        reason: In one sentence why it is not done.
        seconds: From making or reading the scan to the report.
        peak_mb: Most memory that its processes held at once.
        facts: Of the plan and its parts; see ``facts.facts_of``.
        errors: Against the truth of a phantom.
    """

    name: str
    key: str
    outcome: str
    exit: int | None = None
    reason: str = ""
    seconds: float = 0.0
    peak_mb: float = 0.0
    facts: Mapping[str, Any] = field(default_factory=dict)
    errors: tuple[Error, ...] = ()

    @property
    def broken_off(self) -> bool:
        """True if the case did not come to an answer of its own."""
        return self.outcome in BROKEN_OFF


@dataclass(frozen=True)
class Row:
    """A case, what came of it, and whether that was so before this run.

    Args:
        case: The case.
        result: What came of it.
        kept: It was finished in an earlier run with the same inputs and program.
        surprises: What is not as expected, in words.
    """

    case: BatchCase
    result: Result
    kept: bool
    surprises: tuple[str, ...]

    @property
    def as_expected(self) -> bool:
        """True if nothing is a surprise."""
        return not self.surprises


def surprises(case: BatchCase, result: Result) -> tuple[str, ...]:
    """List in words what is not as expected; nothing is, where the list is empty."""
    return tuple(_surprises(case, result))


def is_silent(result: Result) -> bool:
    """True if a case passed its checks and is farther from the truth than it may be."""
    return result.outcome == DONE and any(not error.within for error in result.errors)


def _surprises(case: BatchCase, result: Result) -> Iterator[str]:
    expect = case.expect
    wanted = expect.exit if expect else 0
    if result.broken_off:
        yield result.outcome
        return
    if result.exit != wanted:
        yield f"exit {result.exit}, wanted {wanted}"
    for error in result.errors:
        if not error.within:
            yield _off(error)
    if expect is None or result.exit != wanted:
        return
    if expect.message and expect.message.lower() not in result.reason.lower():
        yield f"the sentence does not say “{expect.message}”"
    if result.outcome != REFUSED:
        yield from _unexpected_warnings(expect, result.facts)


def _off(error: Error) -> str:
    what = f"{error.quantity.replace('_', ' ')} of {error.subject}"
    if math.isnan(error.value):
        return f"{what} is missing"
    return f"{what} off by {abs(error.value):.2f} {error.unit}, limit {error.limit:g}"


def _unexpected_warnings(expect: Any, facts: Mapping[str, Any]) -> Iterator[str]:
    given, red = set(facts.get("warnings", ())), set(facts.get("red", ()))
    for code in dict.fromkeys((*expect.warnings, *expect.red)):
        if code not in given:
            yield f"no warning {code}"
    for code in sorted(red - set(expect.red)):
        yield f"red warning {code}"
    for code in sorted(set(expect.red) & given - red):
        yield f"warning {code} is not red"
    skipped, wanted = set(facts.get("skipped", ())), set(expect.skipped)
    if expect.skipped and skipped != wanted:
        yield f"skipped {', '.join(sorted(skipped)) or 'none'}, wanted {', '.join(sorted(wanted))}"


def write_result(path: Path, result: Result) -> None:
    """Write a result as JSON, whole or not at all."""
    write_json(path, {"schema": SCHEMA, **asdict(result)})


def read_result(path: Path) -> Result | None:
    """Read a result back; None where there is none or it is damaged: then the case runs again."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        if told.pop("schema") != SCHEMA or told["outcome"] not in OUTCOMES:
            return None
        for error in told["errors"]:
            error["value"] = math.nan if error["value"] is None else error["value"]
        result = _RESULT.validate_python(told)
        if result.facts:
            Facts.model_validate(result.facts)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return result


_RESULT = TypeAdapter(Result)
