"""history.json: who changed what of a plan, and when."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from guidegen.export.atomic import write_json
from guidegen.export.folder import CaseFolder
from guidegen.model.case import Change

SCHEMA = "guidegen.history/1"
NAME = "history.json"


def append(folder: CaseFolder, entry: Mapping[str, Any]) -> None:
    """Add an entry; the file is written whole or not at all.

    Args:
        folder: The case.
        entry: ``at`` (ISO 8601 with zone), ``by``, ``what``, ``item`` and the plan's hash after it.

    Raises:
        InputError: The folder can't be written.
    """
    entries = [*read(folder), dict(entry)]
    write_json(folder.root / NAME, {"schema": SCHEMA, "entries": entries})


def read(folder: CaseFolder) -> list[dict[str, Any]]:
    """All entries, oldest first; none where there is no history or it is damaged."""
    try:
        told = json.loads((folder.root / NAME).read_text(encoding="utf-8"))
        entries = told["entries"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [item for item in entries if isinstance(item, dict)]


def changes(folder: CaseFolder) -> tuple[Change, ...]:
    """The entries as the report shows them."""
    names = ("at", "by", "what", "item", "plan_sha256")
    return tuple(Change(*(str(entry.get(n) or "") for n in names)) for entry in read(folder))
