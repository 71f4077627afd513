"""Run the main job on phantoms, each from CT to STL; one bad case never stops the rest."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

SMALL = ("demo", "lumbar:L2-L3", "thoracic:T8-T9", "fracture_wedge:L1@kyphoplasty")
USUAL = "pedicle-screws"


def guidegen(*arguments: object) -> int:
    """Run one command in a process of its own."""
    command = [sys.executable, "-m", "guidegen", *map(str, arguments)]
    return subprocess.run(command, stdin=subprocess.DEVNULL).returncode


def run_case(case: str, out: Path) -> tuple[int, int, float]:
    """Make a phantom and run it; returns exit code, expected exit code and seconds."""
    start = time.perf_counter()
    case, _, grid = case.partition("/")
    asked, _, procedure = case.partition("@")
    name, _, levels = asked.partition(":")
    scan = out / f"{name}_scan"
    spacing, _, slices = grid.partition("x")
    voxels = ("--spacing-mm", spacing, "--slice-mm", slices) if grid else ()
    code = guidegen("phantom", name, "--out", scan, "-q", *voxels)
    if code:
        return code, 0, time.perf_counter() - start
    expected = json.loads((scan / "truth.json").read_text())["expect"].get("exit", 0)
    further = ("--levels", levels) if levels else ()
    who = ("--approve-as", "phantom batch", "-q")
    code = guidegen("run", procedure or USUAL, scan, "--out", out / name, *who, *further)
    return code, expected, time.perf_counter() - start


def main() -> int:
    """Run all, print a table, return 1 if any case did not end as expected."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="where the cases go")
    parser.add_argument(
        "names", nargs="*", default=SMALL, help="NAME[:LEVELS][@PROCEDURE][/SPACINGxSLICE]"
    )
    given = parser.parse_args()
    bad = 0
    print(f"{'phantom':30} {'exit':>4} {'wanted':>6} {'seconds':>8}")
    for name in given.names:
        code, expected, seconds = run_case(name, given.out)
        bad += code != expected
        note = "" if code == expected else "  <- not as expected"
        print(f"{name:30} {code:4} {expected:6} {seconds:8.1f}{note}", flush=True)
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
