"""Work done side by side gives what it gives one after the other."""

import os
import threading
import time

import pytest

from guidegen import workers
from guidegen.errors import PlanError
from guidegen.workers import in_processes, side_by_side, together


def test_results_stand_in_the_items_order():
    def slow_first(n):
        time.sleep(0.02 * (5 - n))
        return n * n

    assert side_by_side(slow_first, range(5)) == [0, 1, 4, 9, 16]
    assert side_by_side(slow_first, []) == []


def test_two_work_at_the_same_time(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    both = threading.Barrier(2, timeout=10)
    assert side_by_side(lambda n: both.wait() >= 0, range(2)) == [True, True]


@pytest.mark.parametrize("processors", [None, 1, 64])
def test_never_more_than_a_few_workers(monkeypatch, processors):
    monkeypatch.setattr("os.cpu_count", lambda: processors)
    names = side_by_side(lambda n: (time.sleep(0.01), threading.get_ident())[1], range(40))
    assert 1 <= len(set(names)) <= min(processors or 1, workers.MOST)


def test_progress_is_told_in_order_by_the_caller():
    told = []
    side_by_side(lambda n: n, range(4), lambda n: told.append((n, threading.current_thread())))
    assert told == [(n, threading.main_thread()) for n in range(4)]


def test_the_first_error_in_order_is_raised_and_the_rest_left_out(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    done = []

    def work(n):
        done.append(n)
        if n == 1:
            time.sleep(0.05)
            raise ValueError(f"item {n}")

    with pytest.raises(ValueError, match="item 1"):
        side_by_side(work, range(50_000))
    assert len(done) < 50_000


def test_processes_give_what_one_gives(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    told = []
    found = in_processes(lambda n: (n * n, os.getpid()), range(5), told.append)
    assert [square for square, _ in found] == [0, 1, 4, 9, 16]
    assert os.getpid() not in {process for _, process in found}
    assert told == list(range(5))


@pytest.mark.parametrize(("processors", "items"), [(1, range(3)), (2, range(1)), (None, range(2))])
def test_one_processor_or_one_item_needs_no_process(monkeypatch, processors, items):
    monkeypatch.setattr("os.cpu_count", lambda: processors)
    assert set(in_processes(lambda n: os.getpid(), items)) == {os.getpid()}


def test_an_error_of_a_process_is_raised_here(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 2)

    def work(n):
        raise PlanError(f"item {n}: too narrow")

    with pytest.raises(PlanError, match="item 0: too narrow"):
        in_processes(work, range(3))


def test_what_an_ended_process_left_is_done_here(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    home = os.getpid()

    def work(n):
        if n == 1 and os.getpid() != home:
            os._exit(9)
        return n

    assert in_processes(work, range(4)) == [0, 1, 2, 3]


def test_different_works_answer_in_their_order():
    assert together(lambda: sum(range(100_000)), lambda: 2, lambda: 3) == [4999950000, 2, 3]


def test_the_first_error_of_different_works_is_raised():
    def fail() -> int:
        raise PlanError("no")

    with pytest.raises(PlanError):
        together(lambda: 1, fail)
