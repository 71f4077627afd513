"""The phantoms that can be made: one TOML file each in ``definitions``."""

from __future__ import annotations

from guidegen.phantoms.definition import Definition, load_definition, phantom_names

__all__ = ["Definition", "load_definition", "phantom_names"]
