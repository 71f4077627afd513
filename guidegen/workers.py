"""Independent pieces of work side by side, with the results of one after the other."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from joblib import Parallel, delayed

Item = TypeVar("Item")
Result = TypeVar("Result")

MOST = 4
"""Workers at most: each holds the arrays of one guide, about 200 MB (engineering choice)."""


def processors() -> int:
    """How many processors one command may take.

    ``GUIDEGEN_PROCESSORS`` says it where several run beside each other, as in a batch.
    """
    told = os.environ.get("GUIDEGEN_PROCESSORS", "")
    return max(1, int(told)) if told.isdigit() else os.cpu_count() or 1


def side_by_side(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    starting: Callable[[int], None] = lambda number: None,
) -> list[Result]:
    """Do the same work on several items in threads, as many as there are processors.

    Threads, as the libraries that take the time (numpy, scipy, igl) let others run meanwhile,
    share the bones' search trees, and behave alike on all systems. ``work`` must not change
    anything that the items share; then the results do not depend on who is faster.

    Args:
        work: Takes one item.
        items: What to work on.
        starting: Told in the caller's thread, in order, which item's result is waited for.

    Returns:
        The results in the items' order.

    Raises:
        Exception: The first, in the items' order, that ``work`` raised; what has not begun by
            then is left out.
    """
    with ThreadPoolExecutor(min(processors(), MOST)) as pool:
        waiting = [pool.submit(work, item) for item in items]
        results = []
        try:
            for number, future in enumerate(waiting):
                starting(number)
                results.append(future.result())
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return results


def together(*works: Callable[[], Result]) -> list[Result]:
    """Do different pieces of work in threads, as ``side_by_side`` does one on several items.

    Args:
        works: Take nothing and do not change what they share.

    Returns:
        Their results in this order.
    """

    def done(work: Callable[[], Result]) -> Result:
        return work()

    return side_by_side(done, works)


def in_processes(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    starting: Callable[[int], None] = lambda number: None,
) -> list[Result]:
    """Do the same work on several items in processes: where Python itself takes the time.

    Items and results travel between processes, so keep them small. With one item or one
    processor, and in a process that may start no other, the work is done here; also what is left
    when the system ended a process, as it does when memory runs out.

    Args:
        work: Takes one item.
        items: What to work on.
        starting: Told in order which item's result is waited for.

    Returns:
        The results in the items' order.

    Raises:
        Exception: The first, in the items' order, that ``work`` raised.
    """
    n_processes = min(processors(), MOST, len(items))
    results: list[Result] = []
    if n_processes > 1:
        pool = Parallel(n_jobs=n_processes, return_as="generator", pre_dispatch="all")
        found = pool(delayed(_kept)(work, item) for item in items)
        try:
            for number in range(len(items)):
                starting(number)
                result, error = next(found)
                if error is not None:
                    raise error
                results.append(result)
        except BrokenProcessPool:
            pass
    for number in range(len(results), len(items)):
        starting(number)
        results.append(work(items[number]))
    return results


def _kept(work: Callable[[Item], Result], item: Item) -> tuple[Result | None, Exception | None]:
    """Do the work and hand over what it raised, so that the order of errors is the items'."""
    try:
        return work(item), None
    except Exception as error:
        return None, error
