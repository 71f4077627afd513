"""A case of the data set: a phantom, how it is scanned, what is asked, what a correct answer is."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from guidegen.errors import InputError
from guidegen.phantoms.catalog import definition_text
from guidegen.phantoms.definition import Definition, Expectation
from guidegen.phantoms.leg_definition import LegsDefinition
from guidegen.phantoms.scan import ScanOptions
from guidegen.phantoms.write import write_phantom

Kind = TypeVar("Kind")


class Run(BaseModel):
    """What is asked of the program; the words are those of the command line."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    procedure: str = Field(min_length=1)
    levels: str | None = None
    side: Literal["left", "right", "both"] = "both"
    lowest_level: str | None = None
    axis: str | None = None
    approach: str | None = None
    accept_posture: bool = False
    settings: dict[str, Any] = Field(default={}, description="the procedure's, as in --config")


@dataclass(frozen=True)
class Recipe:
    """One case, from the phantom's parameters to the expected outcome.

    Args:
        name: Of its file, without the ending.
        description: What it is and what it is for.
        definition: The phantom's parameters.
        scan: How it is scanned.
        run: What is asked.
    """

    name: str
    description: str
    definition: Definition | LegsDefinition
    scan: ScanOptions
    run: Run

    @property
    def expect(self) -> Expectation:
        """What a correct program answers."""
        return self.definition.expect


def load_recipe(path: Path) -> Recipe:
    """Read a case's definition: complete, or only what differs from a phantom of the catalogue.

    With ``phantom = "lumbar"`` the file holds what differs: tables are merged key by key, lists
    are replaced. Of the catalogue's expectation only the levels in view are kept, because the
    rest depends on what is asked.

    Raises:
        InputError: The file is no TOML, or says something unknown or out of range.
    """
    told = _read(path)
    scan, run = told.pop("scan", {}), told.pop("run", None)
    if "name" in told:
        raise InputError(f"{path.name} says name: leave it out, the file's name is the case's")
    if run is None:
        raise InputError(f'{path.name} has no table [run]: say procedure = "..." in it')
    whole = _completed(told, path.name) | {"name": path.stem}
    kind = LegsDefinition if whole.get("kind") == "legs" else Definition
    definition = _valid(TypeAdapter[Definition | LegsDefinition](kind), whole, path.name)
    return Recipe(
        path.stem,
        definition.description,
        definition,
        _valid(TypeAdapter(ScanOptions), scan, f"{path.name}, [scan]"),
        _valid(TypeAdapter(Run), run, f"{path.name}, [run]"),
    )


def write_recipe(recipe: Recipe, out: Path) -> Path:
    """Scan a case's phantom and write its DICOM series and truth.json into a folder.

    Returns:
        The folder.
    """
    return write_phantom(recipe.definition, out, recipe.scan)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(f"{path.name} can't be read ({error.strerror}): check the path") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path.name} is not valid TOML: {error}") from None


def _completed(told: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Lay what a file says over the phantom of the catalogue that it names."""
    own = dict(told)
    if "phantom" not in own:
        return own
    name = own.pop("phantom")
    try:
        base = tomllib.loads(definition_text(name))
    except InputError as error:
        raise InputError(f"{source}: {error}") from None
    seen = base.pop("expect", {}).get("levels")
    if seen is not None:
        base["expect"] = {"levels": seen}
    return _merged(base, own)


def _merged(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Merge tables key by key; whatever is no table is replaced."""
    made = dict(base)
    for key, value in own.items():
        under = made.get(key)
        both = isinstance(under, Mapping) and isinstance(value, Mapping)
        made[key] = _merged(under, value) if both else value  # type: ignore[arg-type]
    return made


def _valid(kind: TypeAdapter[Kind], values: Any, source: str) -> Kind:
    try:
        return kind.validate_python(values)
    except InputError as error:
        raise InputError(f"{source}: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        if first["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
            raise InputError(f"{source}: there is no {name}: leave it out") from None
        where = f"{name}: " if name else ""
        found = f", found {_short(first['input'])}" if where else ""
        why = first["msg"].removeprefix("Value error, ")
        raise InputError(f"{source}: {where}{why}{found}") from None


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
