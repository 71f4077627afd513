"""A batch from its data set to its summary."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from guidegen.batch.cases import BatchCase
from guidegen.batch.cluster import Where, run_jobs
from guidegen.batch.key import key_of, program_sha256
from guidegen.batch.result import Result, Row, read_result, surprises, write_result
from guidegen.batch.summary import write_summary
from guidegen.batch.work import Job
from guidegen.errors import InputError
from guidegen.export.atomic import unwritable
from guidegen.model.notice import Progress, silent

MARK = "batch.toml"
LONGEST_S = 3600.0


@dataclass(frozen=True)
class Asking:
    """How a batch is to run.

    Args:
        out: The batch's folder.
        where: On which workers.
        timeout_s: Longest time for a case.
        memory_bytes: Most memory for a case; None is an even share of the computer.
        again: Run those again that were not as expected.
    """

    out: Path
    where: Where = field(default_factory=Where)
    timeout_s: float | None = LONGEST_S
    memory_bytes: int | None = None
    again: bool = False

    def __post_init__(self) -> None:
        if self.timeout_s is not None and self.timeout_s <= 0:
            raise InputError(f"--case-timeout wants more than 0 s, found {self.timeout_s:g}")


def run_batch(
    cases: Sequence[BatchCase], asking: Asking, progress: Progress = silent
) -> tuple[Row, ...]:
    """Run the cases that are not finished yet, and write the summary of all.

    Args:
        cases: Of a data set, with names of their own.
        asking: Where to and how.
        progress: Told whenever a case ends.

    Returns:
        A row for each case, in the cases' order.

    Raises:
        InputError: The folder can't be used, or the scheduler does not answer.
    """
    _open(asking.out)
    run = uuid.uuid4().hex
    jobs = [_job(case, asking, run) for case in cases]
    rows: dict[str, Row] = {}
    for job in jobs:
        result = _finished(job, asking)
        if result is not None:
            rows[job.case.name] = Row(job.case, result, True, surprises(job.case, result))
    waiting = [job for job in jobs if job.case.name not in rows]
    progress(_told(len(rows), len(jobs), f"{len(waiting)} to run"), len(rows) / len(jobs))
    for row, running in _rows(waiting, asking):
        rows[row.case.name] = row
        progress(_line(row, running, len(rows), len(jobs)), len(rows) / len(jobs))
    shutil.rmtree(asking.out / ".work", ignore_errors=True)
    whole = tuple(rows[case.name] for case in cases)
    write_summary(asking.out, whole)
    return whole


def _open(out: Path) -> None:
    """Make the batch's folder; another folder that holds something is left alone."""
    if out.exists() and not out.is_dir():
        raise InputError(f"--out wants a folder, but {out.name} is a file: choose another name")
    if out.is_dir() and any(out.iterdir()) and not (out / MARK).is_file():
        raise InputError(f"{out} holds something else than a batch: choose another --out")
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / MARK).write_text('schema = "guidegen.batch/1"\n', encoding="utf-8", newline="\n")
    except OSError as error:
        raise unwritable(out, error) from error


def _job(case: BatchCase, asking: Asking, run: str) -> Job:
    allowed = asking.memory_bytes or asking.where.share_of_memory()
    out, key = asking.out.resolve(), key_of(case)
    return Job(case, out, key, run, program_sha256(), asking.timeout_s, allowed)


def _finished(job: Job, asking: Asking) -> Result | None:
    """The result of an earlier run, if nothing changed since and its files are still there."""
    result = read_result(job.result)
    if result is None or result.key != job.key:
        return None
    if result.facts and not job.folder.plan.is_file():
        return None
    if asking.again and surprises(job.case, result):
        return None
    return result


def _rows(jobs: Sequence[Job], asking: Asking) -> Iterator[tuple[Row, tuple[str, ...]]]:
    named = {job.case.name: job for job in jobs}
    for result, running in run_jobs(jobs, asking.where):
        job = named[result.name]
        result = replace(result, key=job.key)
        write_result(job.result, result)
        yield Row(job.case, result, False, surprises(job.case, result)), running


def _line(row: Row, running: Sequence[str], n_done: int, n_all: int) -> str:
    """What is said when a case ends."""
    text = f"{row.case.name} {row.result.outcome} in {row.result.seconds:.0f} s"
    if not row.as_expected:
        text += f", NOT as expected ({row.surprises[0]})"
    if running:
        text += f" · running {', '.join(running[:4])}" + (" ..." if len(running) > 4 else "")
    return _told(n_done, n_all, text)


def _told(n_done: int, n_all: int, text: str) -> str:
    return f"{n_done} of {n_all} cases · {text}".replace(": ", " – ")
