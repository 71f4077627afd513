"""Settings: every number with unit, reason and source; unknown keys are errors."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Settings(BaseModel):
    """What all settings have in common: no unknown keys, and nothing changes them."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def setting(default: Any, unit: str, why: str, **bounds: Any) -> Any:
    """Declare one setting.

    Args:
        default: Its value, of the type that the field is annotated with.
        unit: ``mm``, ``deg``, ``HU``, or ``1`` for a share.
        why: What it is, and in brackets where it comes from; the report and docs/settings.md
            print it.
        bounds: Numbers, as ``ge``, ``gt``, ``le`` or ``lt``.

    Returns:
        The field, as pydantic wants it.
    """
    return Field(default, description=why, json_schema_extra={"unit": unit}, **bounds)
