"""Jobs on dask workers: a cluster of this computer's own, or one that runs already."""

from __future__ import annotations

import logging
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import psutil
from distributed import Client, Future, LocalCluster, wait

from guidegen.batch.result import CRASHED, NOT_RUN, Result
from guidegen.batch.work import Job, killed, run_case
from guidegen.errors import InputError

LOOK_S = 0.5
ANSWER_S = 15.0
WORKERLESS_S = 60.0
"""How long to wait for a worker where there is none (engineering choice: a nanny starts a new
one within seconds, a queue of a cluster has its own ways to wait)."""


@dataclass(frozen=True)
class Where:
    """Where a batch runs.

    Args:
        scheduler: Address of a running dask scheduler; None makes workers on this computer.
        workers: How many of them; None is one a processor.
        wait_s: How long to go on without any worker.
    """

    scheduler: str | None = None
    workers: int | None = None
    wait_s: float = WORKERLESS_S

    def __post_init__(self) -> None:
        if self.workers is not None and self.workers < 1:
            raise InputError(f"--workers wants 1 or more, found {self.workers}")
        if self.scheduler is not None and self.workers is not None:
            raise InputError("--workers is for this computer: a scheduler has its own workers")

    @property
    def n_local(self) -> int:
        """Workers that are made here."""
        return self.workers or os.cpu_count() or 1

    def share_of_memory(self) -> int | None:
        """Bytes a case may take where nothing else is said: an even share of this computer."""
        return None if self.scheduler else psutil.virtual_memory().total // self.n_local


def run_jobs(jobs: Sequence[Job], where: Where) -> Iterator[tuple[Result, tuple[str, ...]]]:
    """Run jobs on workers, at most one a worker's thread at a time, and yield as they end.

    A case whose worker dies is not tried again: what ended one worker may end them all, and the
    summary says so.

    Args:
        jobs: In the order in which they begin.
        where: On which workers.

    Yields:
        A result, and the names of the cases that are running then.

    Raises:
        InputError: No scheduler answers at the address.
    """
    if not jobs:
        return
    with _client(where) as client:
        yield from _Queue(client, list(jobs), where.wait_s).results()


class _Queue:
    """Hands out a job whenever a worker is free."""

    def __init__(self, client: Client, jobs: list[Job], wait_s: float) -> None:
        self._client = client
        self._waiting = jobs
        self._running: dict[Future, Job] = {}
        self._wait_s = wait_s
        self._seen = time.monotonic()

    def results(self) -> Iterator[tuple[Result, tuple[str, ...]]]:
        """Every job's result, as they end."""
        while self._waiting or self._running:
            n_free = self._threads() - len(self._running)
            for _ in range(min(n_free, len(self._waiting))):
                job = self._waiting.pop(0)
                key = f"guidegen-{job.run}-{job.case.name}"
                future = self._client.submit(run_case, job, key=key, pure=False, retries=0)
                self._running[future] = job
            if time.monotonic() - self._seen > self._wait_s:
                yield from self._given_up()
                return
            for future in self._ended():
                job = self._running.pop(future)
                yield _result_of(future, job), self._names()

    def _threads(self) -> int:
        """How many jobs the workers can do at once."""
        workers = self._client.scheduler_info(n_workers=-1)["workers"].values()
        if workers:
            self._seen = time.monotonic()
        return sum(int(worker["nthreads"]) for worker in workers)

    def _ended(self) -> list[Future]:
        if not self._running:
            time.sleep(LOOK_S)
            return []
        try:
            done = wait(list(self._running), timeout=LOOK_S, return_when="FIRST_COMPLETED").done
        except TimeoutError:
            return []
        return [future for future in self._running if future in done]

    def _names(self) -> tuple[str, ...]:
        return tuple(sorted(job.case.name for job in self._running.values()))

    def _given_up(self) -> Iterator[tuple[Result, tuple[str, ...]]]:
        """All that is left, where no worker came back."""
        reason = f"the scheduler has had no worker for {self._wait_s:g} s: start one, run it again"
        for job in (*self._running.values(), *self._waiting):
            yield Result(job.case.name, job.key, NOT_RUN, reason=reason), ()


def _result_of(future: Future, job: Job) -> Result:
    """A job's result, also where its worker did not live to give one."""
    if future.status == "finished":
        found: Result = future.result()
        return found
    error: Any = future.exception() if future.status == "error" else None
    kind = type(error).__name__
    if error is None or kind in ("KilledWorker", "CommClosedError"):
        return killed(job)
    reason = f"this is a bug in guidegen ({kind}): run the case alone with -v"
    return Result(job.case.name, job.key, CRASHED, reason=reason)


@contextmanager
def _client(where: Where) -> Iterator[Client]:
    with ExitStack() as stack:
        if where.scheduler:
            address: Any = where.scheduler
        else:
            aside = stack.enter_context(
                tempfile.TemporaryDirectory(prefix="guidegen-", ignore_cleanup_errors=True)
            )
            address = stack.enter_context(
                LocalCluster(
                    n_workers=where.n_local,
                    threads_per_worker=1,
                    processes=True,
                    memory_limit=0,
                    dashboard_address=None,
                    local_directory=aside,
                    silence_logs=logging.CRITICAL,
                )
            )
        yield stack.enter_context(_connected(address))


def _connected(address: Any) -> Client:
    try:
        return Client(address, timeout=ANSWER_S)
    except (OSError, ValueError, TimeoutError) as error:
        raise InputError(
            f"no dask scheduler answers at {address}: start one with 'dask scheduler' or "
            "leave --scheduler out"
        ) from error
