"""An example: a batch on a SLURM cluster, ``python pipelines/slurm.py DATASET OUT``.

Needs ``pip install dask-jobqueue`` beside guidegen. Run it on a login node, in ``tmux`` or as a
small job of its own; DATASET and OUT lie on a disk that all nodes share. Queue, account and times
are your cluster's. Stopped or out of time, run it again: what is finished is kept.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

CASES_AT_ONCE = 40
MEMORY_GB = 6
MARGIN_GB = 1
"""SLURM ends a job that takes more than its memory, and the worker with it; a case must be ended
before that, so that it is told apart from one that was killed."""
MINUTES_A_CASE = 30


def main() -> int:
    """Start workers through the queue, run the batch on them, end them; returns its exit code."""
    from dask.distributed import Client
    from dask_jobqueue import SLURMCluster

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset")
    parser.add_argument("out")
    given = parser.parse_args()
    with SLURMCluster(
        queue="short",
        account="my-group",
        cores=1,  # a case takes one processor,
        processes=1,  # and a worker one case: a worker that is killed costs no other
        memory=f"{MEMORY_GB}GB",
        walltime="08:00:00",
        local_directory="/tmp",
    ) as cluster:
        cluster.scale(jobs=CASES_AT_ONCE)
        with Client(cluster) as client:
            client.wait_for_workers(1)  # however long the queue is
        order = command(given.dataset, given.out, cluster.scheduler_address)
        return subprocess.run(order).returncode


def command(dataset: str, out: str, scheduler: str) -> list[str]:
    """The batch on workers that run."""
    limits = (
        f"--memory-limit={MEMORY_GB - MARGIN_GB}GB",
        f"--case-timeout={60 * MINUTES_A_CASE}",
    )
    return [sys.executable, "-m", "guidegen", "batch", dataset, "--out", out,
            f"--scheduler={scheduler}", *limits]  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
