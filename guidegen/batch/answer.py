"""How a command ended, as an outcome of its case."""

from __future__ import annotations

import json
import math
import signal
from collections.abc import Mapping, Sequence
from typing import Any

from guidegen import errors as house
from guidegen.batch.process import Ended
from guidegen.batch.result import CRASHED, DONE, FAILED, KILLED, MEMORY, NOT_RUN, REFUSED

ON_PURPOSE = {name for name, kind in vars(house).items() if isinstance(kind, type)}
ON_PURPOSE |= {"OSError", "FileNotFoundError", "PermissionError"}
NO_DISK = ("the disk is full", "can't be written (")
"""What says nothing of a case but of where its files were to lie."""
FROM_OUTSIDE = ("SIGKILL", "SIGTERM", "SIGHUP", "SIGINT")
OURS = "guidegen: "


def told_by(output: str) -> dict[str, Any]:
    """Read a command's own result; empty where it printed none."""
    try:
        told = json.loads(output)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def answer_of(ended: Ended, log: str) -> tuple[str, str]:
    """Tell what came of a command from how it ended, what it printed and what it said.

    A refusal is one only if the program says so itself: a process that ends with the same code
    for another reason has crashed.

    Args:
        ended: How it ended; not at a limit.
        log: All that it said beside its result.

    Returns:
        Outcome, and the reason in one sentence ("" if it is done).
    """
    told = told_by(ended.output)
    error = told.get("error") or {}
    reason = str(error.get("message", "")) or _own_words(log)
    if ended.code == 0 and told:
        return DONE, ""
    if ended.code == 2 and "checks" in told:
        failed = [c for c in told["checks"] if not c.get("passed")]
        return FAILED, _failures(failed) if failed else _nothing_made(told)
    if error.get("type") == "MemoryError":
        return MEMORY, reason
    if error.get("type") == "KeyboardInterrupt" or _signal(ended.code) in FROM_OUTSIDE:
        return KILLED, "its process was ended from outside, or for lack of memory"
    if any(words in reason for words in NO_DISK):
        return NOT_RUN, reason
    refused = error.get("type") in ON_PURPOSE if told else bool(reason)
    if refused and ended.code in (1, 3):
        return REFUSED, reason
    return CRASHED, reason or _silent(ended.code)


def _signal(code: int) -> str:
    """Name of the signal that ended a process; "" if none did."""
    try:
        return signal.Signals(-code).name if code < 0 else ""
    except ValueError:
        return f"signal {-code}"


def _silent(code: int) -> str:
    how = f"by {_signal(code)}" if code < 0 else f"with code {code}"
    return f"its process ended {how} and did not say why; its log may"


def _own_words(log: str) -> str:
    """The last sentence of the program's own; "" where something else came last."""
    lines = log.strip().splitlines()
    last = lines[-1] if lines else ""
    return last.removeprefix(OURS) if last.startswith(OURS) else ""


def _nothing_made(told: Mapping[str, Any]) -> str:
    """Why there is no part that a check could have passed: what the plan left out first."""
    skipped = (told.get("plan") or {}).get("skipped") or [{}]
    why = skipped[0].get("message")
    return f"nothing could be made: {why}" if why else "nothing was made that could be checked"


def _failures(failed: Sequence[Mapping[str, Any]]) -> str:
    """The first failed check, and how many more."""
    first = failed[0]
    more = f", and {len(failed) - 1} more" if len(failed) > 1 else ""
    value = first.get("value")
    is_number = isinstance(value, (int, float)) and math.isfinite(value)
    return (
        f"{first['code']} of {first['subject']} is {f'{value:g}' if is_number else 'no number'}, "
        f"wanted {first['sense'].replace('_', ' ')} {first['limit']:g} {first['unit']}{more}"
    )
