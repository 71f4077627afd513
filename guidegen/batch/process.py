"""One command in a process of its own, with limits of time and memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from guidegen.batch.alive import end_family, family_of, write_process

LOOK_S = 1.0
THREADS = (
    *("GUIDEGEN_PROCESSORS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"),
    *("MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "IGL_NUM_THREADS"),
)
DASK_MALLOC = "MALLOC_TRIM_THRESHOLD_"
ONE_PROCESSOR = dict.fromkeys(THREADS, "1")
"""A case takes one processor: many side by side are done sooner than each with all of them."""
UTF_8 = {"PYTHONIOENCODING": "utf-8"}
"""What a command says is read as that; on Windows it would say it otherwise."""
LOG, OUTPUT, RUNNING = "log.txt", "output.txt", "process.json"
"""Files beside a running command: what it says, its result, which process it is."""


@dataclass(frozen=True)
class Limits:
    """What a command may use.

    Args:
        until: When it has to be done, by ``time.monotonic``; None is never.
        memory_bytes: Of all its processes together; None is any.
        wanted: Asked every second; where nobody wants it any more, it is ended.
    """

    until: float | None = None
    memory_bytes: int | None = None
    wanted: Callable[[], bool] = lambda: True


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Args:
        code: Its exit code; negative where a signal ended it.
        stopped: ``""``, ``"time"``, ``"memory"`` or ``"unwanted"``: at which limit it was ended.
        peak_mb: Most memory its processes held at once.
        output: What it printed.
    """

    code: int
    stopped: str
    peak_mb: float
    output: str


def _environment() -> dict[str, str]:
    """The worker's environment without what dask sets for itself, with one processor.

    Its ``MALLOC_TRIM_THRESHOLD_`` hands every large array back to the system at once; a case
    that makes and drops arrays all the time then spends half of its time on that.
    """
    own = {name: value for name, value in os.environ.items() if name != DASK_MALLOC}
    return {**own, **ONE_PROCESSOR, **UTF_8}


def run_command(arguments: Sequence[str], aside: Path, limits: Limits) -> Ended:
    """Run a command of guidegen; what it says beside its result is added to ``log.txt``.

    Args:
        arguments: As after ``guidegen``.
        aside: Folder for what it says and which process it is; must be there.
        limits: At which it is ended with all that it started.

    Returns:
        How it ended; it is over then, with all processes it started.
    """
    # -P: what lies in the folder that the batch was started in is no part of the program
    start = [sys.executable, "-P", "-m", "guidegen.batch.child", str(os.getpid())]
    command = [*start, *arguments]
    printed = aside / OUTPUT
    with printed.open("wb") as out, (aside / LOG).open("ab") as told:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=told,
            env=_environment(),
        )
        seen: set[psutil.Process] = set()
        try:
            write_process(aside / RUNNING, process.pid)
            stopped, peak = _watched(process, limits, seen)
        finally:
            _end(process, seen)
    output = printed.read_text(encoding="utf-8", errors="replace")
    return Ended(process.returncode, stopped, peak / 1e6, output)


def _watched(
    process: subprocess.Popen[bytes], limits: Limits, seen: set[psutil.Process]
) -> tuple[str, int]:
    """Wait for a process; says which limit it met and its most memory in bytes."""
    peak = 0
    while True:
        family = family_of(process.pid)
        seen.update(family)
        held = _memory(family)
        peak = max(peak, held)
        if limits.memory_bytes is not None and held > limits.memory_bytes:
            return "memory", peak
        if limits.until is not None and time.monotonic() > limits.until:
            return "time", peak
        if not limits.wanted():
            return "unwanted", peak
        try:
            process.wait(LOOK_S)
            return "", peak
        except subprocess.TimeoutExpired:
            continue


def _memory(family: Sequence[psutil.Process]) -> int:
    """Bytes in memory of some processes together."""
    total = 0
    for one in family:
        try:
            total += one.memory_info().rss
        except psutil.Error:
            continue
    return total


def _end(process: subprocess.Popen[bytes], seen: set[psutil.Process]) -> None:
    """End a process, if it still runs, and all that it was seen to start."""
    if process.poll() is None:
        end_family(process.pid)
        process.wait()
    for one in seen:
        if one.pid != process.pid:
            end_if_same(one)


def end_if_same(one: psutil.Process) -> None:
    """End a process that was seen before, unless another has its number by now."""
    try:
        if one.is_running():
            one.kill()
    except psutil.Error:
        pass
