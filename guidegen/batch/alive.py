"""Processes that files tell of: whether they still run on this computer."""

from __future__ import annotations

import hashlib
import json
import platform
from pathlib import Path

import psutil

from guidegen.export.atomic import write_json

SAME_START_S = 2.0
"""A process that began this near to the time told is the same one (clocks are set at times)."""


def write_process(path: Path, pid: int) -> None:
    """Tell of a process in a file: which it is, when it began, on which computer (hashed)."""
    try:
        started = psutil.Process(pid).create_time()
    except psutil.Error:  # it ended at once
        return
    write_json(path, {"computer": _computer(), "pid": pid, "started": started})


def is_elsewhere(path: Path) -> bool:
    """True if a file tells of a process on another computer."""
    told = _read(path)
    return told is not None and told[0] != _computer()


def process_of(path: Path) -> psutil.Process | None:
    """The process that a file tells of; None if it has ended or is not on this computer."""
    told = _read(path)
    if told is None or told[0] != _computer():
        return None
    try:
        found = psutil.Process(told[1])
        same = abs(found.create_time() - told[2]) < SAME_START_S
        return found if same and found.status() != psutil.STATUS_ZOMBIE else None
    except psutil.Error:
        return None


def family_of(pid: int) -> list[psutil.Process]:
    """A process and all that it started; empty if it has ended."""
    try:
        first = psutil.Process(pid)
        return [first, *first.children(recursive=True)]
    except psutil.Error:
        return []


def end_family(pid: int) -> None:
    """End a process and all that it started."""
    for one in reversed(family_of(pid)):
        try:
            one.kill()
        except psutil.Error:
            continue


def _read(path: Path) -> tuple[str, int, float] | None:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        return str(told["computer"]), int(told["pid"]), float(told["started"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _computer() -> str:
    return hashlib.sha256(platform.node().encode("utf-8")).hexdigest()[:16]
