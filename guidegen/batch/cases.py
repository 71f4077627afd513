"""What a batch runs: one case a phantom definition, a scan, or an entry of cases.toml."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from guidegen.batch.naming import name_of
from guidegen.errors import InputError
from guidegen.export.order import Order
from guidegen.export.settings import make_settings, read_toml
from guidegen.phantoms.definition import Expectation
from guidegen.phantoms.recipe import load_recipe

CASES_FILE = "cases.toml"
PATHS = ("labels", "label_names", "config")
OPTIONS = tuple(
    item.name for item in fields(Order) if item.name not in ("procedure", "source", "out", "force")
)
NO_SCANS = (".txt", ".md", ".csv", ".json", ".html", ".pdf", ".log")


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


class _Entry(BaseModel):
    """One ``[[case]]``; ``[defaults]`` has the same keys."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = None
    input: str | None = None
    procedure: str | None = None
    description: str = ""
    settings: dict[str, Any] = {}
    expect: Expectation | None = None
    levels: str | None = None
    side: str | None = None
    lowest_level: str | None = None
    labels: str | None = None
    label_scheme: str | None = None
    label_names: str | None = None
    series: list[str] | None = None
    config: str | None = None
    approach: str | None = None
    accept_posture: bool | None = None
    axis: str | None = None


class _File(BaseModel):
    """cases.toml."""

    model_config = ConfigDict(extra="forbid")

    defaults: _Entry = _Entry()
    case: tuple[_Entry, ...] = ()


def read_dataset(
    dataset: Path, procedure: str | None = None, options: Mapping[str, Any] | None = None
) -> tuple[BatchCase, ...]:
    """List the cases of a data set, by name.

    Args:
        dataset: ``cases.toml``, a folder that holds one, a folder of phantom definitions
            (``.toml``), or a folder with a scan in each folder or file.
        procedure: What to plan on a folder of scans; the others say it themselves.
        options: Fields of ``Order`` for all of a folder of scans.

    Raises:
        InputError: It is none of these, is empty, or names are wrong; a definition that is
            wrong is a case that can't be run, not the end of the others.
    """
    given = {name: value for name, value in (options or {}).items() if value not in (None, False)}
    if given.get("side") == "both":
        del given["side"]
    if not dataset.exists():
        raise InputError(f"there is no data set {dataset}: check the path")
    listed = dataset / CASES_FILE if dataset.is_dir() else dataset
    definitions = sorted(dataset.glob("*.toml")) if dataset.is_dir() else []
    if listed.is_file() or definitions:
        if procedure or given:
            wrong = "procedure" if procedure else next(iter(given)).replace("_", "-")
            raise InputError(f"this data set says itself what to plan: leave out --{wrong}")
        read = listed.is_file()
        cases = list(_listed(listed)) if read else [phantom_case(path) for path in definitions]
    else:
        cases = list(_scans(dataset, procedure, given))
    return _named_apart(cases)


def phantom_case(path: Path) -> BatchCase:
    """Read a phantom's definition as a case; what is wrong with it becomes its problem."""
    try:
        recipe = load_recipe(path)
    except InputError as error:
        return BatchCase(_safe(path.stem), "", path.resolve(), problem=str(error))
    run = recipe.run.model_dump(exclude_none=True, exclude_unset=True)
    procedure, settings = run.pop("procedure"), run.pop("settings", {})
    return BatchCase(
        _safe(path.stem),
        procedure,
        path.resolve(),
        run,
        settings,
        recipe.expect,
        recipe.description,
    )


def _listed(path: Path) -> Iterator[BatchCase]:
    """The cases of a cases.toml; its paths are relative to it."""
    told = make_settings(_File, read_toml(path), path.name)
    usual = told.defaults.model_dump(exclude_unset=True)
    if not told.case:
        raise InputError(f"{path.name} has no [[case]]: add one with input and procedure")
    for number, entry in enumerate(told.case, 1):
        whole = {**usual, **entry.model_dump(exclude_unset=True)}
        where = f"{path.name}, case {number}"
        if "input" not in whole:
            raise InputError(f"{where} has no input: say which scan or definition it is")
        source = (path.parent / whole["input"]).resolve()
        options = {name: _placed(path, name, whole[name]) for name in OPTIONS if name in whole}
        if source.suffix.lower() == ".toml":
            made = phantom_case(source)
            yield replace(
                made,
                name=_given_name(whole.get("name"), where) or made.name,
                procedure=whole.get("procedure") or made.procedure,
                options={**made.options, **options},
                settings={**made.settings, **whole.get("settings", {})},
                expect=entry.expect or made.expect,
                description=whole.get("description") or made.description,
            )
            continue
        if not whole.get("procedure"):
            raise InputError(f"{where} has no procedure: say which one is to be planned")
        yield BatchCase(
            _given_name(whole.get("name"), where) or name_of(source),
            whole["procedure"],
            source,
            options,
            whole.get("settings", {}),
            entry.expect or told.defaults.expect,
            whole.get("description", ""),
        )


def _placed(path: Path, name: str, value: Any) -> Any:
    return (path.parent / value).resolve() if name in PATHS else value


def _scans(folder: Path, procedure: str | None, options: Mapping[str, Any]) -> Iterator[BatchCase]:
    """A case for each folder and each file of a folder of scans."""
    if not folder.is_dir():
        raise InputError(f"{folder.name} is no data set: give a folder of scans, or a .toml file")
    found = [
        path
        for path in sorted(folder.iterdir())
        if not path.name.startswith(".") and path.suffix.lower() not in NO_SCANS
    ]
    if not found:
        raise InputError(f"{folder} is empty: it should hold a folder or a file for each scan")
    if not procedure:
        raise InputError("a folder of scans needs --procedure: say what is to be planned on them")
    placed = {n: Path(v).resolve() if n in PATHS else v for n, v in options.items()}
    for path in found:
        yield BatchCase(name_of(path), procedure, path.resolve(), placed)


def _given_name(name: str | None, where: str) -> str | None:
    if name is not None and _safe(name) != name:
        raise InputError(f"{where}: a name may hold letters, digits, '.', '_' and '-' only")
    return name


def _safe(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name).strip("._-") or "case"


def _named_apart(cases: Sequence[BatchCase]) -> tuple[BatchCase, ...]:
    """The cases in the order of their names, none of them twice.

    Raises:
        InputError: Two have the same name; letters' case does not tell files apart everywhere.
    """
    seen: set[str] = set()
    for case in cases:
        if case.name.lower() in seen:
            raise InputError(f"two cases are called {case.name}: give them names of their own")
        seen.add(case.name.lower())
    return tuple(sorted(cases, key=lambda case: case.name))
