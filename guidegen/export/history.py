"""history.json: who changed what of a plan, and when."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from guidegen.export.atomic import write_json
from guidegen.export.folder import CaseFolder
from guidegen.model.case import Change

SCHEMA = "guidegen.history/1"
NAME = "history.json"
DAMAGED = "history.damaged.json"


def append(folder: CaseFolder, entry: Mapping[str, Any]) -> None:
    """Add an entry; the file is written whole or not at all, one that is damaged is put aside.

    Args:
        folder: The case.
        entry: ``at`` (ISO 8601 with zone), ``by``, ``what``, ``item`` and the plan's hash after it.

    Raises:
        InputError: The folder can't be written.
    """
    path = folder.root / NAME
    if path.is_file() and _read(path) is None:
        os.replace(path, path.with_name(DAMAGED))
    write_json(path, {"schema": SCHEMA, "entries": [*read(folder), dict(entry)]})


def read(folder: CaseFolder) -> list[dict[str, Any]]:
    """All entries, oldest first; none where there is no history or it is damaged."""
    return _read(folder.root / NAME) or []


def _read(path: Path) -> list[dict[str, Any]] | None:
    """All entries; None where the file is absent or damaged."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["entries"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    if not isinstance(entries, list):
        return None
    return [item for item in entries if isinstance(item, dict)]


def changes(folder: CaseFolder) -> tuple[Change, ...]:
    """The entries as the report shows them."""
    names = ("at", "by", "what", "item", "plan_sha256")
    return tuple(Change(*(str(entry.get(n) or "") for n in names)) for entry in read(folder))
