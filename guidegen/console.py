"""The terminal: progress, results, errors as one sentence, exit codes."""

from __future__ import annotations

import logging
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from guidegen.arguments import Talk
from guidegen.errors import GuidegenError, NotApproved
from guidegen.export.atomic import json_text, os_sentence
from guidegen.model.notice import Progress, silent

DONE, COULD_NOT, CHECK_FAILED, NOT_APPROVED = 0, 1, 2, 3


@dataclass(frozen=True)
class Outcome:
    """What a command hands back.

    Args:
        data: The machine-readable result.
        lines: The same for people.
        code: Exit code.
    """

    data: dict[str, Any]
    lines: tuple[str, ...]
    code: int = DONE


@dataclass
class _Lines:
    """Progress where there is no terminal: a line a stage, with ``-v`` a line a step."""

    verbose: bool
    last: str = field(default="")

    def __call__(self, text: str, share: float) -> None:
        shown = text if self.verbose else text.split(": ")[0]
        if shown != self.last:
            self.last = shown
            print(f"[{share:4.0%}] {shown}", file=sys.stderr, flush=True)


def perform(command: str, talk: Talk, work: Callable[[Progress], Outcome]) -> int:
    """Run a command's work, print what came of it and return the exit code."""
    _settle_streams(talk)
    try:
        with _progress(talk) as progress:
            outcome = work(progress)
    except (Exception, KeyboardInterrupt) as error:
        if talk.verbose:
            traceback.print_exc()
        return _tell_error(command, talk, error)
    if talk.json:
        _print(json_text({"command": command, "exit": outcome.code, **outcome.data}).rstrip("\n"))
    elif not talk.quiet:
        _print("\n".join(outcome.lines))
    elif outcome.code:
        print("\n".join(outcome.lines), file=sys.stderr, flush=True)
    return outcome.code


def sentence_of(error: BaseException) -> str:
    """Say in one sentence what was wanted, what was found and what to do."""
    if isinstance(error, GuidegenError):
        return " ".join(str(error).split())
    if isinstance(error, KeyboardInterrupt):
        return "stopped before the end; no file was left half written"
    if isinstance(error, MemoryError):
        return "the computer ran out of memory: close other programs or plan fewer --levels"
    if isinstance(error, OSError):
        return os_sentence(error)
    kind = type(error).__name__
    return f"this is a bug in guidegen ({kind}): run again with -v and report what it prints"


def _tell_error(command: str, talk: Talk, error: BaseException) -> int:
    code = NOT_APPROVED if isinstance(error, NotApproved) else COULD_NOT
    text = sentence_of(error)
    print(f"guidegen: {text}", file=sys.stderr, flush=True)
    if talk.json:
        what = {"type": type(error).__name__, "message": text}
        _print(json_text({"command": command, "exit": code, "error": what}).rstrip("\n"))
    return code


def _settle_streams(talk: Talk) -> None:
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    if not talk.verbose:
        warnings.simplefilter("ignore")
        logging.disable(logging.CRITICAL)


def _print(text: str) -> None:
    try:
        print(text, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def _progress(talk: Talk) -> Iterator[Progress]:
    console = Console(stderr=True)
    if talk.quiet:
        yield silent
    elif not console.is_terminal:
        yield _Lines(talk.verbose)
    else:
        columns = (
            BarColumn(30),
            TextColumn("{task.description}", markup=False),
            TimeElapsedColumn(),
        )
        with Bar(*columns, console=console, transient=not talk.verbose) as bar:
            task = bar.add_task("", total=1.0)

            def show(text: str, share: float) -> None:
                bar.update(task, completed=share, description=text)

            yield show
