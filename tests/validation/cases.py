"""Phantom cases: scanned, planned, built; each made once a folder and read back from its files."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from guidegen.export.approval import approve
from guidegen.export.folder import open_case
from guidegen.export.order import Order
from guidegen.flow import build_case, plan_case
from guidegen.mesh.io import read_stl
from guidegen.model.bone import Bone
from guidegen.phantoms.catalog import load_definition
from guidegen.phantoms.definition import Definition, LevelChange, PedicleChange, View
from guidegen.phantoms.dicom import Series, write_series
from guidegen.phantoms.render import render
from guidegen.phantoms.scan import ScanOptions
from guidegen.phantoms.spine import Scene, build_scene


def lopsided(shorter_mm: float = 0.0) -> Definition:
    """L3 and L4 in view, L3's left pedicle 4 mm wider than its right.

    Args:
        shorter_mm: Taken off the view at both ends: an oblique scan adds a margin of its own.
    """
    demo = load_definition("demo")
    view = View(
        size_mm=(100.0, 112.0),
        centre_mm=(0.0, 22.0),
        above_mm=2.0 - shorter_mm,
        below_mm=-30.0 - shorter_mm,
    )
    sides = LevelChange(
        left=PedicleChange(width_mm=12.0, convergence_deg=18.0),
        right=PedicleChange(width_mm=8.0, convergence_deg=10.0),
    )
    return demo.model_copy(
        update={"name": "lopsided", "view": view, "change": {**demo.change, "L3": sides}}
    )


def definition_of(name: str) -> Definition:
    """A phantom of the catalogue, or ``lopsided``, ``lopsided_oblique`` of these tests."""
    if name.startswith("lopsided"):
        return lopsided(13.0 if name.endswith("oblique") else 0.0)
    return load_definition(name)


STRAIGHT = ScanOptions()


@dataclass(frozen=True)
class Wish:
    """What to scan and plan: one phantom, some levels, the scanner's settings, the procedure's."""

    phantom: str
    levels: str
    options: ScanOptions = STRAIGHT
    lowest_level: str | None = None
    procedure: str = "pedicle-screws"
    approach: str | None = None
    accept_posture: bool = False

    @property
    def name(self) -> str:
        """A name for folders and tables: phantom, levels, how it was scanned, what was asked."""
        words = [self.phantom, self.levels, *self._scan]
        words += [self.approach] if self.approach else []
        return "_".join([*words, *(["accepted"] if self.accept_posture else [])])

    @property
    def scan_name(self) -> str:
        """A name for the scan alone: what differs in what was asked is planned on the same one."""
        scan = self.options
        grid = f"{scan.spacing_mm:g}x{scan.slice_mm:g}"
        return "_".join([self.phantom, *self._scan, grid, "dicom"])

    @property
    def _scan(self) -> list[str]:
        scan = self.options
        words = [f"oblique{scan.oblique_deg:g}"] if scan.oblique_deg else []
        words += [f"tilt{scan.tilt_deg:g}"] if scan.tilt_deg else []
        return words + ([scan.flip] if scan.flip else [])


@dataclass(frozen=True)
class Case:
    """A case folder, and the phantom it is a scan of."""

    root: Path
    wish: Wish

    @property
    def name(self) -> str:
        """As the wish's."""
        return self.wish.name

    @cached_property
    def scene(self) -> Scene:
        """The phantom's bones."""
        return build_scene(definition_of(self.wish.phantom))

    @cached_property
    def plan(self) -> dict[str, Any]:
        """plan.json."""
        return self.json("plan.json")

    def json(self, name: str) -> dict[str, Any]:
        """Read one of its JSON files."""
        return dict(json.loads((self.root / name).read_text(encoding="utf-8")))

    def path(self, name: str) -> dict[str, Any]:
        """One planned path."""
        return next(p for p in self.plan["paths"] if p["name"] == name)

    def bone(self, name: str) -> Bone:
        """A bone as written to its file."""
        return Bone(name, *read_stl(self.root / "bones" / f"{name}.stl"))


def scan(wish: Wish, folder: Path) -> Path:
    """Write the phantom's DICOM series; a folder that is there already is taken as it is."""
    if folder.is_dir():
        return folder
    definition = definition_of(wish.phantom)
    options = wish.options.laid(definition.prone)
    hu, grid = render(build_scene(definition), options)
    series = Series(definition.name, definition.seed, options)
    write_series(folder, hu, grid, series)
    return folder


def planned(wish: Wish, place: Path, source: Path | None = None) -> Case:
    """Plan a phantom from files; a folder that is there already is taken as it is."""
    root = place / wish.name
    if not (root / "plan.json").is_file():
        source = source or scan(wish, place / wish.scan_name)
        plan_case(
            Order(
                wish.procedure,
                source,
                root,
                levels=wish.levels,
                lowest_level=wish.lowest_level,
                approach=wish.approach,
                accept_posture=wish.accept_posture,
            )
        )
    return Case(root, wish)


def built(case: Case) -> Case:
    """Approve and build a case, once."""
    if not (case.root / "manifest.json").is_file():
        approve(open_case(case.root), "validation", unattended=True)
        build_case(case.root)
    return case
