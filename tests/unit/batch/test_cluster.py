"""Jobs on workers, with a scheduler that only pretends."""

from dataclasses import dataclass, field

import pytest

from guidegen.batch import cluster
from guidegen.batch.cluster import Where, run_jobs, workers
from guidegen.batch.result import CRASHED, DONE, KILLED, NOT_RUN, Result
from guidegen.errors import InputError


@dataclass(eq=False)
class Pretended:
    """A future."""

    job: object
    status: str = "pending"
    error: Exception | None = None
    released: bool = False

    def release(self):
        self.released = True

    def result(self):
        return Result(self.job.case.name, "", DONE)

    def exception(self):
        return self.error


@dataclass
class Scheduler:
    """A client; ``turns`` says what comes of the running jobs at each look."""

    turns: list
    there: dict = field(default_factory=lambda: {"a": 1, "b": 8})
    status: str = "running"
    given: list = field(default_factory=list)
    pending: list = field(default_factory=list)
    made: list = field(default_factory=list)

    def nthreads(self):
        if isinstance(self.there, Exception):
            raise self.there
        return self.there

    def submit(self, work, job, workers, **further):
        future = Pretended(job)
        self.given.append((job.case.name, workers[0]))
        self.pending.append(future)
        self.made.append(future)
        return future

    def wait(self, futures, **further):
        if not self.turns:
            raise AssertionError("it goes on for ever")
        turn = self.turns.pop(0)
        if turn is None:
            raise TimeoutError
        turn(self)


def ends(status="finished", error=None):
    def turn(scheduler):
        future = scheduler.pending.pop(0)
        future.status, future.error = status, error

    return turn


def lost(scheduler):
    for future in scheduler.pending:
        future.status = "cancelled"
    raise cluster.CancelledError


@pytest.fixture
def run(job, tmp_path, monkeypatch):
    """Run cases x, y, z on a pretended scheduler."""
    monkeypatch.setattr(cluster, "LOOK_S", 0.01)

    def go(*turns, names="xyz", wait_s=60.0, **told):
        scheduler = Scheduler(list(turns), **told)
        monkeypatch.setattr(cluster, "wait", scheduler.wait)
        jobs = [job(name, tmp_path) for name in names]
        endings = list(run_jobs(scheduler, jobs, wait_s))
        results = {result.name: result for result, _ in endings if result is not None}
        assert list(results) and set(results) == set(names), "nothing is lost"
        return scheduler, results, endings

    return go


def test_one_case_a_worker_at_a_time(run):
    given_at = []

    def look(scheduler):
        given_at.append(len(scheduler.given))

    scheduler, results, endings = run(look, look, ends(), look, ends(), ends())
    assert given_at == [2, 2, 3], "none is given before a worker is free"
    assert scheduler.given == [("x", "a"), ("y", "b"), ("z", "a")]
    assert all(result.outcome == DONE for result in results.values())
    assert [running for _, running in endings] == [
        *(("x", "y"), ("y",), ("y", "z"), ("z",), ()),
    ]


def test_results_are_let_go(run):
    """dask makes what it holds again when the worker that has it dies."""
    scheduler, _, _ = run(ends(), ends("error", KeyError("x")), ends())
    assert [future.released for future in scheduler.made] == [True] * 3


def test_a_killed_worker_costs_its_case_alone(run):
    error = type("KilledWorker", (Exception,), {})()
    _, results, _ = run(ends("error", error), ends(), ends())
    assert {name: r.outcome for name, r in results.items()} == {"x": KILLED, "y": DONE, "z": DONE}


@pytest.mark.parametrize(
    ("error", "outcome", "said"),
    [
        (KeyError("x"), CRASHED, "bug in guidegen (KeyError)"),
        (ModuleNotFoundError("No module named 'guidegen'"), NOT_RUN, "has no guidegen"),
        (ModuleNotFoundError("No module named 'yaml'"), CRASHED, "bug"),
    ],
)
def test_what_a_worker_raises(run, error, outcome, said):
    _, results, _ = run(ends("error", error), ends(), ends())
    assert results["x"].outcome == outcome and said in results["x"].reason
    assert results["z"].outcome == DONE


def test_without_workers_it_gives_up(run):
    scheduler, results, _ = run(there={}, wait_s=0.05)
    assert {r.outcome for r in results.values()} == {NOT_RUN} and scheduler.given == []
    assert "there was no worker for 0.05 s" in results["x"].reason


def test_workers_that_come_late_get_their_jobs(run, monkeypatch):
    looks = iter([{}, {}, {"a": 1}])
    monkeypatch.setattr(Scheduler, "nthreads", lambda self: next(looks, {"a": 1}))
    scheduler, _, _ = run(ends(), ends(), ends())
    assert scheduler.given == [("x", "a"), ("y", "a"), ("z", "a")]


@pytest.mark.parametrize("error", [OSError("closed"), AttributeError("ncores")])
def test_a_scheduler_that_does_not_answer(run, error):
    _, results, _ = run(there=error, wait_s=0.05)
    assert {r.outcome for r in results.values()} == {NOT_RUN}


def test_a_scheduler_that_is_lost(run):
    _, results, _ = run(ends(), lost)
    assert results["x"].outcome == DONE
    assert results["y"].outcome == results["z"].outcome == NOT_RUN
    assert "the scheduler was ended" in results["y"].reason


def test_a_client_that_is_closed(run):
    _, results, _ = run(status="closed")
    assert {r.outcome for r in results.values()} == {NOT_RUN}


@pytest.mark.parametrize(("given", "said"), [({"workers": 0}, "1 or more"), ({"workers": -2}, "1")])
def test_too_few_workers(given, said):
    with pytest.raises(InputError, match=said):
        Where(**given)


def test_a_scheduler_has_its_own_workers():
    with pytest.raises(InputError, match="its own workers"):
        Where("tcp://127.0.0.1:1", 2)


def test_an_even_share_of_memory(monkeypatch):
    total = type("Memory", (), {"total": 8_000})
    monkeypatch.setattr(cluster.psutil, "virtual_memory", lambda: total)
    assert Where(workers=4).share_of_memory() == 2_000
    assert Where("tcp://127.0.0.1:1").share_of_memory() is None


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense://x", "tcp://no.such.host.:9"])
def test_no_scheduler_at_the_address(address, monkeypatch):
    monkeypatch.setattr(cluster, "ANSWER_S", 1.0)
    with (
        pytest.raises(InputError, match="no dask scheduler answers at"),
        workers(Where(address), 1),
    ):
        pass
