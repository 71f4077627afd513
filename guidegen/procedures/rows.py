"""Settings as rows of the report."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from guidegen.model.case import SettingRow


def rows_of(settings: BaseModel, prefix: str = "") -> tuple[SettingRow, ...]:
    """Flatten settings to rows; the field's description holds reason and source."""
    rows: list[SettingRow] = []
    fields: dict[str, FieldInfo] = type(settings).model_fields
    for name, info in fields.items():
        value: Any = getattr(settings, name)
        if isinstance(value, BaseModel):
            rows += rows_of(value, f"{prefix}{name}.")
            continue
        extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
        unit = str(extra.get("unit", ""))
        usual = _shown(info.get_default(call_default_factory=True))
        told = info.description or ""
        rows.append(SettingRow(f"{prefix}{name}", _shown(value), unit, told, usual))
    return tuple(rows)


def _shown(value: Any) -> str:
    """A range of numbers as from and to, a list of names with commas."""
    if not isinstance(value, tuple):
        return f"{value}"
    if any(isinstance(part, str) for part in value):
        return ", ".join(value)
    return " to ".join(f"{part:g}" for part in value)
