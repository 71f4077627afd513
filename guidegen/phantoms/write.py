"""A phantom becomes files: DICOM series and truth.json."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from guidegen.errors import InputError
from guidegen.phantoms.catalog import load_definition
from guidegen.phantoms.definition import Definition
from guidegen.phantoms.dicom import Series, write_series
from guidegen.phantoms.render import render
from guidegen.phantoms.scan import ScanOptions
from guidegen.phantoms.spine import build_scene
from guidegen.phantoms.truth import truth_of


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
    out, options = Path(out), options or ScanOptions()
    definition = load_definition(name) if isinstance(name, str) else name
    scene = build_scene(definition)
    hu, scan = render(scene, options)
    write_series(out, hu, scan, Series(definition.name, definition.seed, options))
    write_truth(out, truth_of(definition))
    return out


def write_meshes_phantom(
    stl_paths: Sequence[str | Path], out: str | Path, options: ScanOptions | None = None
) -> Path:
    """Scan closed surfaces and write their DICOM series and truth.json into a folder."""
    raise InputError("a CT from meshes can't be made yet; give a phantom's name")
