"""Print the table of ratios: guidegen against its peer, each stage, surface error."""

from __future__ import annotations

import argparse
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.child import timed_program, timed_python

SCAN = Path(__file__).resolve().parents[1].parent / "shared/data/ct/lidc_0314_thorax_1.0mm.zip"


def against_peer(folder: Path, place: Path, lowest_level: str) -> Iterator[str]:
    """CT to bone surfaces, against ``dicom2stl -t bone`` on the same scan, in one run."""
    (place / "bones").mkdir()
    ours, told = timed_python("benchmarks.bones", folder, place / "bones", lowest_level)
    yield f"{'guidegen: closed bones, separate':44} {ours:8.1f} s {told['peak_mb']:8.0f} MB"
    yield f"{'':4}{told['bones']} bones"
    peer = timed_program("dicom2stl", "-t", "bone", "-o", place / "peer.stl", folder)
    if peer is None:
        yield "dicom2stl: not installed or failed; skipped"
        return
    yield f"{'dicom2stl -t bone: one open mesh':44} {peer[0]:8.1f} s {peer[1]:8.0f} MB"
    yield f"{'ratio':44} {ours / peer[0]:8.2f}   {told['peak_mb'] / peer[1]:8.2f}"


def stages(source: Path, place: Path, levels: str, lowest_level: str) -> Iterator[str]:
    """Seconds and memory of each stage of a whole case."""
    total, told = timed_python("benchmarks.stages", source, place / "case", levels, lowest_level)
    for name, seconds, peak in told["rows"]:
        yield f"{name:44} {seconds:8.1f} s {peak:8.0f} MB so far {seconds / total:6.0%}"
    end = "all checks passed" if told["passed"] else "a check FAILED"
    yield f"{'whole case':44} {total:8.1f} s, {told['screws']} screws, {end}"


def surface(name: str) -> Iterator[str]:
    """Surface error on a phantom, endplates included."""
    _, rows = timed_python("benchmarks.surface", name)
    for bone, mean, high in rows:
        yield f"{name + ' ' + bone:44} {mean:8.3f} mm mean, {high:6.3f} mm 95th percentile"


def main() -> None:
    """Run all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--scan", type=Path, default=SCAN, help="zip of a DICOM folder")
    parser.add_argument("--levels", default="T4-T11")
    parser.add_argument("--lowest-level", default="T11")
    parser.add_argument("--phantom", default="lumbar")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        if given.scan.is_file():
            with zipfile.ZipFile(given.scan) as archive:
                archive.extractall(place / "dicom")
            show("CT to bone surfaces", against_peer(place / "dicom", place, given.lowest_level))
            rows = stages(place / "dicom", place, given.levels, given.lowest_level)
            show(f"stages, {given.levels}", rows)
        else:
            print("the scan is not on this machine: its rows are skipped")
        show("surface error", surface(given.phantom))


def show(title: str, rows: Iterator[str]) -> None:
    """Print a block as its rows come."""
    print(f"\n{title}\n{'-' * len(title)}")
    for row in rows:
        print(row, flush=True)


if __name__ == "__main__":
    main()
