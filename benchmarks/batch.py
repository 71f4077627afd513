"""A batch of small phantoms on one worker and on two: ``python -m benchmarks.batch``."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

N_CASES = 6
SMALL = """
description = "L3 between two levels that are cut off, in coarse voxels"
seed = {seed}
levels = ["L2", "L3", "L4"]
[posture]
flexion_deg = [-9, -4, 5]
[view]
size_mm = [100, 110]
centre_mm = [0, 26]
above_mm = 4
below_mm = 4
[scan]
spacing_mm = 0.9
slice_mm = 1.2
[run]
procedure = "pedicle-screws"
levels = "{levels}"
lowest_level = "L3"
[expect]
levels = ["L3"]
"""


def seconds_with(n_workers: int, dataset: Path, out: Path) -> float:
    """Run the batch on workers of this computer; wall seconds, the start of Python included."""
    command = [sys.executable, "-m", "guidegen", "batch", dataset, "--out", out, "-q"]
    start = time.perf_counter()
    subprocess.run([*map(str, command), f"--workers={n_workers}"], check=True)
    return time.perf_counter() - start


def more_workers(place: Path) -> Iterator[str]:
    """Seconds on one worker and on two, their ratio, and a second run that has nothing to do."""
    dataset = place / "small"
    dataset.mkdir()
    for seed in range(N_CASES):
        text = SMALL.format(seed=seed, levels="L3")
        (dataset / f"case{seed}.toml").write_text(text, encoding="utf-8")
    one = seconds_with(1, dataset, place / "one")
    yield f"{'one worker':44} {one:8.1f} s"
    two = seconds_with(2, dataset, place / "two")
    yield f"{'two workers':44} {two:8.1f} s"
    yield f"{'ratio (at least 1.70 wanted)':44} {one / two:8.2f}"
    again = seconds_with(2, dataset, place / "two")
    yield f"{'a second run: share (under 5 % wanted)':44} {again / two:8.1%}"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        for row in more_workers(Path(name)):
            print(row, flush=True)
