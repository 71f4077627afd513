"""A phantom becomes files: DICOM series and truth.json."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from guidegen.phantoms.catalog import load_definition
from guidegen.phantoms.definition import Definition
from guidegen.phantoms.dicom import Series, write_series
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


def write_phantom(
    name: str | Definition, out: str | Path, options: ScanOptions | None = None
) -> Path:
    """Scan a phantom and write its DICOM series and truth.json into a folder.

    Args:
        name: As in ``phantom_names``, or a definition of one's own.
        out: Folder, made if it is not there.
        options: The scanner's settings.

    Returns:
        The folder.

    Raises:
        InputError: There is no such phantom.
    """
    definition = load_definition(name) if isinstance(name, str) else name
    out, options = Path(out), (options or ScanOptions()).laid(definition.prone)
    scene = build_scene(definition)
    out.mkdir(parents=True, exist_ok=True)

    def scanned() -> None:
        hu, scan = render(scene, options)
        write_series(out, hu, scan, Series(definition.name, definition.seed, options))

    def described() -> None:
        write_truth(out, truth_of(definition, options.prone))

    side_by_side(lambda job: job(), (scanned, described))
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
