"""Work done side by side gives what it gives one after the other."""

import threading
import time

import pytest

from guidegen.model import workers
from guidegen.model.workers import side_by_side


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
