"""cases.toml: a data set as a list of inputs, each with what is asked of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from guidegen.batch.cases import OPTIONS, PATHS, BatchCase, phantom_case
from guidegen.batch.naming import LONGEST, is_fit, name_of
from guidegen.errors import InputError
from guidegen.export.settings import make_settings, read_toml
from guidegen.phantoms.definition import Expectation

CASES_FILE = "cases.toml"


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


def listed_cases(path: Path) -> list[BatchCase]:
    """Read the cases of a cases.toml; its paths are relative to it.

    A case's settings are laid over those of ``[defaults]``, and both over those of a phantom's
    own definition, table by table.

    Args:
        path: The file.

    Returns:
        The cases in its order.

    Raises:
        InputError: It is no TOML, a key is unknown, or it does not say what is to be done.
    """
    told = make_settings(_File, read_toml(path), path.name)
    usual = told.defaults.model_dump(exclude_unset=True)
    if not told.case:
        raise InputError(f"{path.name} has no [[case]]: add one with input and procedure")
    if {"name", "input"} & set(usual):
        raise InputError(f"{path.name}: name and input belong into each [[case]], not [defaults]")
    found = []
    for number, entry in enumerate(told.case, 1):
        whole = laid_over(usual, entry.model_dump(exclude_unset=True))
        whole["expect"] = entry.expect
        if entry.expect is None and not str(entry.input).lower().endswith(".toml"):
            whole["expect"] = told.defaults.expect  # a definition has its own
        found.append(_case(path, whole, f"{path.name}, case {number}"))
    return found


def _case(path: Path, whole: Mapping[str, Any], where: str) -> BatchCase:
    """One entry, completed with the defaults."""
    if not whole.get("input"):
        raise InputError(f"{where} has no input: say which scan or definition it is")
    for key in ("input", *PATHS):
        if "\0" in (whole.get(key) or ""):
            raise InputError(f"{where}: {key} is no path: write it without control characters")
    source = (path.parent / whole["input"]).resolve()
    own = {name: _placed(path, name, whole[name]) for name in OPTIONS if name in whole}
    settings, expect = whole.get("settings", {}), whole["expect"]
    name = _given_name(whole.get("name"), where)
    if source.suffix.lower() == ".toml":
        made = phantom_case(source)
        return replace(
            made,
            name=name or made.name,
            procedure=whole.get("procedure") or made.procedure,
            options={**made.options, **own},
            settings=laid_over(made.settings, settings),
            expect=expect or made.expect,
            description=whole.get("description") or made.description,
        )
    procedure = whole.get("procedure")
    if not procedure:
        raise InputError(f"{where} has no procedure: say which one is to be planned")
    told = whole.get("description", "")
    return BatchCase(name or name_of(source), procedure, source, own, settings, expect, told)


def laid_over(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Lay a table over another one, table by table; whatever is no table is replaced."""
    made = dict(base)
    for key, value in own.items():
        under = made.get(key)
        if isinstance(under, Mapping) and isinstance(value, Mapping):
            made[key] = laid_over(under, value)
        else:
            made[key] = value
    return made


def _placed(path: Path, name: str, value: Any) -> Any:
    return (path.parent / value).resolve() if name in PATHS else value


def _given_name(name: str | None, where: str) -> str | None:
    if name is not None and not is_fit(name):
        raise InputError(
            f"{where}: name is {_short(name)}, but may hold letters, digits, '.', '_' and '-' "
            f"only, {LONGEST} at most, none of the last three at its ends, and be no device of "
            "Windows such as con"
        )
    return name


def _short(name: str) -> str:
    text = repr(name)
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."
