"""log.txt: which command ran when, how long each step took, what failed, how it ended."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import datetime

from guidegen import __version__
from guidegen.export.atomic import write_text
from guidegen.export.folder import CaseFolder
from guidegen.model.notice import Progress

MAX_LINES = 2000


class Log:
    """Collect the steps of one command; holds no path, no input's name and no exception's text.

    Args:
        command: Its name.
    """

    def __init__(self, command: str) -> None:
        self._started = self._since = time.perf_counter()
        self._step = ""
        self._lines = [f"{_now()} {command} (guidegen {__version__})"]

    def listen(self, progress: Progress) -> Progress:
        """Pass progress on and note the seconds of each stage, by the name before the colon."""

        def heard(text: str, share: float) -> None:
            step = text.split(": ")[0] if ": " in text else ""
            if step != self._step:
                self._close_step()
                self._step = step
            progress(text, share)

        return heard

    def note(self, lines: Iterable[str]) -> None:
        """Write down what the case itself holds too: failed checks, red warnings."""
        self._close_step()
        self._lines += [f"  {line}" for line in lines]

    def write(self, folder: CaseFolder, ending: str) -> None:
        """Append to the case's log.txt."""
        self._close_step()
        seconds = time.perf_counter() - self._started
        self._lines.append(f"{_now()} {ending} after {seconds:.1f} s")
        old = folder.log.read_text(encoding="utf-8") if folder.log.is_file() else ""
        lines = (old.splitlines() + self._lines)[-MAX_LINES:]
        write_text(folder.log, "\n".join(lines) + "\n")

    def _close_step(self) -> None:
        now = time.perf_counter()
        if self._step:
            self._lines.append(f"  {now - self._since:7.1f} s  {self._step}")
        self._step, self._since = "", now


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")
