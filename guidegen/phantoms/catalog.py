"""Which phantoms there are."""

from __future__ import annotations

import tomllib
from importlib import resources

from pydantic import ValidationError

from guidegen.errors import InputError
from guidegen.phantoms.definition import Definition


def phantom_names() -> tuple[str, ...]:
    """List the phantoms that can be made, in alphabetical order."""
    folder = resources.files("guidegen.phantoms.definitions")
    files = (entry.name for entry in folder.iterdir())
    return tuple(sorted(name[:-5] for name in files if name.endswith(".toml")))


def load_definition(name: str) -> Definition:
    """Read a phantom's definition by name.

    Raises:
        InputError: There is no such phantom, or its file is not valid.
    """
    names = phantom_names()
    if name not in names:
        raise InputError(f"there is no phantom {name!r}; choose one of {', '.join(names)}")
    text = resources.files("guidegen.phantoms.definitions").joinpath(f"{name}.toml").read_text()
    try:
        return Definition(name=name, **tomllib.loads(text))
    except (ValidationError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"the definition of phantom {name} is not valid: {error}") from None
