"""Write docs/settings.md from the procedures' settings: ``python -m docs.make_settings``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from guidegen.procedures.registry import PROCEDURES

PAGE = Path(__file__).with_name("settings.md")


def rows(kind: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """One table row a setting; nested settings with their path."""
    for name, field in kind.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from rows(inner, f"{prefix}{name}.")
            continue
        extra = field.json_schema_extra
        unit = extra.get("unit", "") if isinstance(extra, dict) else ""
        value = field.get_default(call_default_factory=True)
        reason = (field.description or "").replace("|", "\\|").replace("\n", " ")
        yield f"| `{prefix}{name}` | `{value}` | {unit} | {reason} |"


def page() -> str:
    """The whole page."""
    lines = [
        "# Settings",
        "",
        "Made by `python -m docs.make_settings`; a test keeps it up to date. Put what you want to "
        "change into a TOML file and give it with `--config`; a name with a dot is a key in a "
        "table: `guide.fit_gap_mm` is `fit_gap_mm` under `[guide]`. Unknown keys are an error.",
    ]
    for name, procedure in PROCEDURES.items():
        lines += ["", f"## {name}", "", "| setting | default | unit | reason and source |"]
        lines += ["|---|---|---|---|", *rows(procedure.settings_type)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
