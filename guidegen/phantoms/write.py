"""A phantom becomes files: DICOM series and truth.json."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from guidegen.phantoms.catalog import load_definition
from guidegen.phantoms.definition import Definition
from guidegen.phantoms.dicom import Series, write_series
from guidegen.phantoms.leg_definition import LegsDefinition
from guidegen.phantoms.leg_render import Block, render_legs
from guidegen.phantoms.leg_truth import legs_truth
from guidegen.phantoms.meshes import load_bones, render_meshes
from guidegen.phantoms.render import render
from guidegen.phantoms.scan import ScanOptions
from guidegen.phantoms.spine import build_scene
from guidegen.phantoms.truth import SCHEMA, truth_of
from guidegen.workers import side_by_side


def write_truth(out: Path, truth: dict[str, Any]) -> Path:
    """Write truth.json, whole or not at all."""
    path, draft = out / "truth.json", out / "truth.json.part"
    draft.write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8", newline="\n")
    draft.replace(path)
    return path


def scanned(definition: Definition | LegsDefinition, options: ScanOptions) -> list[Block]:
    """Scan a phantom of any kind: stretches of slices on one grid, most have one."""
    if isinstance(definition, LegsDefinition):
        return render_legs(definition, options)
    return [Block(*render(build_scene(definition), options))]


def described(definition: Definition | LegsDefinition, options: ScanOptions) -> dict[str, Any]:
    """What is known of a phantom of any kind, as in truth.json."""
    if isinstance(definition, LegsDefinition):
        return {"schema": SCHEMA, **legs_truth(definition)}
    return truth_of(definition, options.prone)


def write_blocks(
    out: Path,
    blocks: Sequence[Block],
    definition: Definition | LegsDefinition,
    options: ScanOptions,
) -> None:
    """Write stretches of slices as one series, or each as its own in a folder of its own."""
    legs = isinstance(definition, LegsDefinition)
    apart = isinstance(definition, LegsDefinition) and definition.view.series
    series = Series(definition.name, definition.seed, options, "LEG" if legs else "SPINE")
    first = 0
    for n, block in enumerate(blocks, 1):
        own = replace(series, number=n) if apart else series
        write_series(out / f"series{n}" if apart else out, block.hu, block.scan, own, first)
        first += 0 if apart else len(block.hu)


def write_phantom(
    name: str | Definition | LegsDefinition, out: str | Path, options: ScanOptions | None = None
) -> Path:
    """Scan a phantom and write its DICOM series and truth.json into a folder.

    Args:
        name: As in ``phantom_names``, or a definition of one's own.
        out: Folder, made if it is not there.
        options: The scanner's settings.

    Returns:
        The folder; a phantom of several series has a folder for each in it.

    Raises:
        InputError: There is no such phantom.
    """
    definition = load_definition(name) if isinstance(name, str) else name
    out, chosen = Path(out), (options or ScanOptions()).laid(definition.prone)
    out.mkdir(parents=True, exist_ok=True)

    def scan() -> None:
        write_blocks(out, scanned(definition, chosen), definition, chosen)

    def describe() -> None:
        write_truth(out, described(definition, chosen))

    side_by_side(lambda job: job(), (scan, describe))
    return out


def write_meshes_phantom(
    stl_paths: Sequence[str | Path], out: str | Path, options: ScanOptions | None = None
) -> Path:
    """Scan closed surfaces and write their DICOM series and truth.json into a folder.

    Args:
        stl_paths: STL files in patient LPS mm, each a closed surface.
        out: Folder, made if it is not there.
        options: The scanner's settings.

    Returns:
        The folder; truth.json lists each surface with the sha256 of its file.

    Raises:
        InputError: A surface can't be read, is not closed or has no size of a bone.
    """
    out, options = Path(out), options or ScanOptions()
    bones = load_bones(stl_paths)
    key = "/".join(bone.sha256 for bone in bones)
    seed = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big")
    hu, scan = render_meshes(bones, options, seed)
    write_series(out, hu, scan, Series("meshes", seed, options))
    truth = {
        "schema": SCHEMA,
        "frame": "LPS",
        "phantom": "meshes",
        "landmarks": {"bones": {}},
        "corridors": {},
        "measurements": {},
        "surfaces": [bone.truth() for bone in bones],
        "expect": {"exit": 0, "warnings": []},
    }
    write_truth(out, truth)
    return out
