"""A case on its way to a worker: where its files lie, and what of them may be said."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from guidegen.batch.cases import PATHS, BatchCase
from guidegen.batch.naming import plain_name, safe_name
from guidegen.export.folder import CaseFolder

ASIDE = ".work"
SHORTEST = 4
"""Shorter names are parts of other words (engineering choice)."""


@dataclass(frozen=True)
class Job:
    """One case for a worker.

    Args:
        case: What to run.
        out: The batch's folder, as the worker sees it.
        key: Of the case.
        run: Of this run of the batch: a case that finds it already begun was killed.
        program: Hash of the program that the batch itself runs.
        timeout_s: Longest time for the case; None is any.
        memory_bytes: Most memory for the case; None is any.
    """

    case: BatchCase
    out: Path
    key: str
    run: str
    program: str
    timeout_s: float | None = None
    memory_bytes: int | None = None

    @property
    def folder(self) -> CaseFolder:
        """The case's own folder."""
        return CaseFolder(self.out / "cases" / self.case.name)

    @property
    def aside(self) -> Path:
        """Where its scan is made, its beginning is marked and its commands write."""
        return self.out / ASIDE / self.case.name

    @property
    def log(self) -> Path:
        """What the commands said."""
        return self.out / "logs" / f"{self.case.name}.txt"

    @property
    def truth(self) -> Path:
        """What is known of a phantom."""
        return self.out / "truth" / f"{self.case.name}.json"

    @property
    def pictures(self) -> Path:
        """Of its parts."""
        return self.out / "pictures" / self.case.name

    @property
    def result(self) -> Path:
        """Where its result is kept."""
        return self.out / "results" / f"{self.case.name}.json"

    def without_paths(self, text: str) -> str:
        """Leave out where files lie and what a scan is called: it may tell who the patient is.

        A name that the case has itself, and a definition's, stay.

        Args:
            text: Of a command.

        Returns:
            The same with ``CASE``, ``INPUT``, ``LABELS``, ... instead.
        """
        for path, word in self._places():
            for written in (str(path), path.as_posix(), _readable(path)):
                text = text.replace(written, word)
        text = re.sub(r"\b(INPUT|LABELS)[/\\][^:\n\"]*", r"\1", text)
        for path, word in self._given():
            own = _readable(Path(path.name))
            if len(own) >= SHORTEST and not self._is_known(own):
                text = re.sub(rf"(?<![\w.-]){re.escape(own)}(?![\w-])", word, text)
        return text

    def _places(self) -> Iterator[tuple[Path, str]]:
        """Where files lie, the longer paths first."""
        yield self.folder.root, "CASE"
        yield self.aside / "scan", "INPUT"
        yield from self._given()
        yield self.out, "BATCH"

    def _given(self) -> Iterator[tuple[Path, str]]:
        """The files and folders that the data set names."""
        yield self.case.source, "INPUT"
        for name in PATHS:
            if self.case.options.get(name):
                yield Path(self.case.options[name]), name.upper()

    def _is_known(self, own: str) -> bool:
        """True if a name is the case's own or a definition's."""
        return own.lower().endswith(".toml") or safe_name(plain_name(Path(own))) == self.case.name


def _readable(path: Path) -> str:
    """A path as a command writes it where letters are no UTF-8."""
    return str(path).encode("utf-8", "replace").decode("utf-8")
