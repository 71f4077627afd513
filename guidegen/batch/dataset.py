"""A data set's cases: phantom definitions, scans, or what a cases.toml lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from guidegen.batch.cases import PATHS, BatchCase, phantom_case
from guidegen.batch.listed import CASES_FILE, listed_cases
from guidegen.batch.naming import name_of
from guidegen.errors import InputError
from guidegen.procedures.registry import PROCEDURES

MARK = "batch.toml"
"""Stands in the folder of a batch, which is no scan."""
NO_SCANS = (".txt", ".md", ".csv", ".json", ".html", ".pdf", ".log", ".db", ".ini")


def read_dataset(
    dataset: Path, procedure: str | None = None, options: Mapping[str, Any] | None = None
) -> tuple[BatchCase, ...]:
    """List the cases of a data set, by name.

    Args:
        dataset: ``cases.toml``, a folder that holds one, a folder of phantom definitions
            (``.toml``), or a folder with a scan in each folder or file.
        procedure: What to plan on a folder of scans; the others say it themselves.
        options: Fields of ``Order`` for all of a folder of scans.

    Raises:
        InputError: It is none of these, is empty, or names are wrong; a definition that is
            wrong is a case that can't be run, not the end of the others.
    """
    given = _given(options or {})
    if not dataset.exists():
        raise InputError(f"there is no data set {dataset}: check the path")
    listed = dataset / CASES_FILE if dataset.is_dir() else dataset
    is_listed = listed.is_file() and listed.suffix.lower() == ".toml"
    definitions = [] if is_listed else _definitions(dataset)
    if not is_listed and not definitions:
        return _named_apart(list(_scans(dataset, procedure, given)))
    if procedure or given:
        wrong = "procedure" if procedure else next(iter(given)).replace("_", "-")
        raise InputError(f"this data set says itself what to plan: leave out --{wrong}")
    return _named_apart(
        listed_cases(listed) if is_listed else [phantom_case(path) for path in definitions]
    )


def _given(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that were really given.

    Raises:
        InputError: One of them means nothing to a batch.
    """
    given = {name: value for name, value in options.items() if value not in (None, False)}
    if given.pop("force", False):
        raise InputError("a batch replaces what changed without --force: leave it out")
    if given.get("side") == "both":
        del given["side"]
    return given


def _definitions(dataset: Path) -> list[Path]:
    """The phantom definitions of a folder.

    Raises:
        InputError: It holds scans too, which nobody would miss in the summary.
    """
    found = _visible(dataset) if dataset.is_dir() else []
    definitions = [path for path in found if path.suffix.lower() == ".toml"]
    others = len(found) - len(definitions)
    if definitions and others:
        raise InputError(
            f"{dataset.name} holds {len(definitions)} .toml beside {others} other files or "
            f"folders: list in a {CASES_FILE} what is to be run, or put scans and definitions apart"
        )
    return definitions


def _visible(folder: Path) -> list[Path]:
    """What of a folder may be a case: no hidden file, no text, no batch."""
    return [
        path
        for path in sorted(folder.iterdir())
        if not path.name.startswith(".")
        and path.suffix.lower() not in NO_SCANS
        and not (path / MARK).is_file()
    ]


def _scans(folder: Path, procedure: str | None, options: Mapping[str, Any]) -> Iterator[BatchCase]:
    """A case for each folder and each file of a folder of scans."""
    if not folder.is_dir():
        raise InputError(f"{folder.name} is no data set: give a folder of scans, or a .toml file")
    found = _visible(folder)
    if not found:
        raise InputError(f"{folder} is empty: it should hold a folder or a file for each scan")
    if not procedure:
        raise InputError("a folder of scans needs --procedure: say what is to be planned on them")
    if procedure not in PROCEDURES:
        known = ", ".join(PROCEDURES)
        raise InputError(f"there is no procedure {procedure!r}: --procedure is one of {known}")
    placed = {n: Path(v).resolve() if n in PATHS else v for n, v in options.items()}
    for path in found:
        yield BatchCase(name_of(path), procedure, path.resolve(), placed)


def _named_apart(cases: Sequence[BatchCase]) -> tuple[BatchCase, ...]:
    """The cases in the order of their names, none of them twice.

    Raises:
        InputError: Two have the same name; letters' case does not tell files apart everywhere.
    """
    seen: set[str] = set()
    for case in cases:
        if case.name.lower() in seen:
            raise InputError(
                f"two cases are called {case.name}: rename one, or name both in a cases.toml"
            )
        seen.add(case.name.lower())
    return tuple(sorted(cases, key=lambda case: case.name))
