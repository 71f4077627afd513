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
        text = " to ".join(f"{v:g}" for v in value) if isinstance(value, tuple) else f"{value}"
        unit = str(extra.get("unit", ""))
        rows.append(SettingRow(f"{prefix}{name}", text, unit, info.description or ""))
    return tuple(rows)
