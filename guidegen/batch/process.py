"""One command in a process of its own, with limits of time and memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

LOOK_S = 0.5
THREADS = (
    *("GUIDEGEN_PROCESSORS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"),
    *("MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "IGL_NUM_THREADS"),
)
ONE_PROCESSOR = dict.fromkeys(THREADS, "1")
"""A case takes one processor: many side by side are done sooner than each with all of them."""


@dataclass(frozen=True)
class Limits:
    """What a command may use.

    Args:
        until: When it has to be done, by ``time.monotonic``; None is never.
        memory_bytes: Of all its processes together; None is any.
    """

    until: float | None = None
    memory_bytes: int | None = None


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Args:
        code: Its exit code; negative where a signal ended it.
        stopped: ``""``, ``"time"`` or ``"memory"``: which limit it was ended at.
        peak_mb: Most memory its processes held at once.
        output: What it printed.
    """

    code: int
    stopped: str
    peak_mb: float
    output: str


def run_command(arguments: Sequence[str], log: Path, limits: Limits) -> Ended:
    """Run a command of guidegen; what it says beside its result is added to a log file.

    Args:
        arguments: As after ``guidegen``.
        log: Its folder must be there.
        limits: At which it is ended with all that it started.

    Returns:
        How it ended; it is over then, with all processes it started.
    """
    command = [sys.executable, "-m", "guidegen.batch.child", str(os.getpid()), *arguments]
    printed = log.with_suffix(".out")
    with printed.open("wb") as out, log.open("ab") as told:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=told,
            env={**os.environ, **ONE_PROCESSOR},
        )
        try:
            stopped, peak = _watched(process, limits)
        finally:
            _end(process)
    output = printed.read_text(encoding="utf-8", errors="replace")
    printed.unlink()
    return Ended(process.returncode, stopped, peak / 1e6, output)


def _watched(process: subprocess.Popen[bytes], limits: Limits) -> tuple[str, int]:
    """Wait for a process; says which limit it met and its most memory in bytes."""
    peak = 0
    while True:
        held = _memory(process.pid)
        peak = max(peak, held)
        if limits.memory_bytes is not None and held > limits.memory_bytes:
            return "memory", peak
        if limits.until is not None and time.monotonic() > limits.until:
            return "time", peak
        try:
            process.wait(LOOK_S)
            return "", peak
        except subprocess.TimeoutExpired:
            continue


def _family(pid: int) -> list[psutil.Process]:
    try:
        first = psutil.Process(pid)
        return [first, *first.children(recursive=True)]
    except psutil.Error:
        return []


def _memory(pid: int) -> int:
    """Bytes in memory of a process and all that it started."""
    total = 0
    for one in _family(pid):
        try:
            total += one.memory_info().rss
        except psutil.Error:
            continue
    return total


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and all that it started, if it still runs."""
    if process.poll() is not None:
        return
    for one in reversed(_family(process.pid)):
        try:
            one.kill()
        except psutil.Error:
            continue
    process.wait()
