"""Jobs on dask workers: a cluster of this computer's own, or one that runs already."""

from __future__ import annotations

import logging
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import psutil
from distributed import Client, Future, LocalCluster, wait

from guidegen.batch.job import Job
from guidegen.batch.result import CRASHED, NOT_RUN, Result
from guidegen.batch.work import killed, run_case
from guidegen.errors import InputError

LOOK_S = 0.5
ANSWER_S = 15.0
WORKERLESS_S = 60.0
"""How long to wait for a worker where there is none (engineering choice: a nanny starts a new
one within seconds, a queue of a cluster has its own ways to wait)."""
ABSENT = ("ModuleNotFoundError", "ImportError", "AttributeError")
"""What unpacking a job raises where there is no guidegen, or an older one."""
Ending = tuple[Result | None, tuple[str, ...]]
"""A result, or None where cases only began; and the names of the cases that are running then."""


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


@contextmanager
def workers(where: Where, n_jobs: int) -> Iterator[Client]:
    """Open the way to the workers.

    Args:
        where: On which computers.
        n_jobs: No more workers than jobs are made here.

    Raises:
        InputError: No scheduler answers at the address.
    """
    with ExitStack() as stack:
        if where.scheduler:
            yield stack.enter_context(_connected(where.scheduler))
            return
        aside = stack.enter_context(
            tempfile.TemporaryDirectory(prefix="guidegen-", ignore_cleanup_errors=True)
        )
        cluster = stack.enter_context(
            LocalCluster(
                n_workers=min(where.n_local, n_jobs),
                threads_per_worker=1,
                processes=True,
                memory_limit=0,
                dashboard_address=None,
                preload=["guidegen.batch.undisturbed"],
                local_directory=aside,
                silence_logs=logging.CRITICAL,
            )
        )
        yield stack.enter_context(Client(cluster))


def _connected(address: str) -> Client:
    try:
        return Client(address, timeout=ANSWER_S)
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        raise InputError(
            f"no dask scheduler answers at {address}: start one with 'dask scheduler' or "
            "leave --scheduler out"
        ) from error


def run_jobs(client: Client, jobs: Sequence[Job], wait_s: float = WORKERLESS_S) -> Iterator[Ending]:
    """Run jobs on workers, one a worker at a time, and yield as they begin and end.

    One at a time, so that a worker that is killed costs no other case. A case whose worker dies is
    not tried again: what ended one worker may end them all, and the summary says so.

    Args:
        client: Of ``workers``.
        jobs: In the order in which they begin.
        wait_s: How long to go on without any worker.

    Yields:
        What ended, and what runs.
    """
    yield from _Queue(client, list(jobs), wait_s).endings()


class _Queue:
    """Hands out a job whenever a worker is free."""

    def __init__(self, client: Client, jobs: list[Job], wait_s: float) -> None:
        self._client = client
        self._waiting = jobs
        self._running: dict[Future, tuple[Job, str]] = {}
        self._wait_s = wait_s
        self._seen = time.monotonic()

    def endings(self) -> Iterator[Ending]:
        """Every job's result, as they end."""
        while self._waiting or self._running:
            if self._hand_out():
                yield None, self._names()
            ended = self._ended()
            for future in [f for f in ended if f.status not in ("cancelled", "lost")]:
                job, _ = self._running.pop(future)
                result = _result_of(future, job)
                future.release()  # else a worker that dies later would have it made again
                yield result, self._names()
            if any(future in self._running for future in ended) or self._is_closed():
                yield from self._given_up("the scheduler was ended: start one, run it again")
            elif time.monotonic() - self._seen > self._wait_s:
                yield from self._given_up(
                    f"there was no worker for {self._wait_s:g} s: start one, run it again"
                )

    def _hand_out(self) -> bool:
        """Give each free worker a job; True if any was given.

        A worker that has gone in the meantime must not keep its job waiting for it.
        """
        busy = {address for _, address in self._running.values()}
        free = [address for address in self._workers() if address not in busy]
        given = list(zip(self._waiting, free, strict=False))
        for job, address in given:
            key = f"guidegen-{job.run}-{job.case.name}"
            to: dict[str, Any] = {"workers": [address], "allow_other_workers": True}
            future = self._client.submit(run_case, job, key=key, pure=False, retries=0, **to)
            self._running[future] = (job, address)
        self._waiting = self._waiting[len(given) :]
        return bool(given)

    def _workers(self) -> list[str]:
        """Addresses of the workers that are there; none where the scheduler does not answer."""
        if self._is_closed():
            return []
        try:
            found = sorted(self._client.nthreads())
        except (OSError, ValueError, AttributeError, RuntimeError, CancelledError):
            return []
        if found:
            self._seen = time.monotonic()
        return found

    def _is_closed(self) -> bool:
        """True if the way to the scheduler is lost."""
        return self._client.status in ("closed", "closing")

    def _ended(self) -> list[Future]:
        if not self._running:
            time.sleep(LOOK_S)
            return []
        try:
            wait(list(self._running), timeout=LOOK_S, return_when="FIRST_COMPLETED")
        except TimeoutError:
            return []
        except CancelledError:
            pass  # the scheduler was lost: their state says so
        return [future for future in self._running if future.status != "pending"]

    def _names(self) -> tuple[str, ...]:
        return tuple(sorted(job.case.name for job, _ in self._running.values()))

    def _given_up(self, reason: str) -> Iterator[Ending]:
        """All that is left, where no worker came back."""
        left = [*(job for job, _ in self._running.values()), *self._waiting]
        self._running, self._waiting = {}, []
        for job in left:
            yield Result(job.case.name, job.key, NOT_RUN, reason=reason), ()


def _result_of(future: Future, job: Job) -> Result:
    """A job's result, also where its worker did not live to give one."""
    if future.status == "finished":
        found: Result = future.result()
        return found
    error: Any = future.exception()
    kind = type(error).__name__
    if kind in ("KilledWorker", "CommClosedError"):
        return killed(job)
    if kind in ABSENT and "guidegen" in str(error):
        reason = "its worker has no guidegen, or another one: install the same on both"
        return Result(job.case.name, job.key, NOT_RUN, reason=reason)
    reason = f"this is a bug in guidegen ({kind}): run the case alone with -v"
    return Result(job.case.name, job.key, CRASHED, reason=reason)
