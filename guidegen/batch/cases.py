"""One case of a batch: what is run, how, and what must come of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from guidegen.batch.limits import LIMITS
from guidegen.batch.naming import LONGEST, safe_name
from guidegen.errors import InputError
from guidegen.export.order import Order
from guidegen.export.settings import make_settings, read_toml
from guidegen.phantoms.definition import Expectation
from guidegen.phantoms.recipe import load_recipe
from guidegen.procedures.registry import PROCEDURES

PATHS = ("labels", "label_names", "config")
OPTIONS = tuple(
    item.name for item in fields(Order) if item.name not in ("procedure", "source", "out", "force")
)


@dataclass(frozen=True)
class BatchCase:
    """One case of a batch.

    Args:
        name: Of its folder; letters, digits, ``.``, ``_`` and ``-``.
        procedure: ``pedicle-screws``, ...
        source: The scan, or a phantom's definition (``.toml``).
        options: Fields of ``Order`` as they were given; paths are absolute.
        settings: Settings that stand in the data set itself.
        expect: What must come of it; None where nothing was said: that it gets done.
        description: For people.
        problem: Why it can't be run at all.
    """

    name: str
    procedure: str
    source: Path
    options: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    expect: Expectation | None = None
    description: str = ""
    problem: str = ""

    @property
    def is_phantom(self) -> bool:
        """True if the scan has first to be made."""
        return self.source.suffix.lower() == ".toml"

    @property
    def place(self) -> Path:
        """What is read: the source, but of a DICOMDIR the whole folder that it lists."""
        lists = self.source.name.upper() == "DICOMDIR" and self.source.is_file()
        return self.source.parent if lists else self.source

    def why_not(self) -> str:
        """Why the case can't be run at all; "" if it can."""
        if self.problem:
            return self.problem
        if self.procedure not in PROCEDURES:
            known = ", ".join(PROCEDURES)
            return f"there is no procedure {self.procedure!r}: it must be one of {known}"
        if self.settings and self.options.get("config"):
            return "both settings and config are given: put all settings into one of them"
        given = {name: self.options.get(name) for name in PATHS}
        for name, path in {"input": self.source, **given}.items():
            if path and not os.path.exists(path):  # a path that is too long is not there either
                return f"its {name} does not exist: check the path"
        if wrong := self._wrong_settings():
            return wrong
        unknown = sorted(set(self.expect.limits if self.expect else ()) - set(LIMITS))
        if unknown:
            known = ", ".join(LIMITS)
            return f"expect.limits names {unknown[0]}, which is not compared: take one of {known}"
        return ""

    def _wrong_settings(self) -> str:
        """What is wrong with its settings; "" if nothing.

        The case's own command would refuse them, which might pass for the refusal of a scan.
        """
        kind, config = PROCEDURES[self.procedure].settings_type, self.options.get("config")
        try:
            make_settings(kind, read_toml(Path(config)) if config else self.settings, "settings")
        except InputError as error:
            return str(error)
        return ""


def phantom_case(path: Path) -> BatchCase:
    """Read a phantom's definition as a case; what is wrong with it becomes its problem."""
    name = safe_name(safe_name(path.stem)[:LONGEST]) or "case"
    try:
        recipe = load_recipe(path)
    except InputError as error:
        told = (
            str(error).encode("utf-8", "replace").decode("utf-8")
        )  # a file's name may be anything
        return BatchCase(name, "", path.resolve(), problem=told)
    run = recipe.run.model_dump(exclude_none=True, exclude_unset=True)
    procedure, settings = run.pop("procedure"), run.pop("settings", {})
    expect, description = recipe.expect, recipe.description
    return BatchCase(name, procedure, path.resolve(), run, settings, expect, description)
