"""Run work in a process of its own and report its seconds and its largest memory."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any


def peak_mb() -> float:
    """Largest resident memory of this process so far, MB; 0 where the system can't tell."""
    try:
        import resource
    except ImportError:  # Windows
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


def timed_python(module: str, *arguments: object) -> tuple[float, dict[str, Any]]:
    """Run ``python -m module`` and return its wall seconds and the JSON on its last line."""
    start = time.perf_counter()
    command = [sys.executable, "-m", module, *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)
    seconds = time.perf_counter() - start
    if done.returncode:
        raise RuntimeError(f"{module} ended with {done.returncode}")
    return seconds, json.loads(done.stdout.splitlines()[-1])


def timed_program(*command: object) -> tuple[float, float] | None:
    """Run a program; wall seconds and peak MB, or None if it is absent or fails."""
    program = Path(sys.executable).with_name(str(command[0]))
    if not program.exists():
        return None
    code = (
        "import subprocess, sys, resource, json, time; t = time.perf_counter();"
        "r = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL);"
        "print(json.dumps([r.returncode, time.perf_counter() - t,"
        " resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(program), *map(str, command[1:])],
        stdout=subprocess.PIPE,
        text=True,
    )
    if done.returncode:
        return None
    status, seconds, megabytes = json.loads(done.stdout)
    return None if status else (seconds, megabytes)
