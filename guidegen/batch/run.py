"""A batch from its data set to its summary."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from guidegen.batch.alive import process_of, write_process
from guidegen.batch.cases import BatchCase
from guidegen.batch.cluster import Where, run_jobs, workers
from guidegen.batch.dataset import MARK
from guidegen.batch.job import ASIDE, Job
from guidegen.batch.kept import is_changed_by_hand, is_whole
from guidegen.batch.key import key_of, program_sha256
from guidegen.batch.result import (
    LATE,
    MEMORY,
    NOT_RUN,
    Result,
    Row,
    read_result,
    surprises,
    write_result,
)
from guidegen.batch.summary import SUMMARIES, write_summary
from guidegen.errors import InputError
from guidegen.export.atomic import unwritable
from guidegen.model.notice import Progress, silent

AT_WORK = "running.json"
LONGEST_S = 3600.0
BY_HAND = (
    "its plan was changed or approved by hand, and is not made anew over that: move its folder in "
    "cases elsewhere, then run the batch again"
)
SHOWN = 4
"""Running cases that are named in the progress."""


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
        if self.timeout_s is not None and not self.timeout_s > 0:
            raise InputError(f"--case-timeout wants more than 0 s, found {self.timeout_s:g}")


def run_batch(
    cases: Sequence[BatchCase], asking: Asking, progress: Progress = silent
) -> tuple[Row, ...]:
    """Run the cases that are not finished yet, and write the summary of all.

    Where it is stopped in the middle, the summary shows how far it came; run again, it goes on.

    Args:
        cases: Of a data set, with names of their own.
        asking: Where to and how.
        progress: Told whenever cases begin or one ends.

    Returns:
        A row for each case, in the cases' order.

    Raises:
        InputError: The folder can't be used, or the scheduler does not answer.
    """
    _usable(asking.out, cases)
    run = uuid.uuid4().hex
    jobs = [_job(case, asking, run) for case in cases]
    rows = {job.case.name: row for job in jobs if (row := _known(job, asking)) is not None}
    waiting = [job for job in jobs if job.case.name not in rows]
    progress(_told(rows, jobs, f"{len(waiting)} to run"), len(rows) / max(len(jobs), 1))
    if waiting:
        with workers(asking.where, len(waiting)) as client, _at_work(asking.out):
            try:
                for row, running in _rows(run_jobs(client, waiting, asking.where.wait_s), waiting):
                    if row is not None:
                        rows[row.case.name] = row
                    progress(_line(row, running, rows, jobs), len(rows) / len(jobs))
            except BaseException:
                write_summary(asking.out, [rows.get(j.case.name) or _stopped(j) for j in jobs])
                raise
    whole = tuple(rows[case.name] for case in cases)
    _begin(asking.out)
    write_summary(asking.out, whole)
    return whole


def _usable(out: Path, cases: Sequence[BatchCase]) -> None:
    """See that a folder is new, empty or a batch's, and lies in no scan.

    Raises:
        InputError: It is not.
    """
    if out.exists() and not out.is_dir():
        raise InputError(f"--out wants a folder, but {out.name} is a file: choose another name")
    if out.is_dir() and any(out.iterdir()) and not (out / MARK).is_file():
        raise InputError(f"{out} holds something else than a batch: choose another --out")
    whole = out.resolve()
    if any(case.place == whole or case.place in whole.parents for case in cases):
        raise InputError(f"--out {out} lies in a scan of the data set: choose another one")
    _alone(out)


def _alone(out: Path) -> None:
    """See that no other batch of this computer works in a folder.

    Raises:
        InputError: One does.
    """
    if process_of(out / AT_WORK) is not None:
        raise InputError(f"another batch is at work in {out}: wait for it, or choose another --out")


def _begin(out: Path) -> None:
    """Make the batch's folder and mark it as one."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / MARK).write_text('schema = "guidegen.batch/1"\n', encoding="utf-8", newline="\n")
    except OSError as error:
        raise unwritable(out, error) from error


@contextmanager
def _at_work(out: Path) -> Iterator[None]:
    """Mark a folder as worked in; afterwards no worker goes on in it, whatever happened."""
    _alone(out)  # workers take seconds to come: another one may have begun meanwhile
    _begin(out)
    for name in SUMMARIES:
        (out / name).unlink(missing_ok=True)
    write_process(out / AT_WORK, os.getpid())
    try:
        yield
    finally:
        shutil.rmtree(out / ASIDE, ignore_errors=True)
        (out / AT_WORK).unlink(missing_ok=True)


def _job(case: BatchCase, asking: Asking, run: str) -> Job:
    allowed = asking.memory_bytes or asking.where.share_of_memory()
    out, key = asking.out.resolve(), key_of(case)
    return Job(case, out, key, run, program_sha256(), asking.timeout_s, allowed)


def _known(job: Job, asking: Asking) -> Row | None:
    """The row of a case that need not or can't be run; None if it is to be run."""
    problem = job.case.why_not()
    if problem:
        return _not_run(job, job.without_paths(problem))
    kept = read_result(job.result)
    if kept is not None and _is_finished(job, kept):
        row = Row(job.case, kept, True, surprises(job.case, kept))
        if row.as_expected or not asking.again:
            return row
    return _not_run(job, BY_HAND) if is_changed_by_hand(job.folder) else None


def _is_finished(job: Job, result: Result) -> bool:
    """True if nothing changed since a case ended, and its files are still there.

    One that met a limit is finished as long as the limit is no higher.
    """
    if (result.name, result.key) != (job.case.name, job.key) or result.outcome == NOT_RUN:
        return False
    if result.outcome == LATE and (job.timeout_s is None or job.timeout_s > result.seconds):
        return False
    allowed = job.memory_bytes
    if result.outcome == MEMORY and (allowed is None or allowed / 1e6 > result.peak_mb):
        return False
    return not result.facts or is_changed_by_hand(job.folder) or is_whole(job.folder)


def _rows(
    endings: Iterator[tuple[Result | None, tuple[str, ...]]], jobs: Sequence[Job]
) -> Iterator[tuple[Row | None, tuple[str, ...]]]:
    """A row for each result, which is kept first."""
    named = {job.case.name: job for job in jobs}
    for result, running in endings:
        if result is None:
            yield None, running
            continue
        job = named[result.name]
        kept = replace(result, key=job.key)
        write_result(job.result, kept)
        yield Row(job.case, kept, False, surprises(job.case, kept)), running


def _stopped(job: Job) -> Row:
    """The row of a case that the batch did not come to."""
    return _not_run(job, "the batch was stopped before its end: run it again to go on")


def _not_run(job: Job, reason: str) -> Row:
    result = Result(job.case.name, job.key, NOT_RUN, reason=reason)
    return Row(job.case, result, False, surprises(job.case, result))


def _line(
    row: Row | None, running: Sequence[str], rows: dict[str, Row], jobs: Sequence[Job]
) -> str:
    """What is said when cases begin or one ends."""
    texts = []
    if row is not None:
        texts.append(f"{row.case.name} {row.result.outcome} in {row.result.seconds:.0f} s")
        if not row.as_expected:
            texts[0] += f", NOT as expected ({row.surprises[0]})"
    if running:
        more = " ..." if len(running) > SHOWN else ""
        texts.append(f"running {', '.join(running[:SHOWN])}{more}")
    return _told(rows, jobs, " · ".join(texts))


def _told(rows: dict[str, Row], jobs: Sequence[Job], text: str) -> str:
    return f"{len(rows)} of {len(jobs)} cases · {text}".replace(": ", " – ")
