"""Print the table of ratios: guidegen against its peer, each stage, surface error, workers."""

from __future__ import annotations

import argparse
import os
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.batch import N_CASES, more_workers
from benchmarks.child import timed_program, timed_python
from guidegen.phantoms.catalog import load_definition
from guidegen.phantoms.scan import ScanOptions
from guidegen.phantoms.write import write_phantom

SCAN = Path(__file__).resolve().parents[1].parent / "shared/data/ct/lidc_0314_thorax_1.0mm.zip"


@dataclass(frozen=True)
class Input:
    """What is run.

    Args:
        name: As the table calls it.
        dicom: The unpacked folder.
        levels: To plan.
        lowest_level: Name of the lowest complete vertebra.
    """

    name: str
    dicom: Path
    levels: str
    lowest_level: str


def real_scan(packed: Path, place: Path, levels: str, lowest_level: str) -> Input:
    """Unpack a scan."""
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(place / "dicom")
    return Input(packed.name, place / "dicom", levels, lowest_level)


def phantom_scan(name: str, place: Path) -> Input:
    """Write a phantom's DICOM series, where there is no real scan."""
    levels = load_definition(name).expect.levels
    write_phantom(name, place / "dicom")
    return Input(f"phantom {name}", place / "dicom", f"{levels[0]}-{levels[-1]}", levels[-1])


def whole_leg(place: Path) -> Input:
    """Write a leg from hip to foot, 0.8 x 0.8 x 1.0 mm: more than 800 slices."""
    write_phantom("leg_straight", place / "leg", ScanOptions(spacing_mm=0.8, slice_mm=1.0))
    return Input("phantom leg_straight, 0.8 x 0.8 x 1.0 mm", place / "leg", "", "")


def against_peer(given: Input, place: Path) -> Iterator[str]:
    """CT to bone surfaces, against ``dicom2stl -t bone`` on the same scan, in one run."""
    (place / "bones").mkdir()
    ours, told = timed_python("benchmarks.bones", given.dicom, place / "bones", given.lowest_level)
    title = f"guidegen: {told['bones']} bones, each closed"
    yield f"{title:44} {ours:8.1f} s {told['peak_mb']:8.0f} MB"
    peer = timed_program("dicom2stl", "-t", "bone", "-o", place / "peer.stl", given.dicom)
    if peer is None:
        yield "dicom2stl is not installed here or failed: no ratio"
        return
    yield f"{'dicom2stl -t bone: one open mesh':44} {peer[0]:8.1f} s {peer[1]:8.0f} MB"
    ratio, memory = ours / peer[0], told["peak_mb"] / peer[1]
    yield f"{'ratio (time: at most 2.00 wanted)':44} {ratio:8.2f}   {memory:8.2f}"


def stages(given: Input, place: Path, procedure: str, levels: str) -> Iterator[str]:
    """Seconds and memory of each stage of a whole case."""
    order = (procedure, given.dicom, place / procedure, levels, given.lowest_level)
    total, told = timed_python("benchmarks.stages", *order)
    for step, seconds, peak in told["rows"]:
        yield f"{step:44} {seconds:8.1f} s {peak:8.0f} MB so far {seconds / total:6.0%}"
    end = f"FAILED: {'; '.join(told['failed'])}" if told["failed"] else "all checks passed"
    yield f"{'whole case, start of Python included':44} {total:8.1f} s"
    yield f"{told['paths']} paths, {end}"


def surface(name: str) -> Iterator[str]:
    """Surface error on a phantom."""
    _, told = timed_python("benchmarks.surface", name)
    yield f"{'':44} {'mean':>8}    {'95th percentile':>15}"
    for bone, mean, high in told["rows"]:
        yield f"{name + ' ' + bone:44} {mean:8.3f} mm {high:15.3f} mm"


def machine() -> str:
    """How many processors there are and how busy they are: times depend on it."""
    cpus = os.cpu_count() or 1
    text = f"{cpus} processors"
    if hasattr(os, "getloadavg"):
        load = os.getloadavg()[0]
        busy = ": BUSY, times and ratios may be off" if load > 0.5 * cpus else ""
        text += f", load {load:.1f} before the start{busy}"
    return text


def main() -> None:
    """Run all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--scan", type=Path, default=SCAN, help="zip of a DICOM folder")
    parser.add_argument("--levels", default="T4-T11", help="levels of that scan to plan")
    parser.add_argument("--lowest-level", default="T11", help="its lowest complete vertebra")
    parser.add_argument("--phantom", default="lumbar", help="for the surface error")
    options = parser.parse_args()
    print(machine(), flush=True)
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        if options.scan.is_file():
            given = real_scan(options.scan, place, options.levels, options.lowest_level)
        else:
            print(f"the real scan is not on this machine: phantom {options.phantom} instead")
            given = phantom_scan(options.phantom, place)
        show(f"CT to bone surfaces, {given.name}", against_peer(given, place))
        for procedure, levels in (("pedicle-screws", given.levels), ("kyphoplasty", one_of(given))):
            made = stages(given, place, procedure, levels)
            show(f"{procedure}, {given.name}, {levels}", made)
        leg = whole_leg(place)
        show(f"knee, {leg.name}", stages(leg, place, "knee", ""))
        show("surface error", surface(options.phantom))
        show(f"batch of {N_CASES} small phantoms", more_workers(place))


def one_of(given: Input) -> str:
    """The level above the lowest of those to plan: one whole level with both neighbours."""
    names = [f"T{n}" for n in range(1, 13)] + [f"L{n}" for n in range(1, 6)]
    return names[max(names.index(given.levels.split("-")[-1]) - 1, 0)]


def show(title: str, rows: Iterator[str]) -> None:
    """Print a block as its rows come."""
    print(f"\n{title}\n{'-' * len(title)}", flush=True)
    for row in rows:
        print(row, flush=True)


if __name__ == "__main__":
    main()
