"""Settings from TOML, with every mistake named."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from guidegen.errors import InputError

Settings = TypeVar("Settings", bound=BaseModel)


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises:
        InputError: It is absent or not TOML; the message names the line.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(f"{path.name} can't be read ({error.strerror}): check the path") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path.name} is not valid TOML: {error}") from error


def load_settings(kind: type[Settings], config: Path | None) -> Settings:
    """Read the settings of a procedure; without a file, its defaults."""
    return make_settings(kind, read_toml(config) if config else {}, config.name if config else "")


def make_settings(kind: type[Settings], values: Mapping[str, Any], source: str) -> Settings:
    """Validate settings.

    Raises:
        InputError: A key is unknown (the nearest valid one is named) or a value is wrong.
    """
    try:
        return kind.model_validate(dict(values))
    except ValidationError as error:
        raise InputError(f"{source}: {_first_problem(kind, error)}") from error


def _first_problem(kind: type[BaseModel], error: ValidationError) -> str:
    problem = error.errors()[0]
    where = [str(part) for part in problem["loc"]]
    name = ".".join(where)
    if problem["type"] == "value_error":  # settings that contradict each other say all of it
        return f"{name}: {problem['msg'].removeprefix('Value error, ')}"
    if problem["type"] != "extra_forbidden":
        return f"{name}: {problem['msg']}, found {problem['input']!r}"
    valid = _field_names(kind, where[:-1])
    near = difflib.get_close_matches(where[-1], valid, n=1, cutoff=0.0)
    return f"there is no setting {name}" + (f"; the nearest is {near[0]}" if near else "")


def _field_names(kind: type[BaseModel], path: list[str]) -> list[str]:
    for part in path:
        field = kind.model_fields.get(part)
        inner = field.annotation if field else None
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return []
        kind = inner
    return list(kind.model_fields)
