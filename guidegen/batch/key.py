"""What a finished case depends on: with the same key it need not be run again."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import guidegen
from guidegen.batch.cases import PATHS, BatchCase
from guidegen.export.atomic import json_text, sha256_file, sha256_of
from guidegen.export.record import versions

SMALL_BYTES = 100_000
"""Below this a file is read (engineering choice: TOML, not slices)."""
DETACHED = re.compile(rb"^data ?file:[ \t]*(.+?)[ \t\r]*$", re.IGNORECASE | re.MULTILINE)
CODE = (".py", ".toml", ".j2", ".ttf")


def key_of(case: BatchCase) -> str:
    """Hash a case's inputs, options, settings and the program, as 64 hex digits.

    Small files count by what they hold, scans by the name, size and time of change of each of
    their files, so that a data set of many gigabytes need not be read to find that nothing
    changed. The program counts by its source, not by its version alone.
    """
    files = [case.options[name] for name in PATHS if case.options.get(name)]
    told = {
        "procedure": case.procedure,
        "options": {n: _told(n, value) for n, value in case.options.items()},
        "settings": dict(case.settings),
        "limits": dict(case.expect.limits) if case.expect else {},
        "inputs": [list(_listed(Path(path))) for path in (case.place, *files)],
        "program": program_sha256(),
    }
    return sha256_of(json.dumps(told, sort_keys=True, default=str).encode("utf-8"))


def _told(name: str, value: Any) -> Any:
    """An option; a file counts by what it holds, wherever it lies."""
    return "" if name in PATHS else value


@cache
def program_sha256() -> str:
    """Hash the program's own files and the versions of what it computes with."""
    root = Path(guidegen.__file__).parent
    digest = hashlib.sha256(json_text(versions()).encode("utf-8"))
    for path in sorted(root.rglob("*")):
        if path.suffix in CODE and path.is_file():
            digest.update(path.relative_to(root).as_posix().encode("utf-8"))
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _listed(path: Path) -> Iterator[str]:
    """One text for each file of an input, in the order of their names."""
    if not os.path.isdir(path):  # also where it is no path at all
        yield _file(path, path.name)
        for beside in _beside(path):
            yield _file(beside, beside.name)
        return
    for root, folders, names in os.walk(path):
        folders.sort()
        for name in sorted(names):
            inside = Path(root) / name
            yield _file(inside, inside.relative_to(path).as_posix())


def _beside(path: Path) -> Iterator[Path]:
    """The file that a NRRD header names beside itself, if it does not hold the values."""
    try:
        with path.open("rb") as stream:
            head = stream.read(SMALL_BYTES)
    except (OSError, ValueError):
        return
    header = re.split(rb"\r?\n\r?\n", head, maxsplit=1)[0] if head.startswith(b"NRRD") else b""
    named = DETACHED.search(header)
    if named:
        yield path.parent / os.fsdecode(named.group(1))


def _file(path: Path, name: str) -> str:
    try:
        found = path.stat()
        if path.is_file() and found.st_size <= SMALL_BYTES:
            return f"{name} {found.st_size} {sha256_file(path)}"
    except (OSError, ValueError) as error:
        return f"{name} {type(error).__name__}"
    return f"{name} {found.st_size} {found.st_mtime_ns}"
