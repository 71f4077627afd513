"""Which phantoms there are."""

from __future__ import annotations

import tomllib
from importlib import resources

from pydantic import ValidationError

from guidegen.errors import InputError
from guidegen.phantoms.definition import Definition
from guidegen.phantoms.leg_definition import LegsDefinition


def phantom_names() -> tuple[str, ...]:
    """List the phantoms that can be made, in alphabetical order."""
    folder = resources.files("guidegen.phantoms.definitions")
    files = (entry.name for entry in folder.iterdir())
    return tuple(sorted(name[:-5] for name in files if name.endswith(".toml")))


def definition_text(name: str) -> str:
    """The TOML text of a phantom's definition.

    Raises:
        InputError: There is no such phantom.
    """
    names = phantom_names()
    if name not in names:
        raise InputError(f"there is no phantom {name!r}; choose one of {', '.join(names)}")
    folder = resources.files("guidegen.phantoms.definitions")
    return folder.joinpath(f"{name}.toml").read_text(encoding="utf-8")


def load_definition(name: str) -> Definition | LegsDefinition:
    """Read a phantom's definition by name: a spine's, or legs' where it says so.

    Raises:
        InputError: There is no such phantom, or its file is not valid.
    """
    text = definition_text(name)
    try:
        told = tomllib.loads(text)
        kind = LegsDefinition if told.get("kind") == "legs" else Definition
        return kind(name=name, **told)
    except (ValidationError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"the definition of phantom {name} is not valid: {error}") from None


def spine_definition(name: str) -> Definition:
    """Read the definition of a phantom of a spine.

    Raises:
        InputError: There is no such phantom, or it is one of legs.
    """
    found = load_definition(name)
    if isinstance(found, LegsDefinition):
        raise InputError(f"a phantom of a spine was wanted, {name} is one of legs")
    return found
