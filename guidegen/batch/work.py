"""What a worker does with one case: make or take the scan, run it, measure what came of it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from guidegen.batch import result as outcomes
from guidegen.batch.alive import end_family, is_elsewhere, process_of
from guidegen.batch.answer import answer_of
from guidegen.batch.child import LOOK_S as ORPHAN_LOOK_S
from guidegen.batch.dataset import MARK
from guidegen.batch.errors import Error, errors_of
from guidegen.batch.facts import facts_of, read_json
from guidegen.batch.job import Job
from guidegen.batch.key import program_sha256
from guidegen.batch.pictures import draw_parts
from guidegen.batch.process import LOG, RUNNING, Ended, Limits, run_command
from guidegen.batch.result import Result, read_result, write_result
from guidegen.errors import GuidegenError
from guidegen.export.atomic import os_sentence, write_text
from guidegen.export.record import toml_lines
from guidegen.export.settings import read_toml
from guidegen.phantoms.recipe import Recipe, load_recipe

BY = "guidegen batch"
BEGUN, ENDED = "begun", "result.json"
UNSEEN = (
    "its worker does not see the batch's folder: let --out and the inputs lie on a disk that all "
    "computers share, under the same path"
)
OTHER = "its worker runs another guidegen than the batch: install the same on both"
PLANLESS = "it said that it is done, but left no plan that can be read; its log may say why"
KILLED = "its worker was ended in the middle of it, from outside or for lack of memory"


def run_case(job: Job) -> Result:
    """Run one case from its scan to its parts; whatever happens becomes a result.

    A result whose worker is killed before it was fetched is asked for again by dask: the case is
    not run a second time for that.
    """
    start = time.monotonic()
    if not (job.out / MARK).is_file():
        return _not_run(job, UNSEEN)
    if job.program != program_sha256():
        return _not_run(job, OTHER)
    try:
        if _begun(job):
            return read_result(job.aside / ENDED) or killed(job)
        _clear(job)
        return _run(job, start)
    except GuidegenError as error:
        return _not_run(job, job.without_paths(str(error)))
    except OSError as error:
        return _not_run(job, job.without_paths(os_sentence(error)))
    finally:
        if _wanted(job):
            _tidy(job)


def killed(job: Job) -> Result:
    """End what is left of a case whose worker did not live to tell, and say so."""
    _end_left(job)
    _tidy(job)
    shutil.rmtree(job.aside, ignore_errors=True)
    _remove_half_made(job)
    return Result(job.case.name, job.key, outcomes.KILLED, reason=KILLED)


def _not_run(job: Job, reason: str) -> Result:
    return Result(job.case.name, job.key, outcomes.NOT_RUN, reason=reason)


def _begun(job: Job) -> bool:
    """Mark the case as begun; True if it had been, by a worker of this run that is gone."""
    mark = job.aside / BEGUN
    if mark.is_file() and mark.read_text(encoding="utf-8") == job.run:
        return True
    _end_left(job)
    shutil.rmtree(job.aside, ignore_errors=True)
    write_text(mark, job.run)
    return False


def _wanted(job: Job) -> bool:
    """True while this run of the batch has not been stopped, and no other one began the case."""
    try:
        return (job.aside / BEGUN).read_text(encoding="utf-8") == job.run
    except FileNotFoundError:
        return False
    except OSError:  # a disk that is slow to answer
        return True


def _end_left(job: Job) -> None:
    """End a command of the case that runs on without its worker."""
    told = job.aside / RUNNING
    left = process_of(told)
    if left is not None:
        end_family(left.pid)
    elif is_elsewhere(told):
        time.sleep(2 * ORPHAN_LOOK_S)  # it ends itself


def _tidy(job: Job) -> None:
    """Keep what the commands said, and take the scan that was made away."""
    said = _said(job)
    if said:
        write_text(job.log, job.without_paths(said))
    shutil.rmtree(job.aside / "scan", ignore_errors=True)


def _said(job: Job) -> str:
    """All that the case's commands have said so far."""
    log = job.aside / LOG
    return log.read_text(encoding="utf-8", errors="replace") if log.is_file() else ""


def _clear(job: Job) -> None:
    """Take away what an earlier run of this case left; its result first."""
    for path in (job.result, job.log, job.truth):
        path.unlink(missing_ok=True)
    for folder in (job.folder.root, job.pictures):
        if folder.exists():
            shutil.rmtree(folder)


def _run(job: Job, start: float) -> Result:
    until = None if job.timeout_s is None else start + job.timeout_s
    limits = Limits(until, job.memory_bytes, lambda: _wanted(job))
    scan, peak = job.case.source, 0.0
    if job.case.is_phantom:
        scan = job.aside / "scan"
        order = ["phantom", str(job.case.source), "--out", str(scan), "--json"]
        made = run_command(order, job.aside, limits)
        outcome, reason = _answer(job, made)
        if outcome != outcomes.DONE:
            if outcome == outcomes.REFUSED:  # by the phantom's maker, not by what is tried here
                outcome = outcomes.NOT_RUN
            reason = f"the phantom could not be made: {reason}"
            return _ended(job, start, made, outcome, reason)
        peak = made.peak_mb
        job.truth.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(scan / "truth.json", job.truth)
    ended = run_command(list(_arguments(job, str(scan))), job.aside, limits)
    ended = replace(ended, peak_mb=max(ended.peak_mb, peak))
    return _ended(job, start, ended, *_answer(job, ended))


def _arguments(job: Job, scan: str) -> Iterator[str]:
    """The command line of ``guidegen run``."""
    yield from ("run", job.case.procedure, scan, "--out", str(job.folder.root))
    yield from (f"--approve-as={BY}", "--json")
    for name, value in _options(job).items():
        option = "--" + name.replace("_", "-")
        if isinstance(value, bool):
            yield from (option,) if value else ()
        else:
            values = value if isinstance(value, (list, tuple)) else (value,)
            yield from (f"{option}={one}" for one in values)


def _options(job: Job) -> Mapping[str, Any]:
    """The case's options, with its own settings as a file."""
    if not job.case.settings:
        return job.case.options
    config = job.aside / "settings.toml"
    write_text(config, "\n".join(toml_lines(job.case.settings)) + "\n")
    return {**job.case.options, "config": config}


def _answer(job: Job, ended: Ended) -> tuple[str, str]:
    """Outcome and reason."""
    if ended.stopped == "time":
        return outcomes.LATE, f"it took longer than {job.timeout_s:g} s"
    if ended.stopped == "memory":
        allowed = (job.memory_bytes or 0) / 1e9
        return outcomes.MEMORY, f"it needed more than {allowed:.1f} GB of memory"
    if ended.stopped:
        return outcomes.NOT_RUN, "the batch was stopped, or begun again elsewhere"
    outcome, reason = answer_of(ended, _said(job))
    return outcome, job.without_paths(reason)


def _remove_half_made(job: Job) -> None:
    """A case without an end has no folder that could pass for one."""
    shutil.rmtree(job.folder.root, ignore_errors=True)


def _ended(job: Job, start: float, ended: Ended, outcome: str, reason: str) -> Result:
    """A result with what the case folder and the truth say."""
    facts: dict[str, Any] = {}
    errors: tuple[Error, ...] = ()
    if outcome in (outcomes.DONE, outcomes.FAILED) and not read_json(job.folder.plan):
        outcome, reason = outcomes.CRASHED, PLANLESS
    broken_off = outcome in outcomes.BROKEN_OFF
    if broken_off and ended.stopped != "unwanted":
        _remove_half_made(job)
    if outcome in (outcomes.DONE, outcomes.FAILED):
        facts = facts_of(job.folder)
        errors = _errors(job)
        draw_parts(job.folder, job.pictures)
    code, seconds = None if broken_off else ended.code, time.monotonic() - start
    shown = (seconds, ended.peak_mb, facts, errors)
    result = Result(job.case.name, job.key, outcome, code, reason, *shown)
    if ended.stopped != "unwanted":
        write_result(job.aside / ENDED, result)
    return result


def _errors(job: Job) -> tuple[Error, ...]:
    """Errors against a phantom's truth; none where nothing is known."""
    if not job.truth.is_file():
        return ()
    plan, landmarks = read_json(job.folder.plan), read_json(job.folder.landmarks)
    truth = read_json(job.truth)
    if job.case.expect:
        truth["expect"] = job.case.expect.model_dump()
    return errors_of(plan, landmarks, truth, _recipe(job))


def _recipe(job: Job) -> Recipe:
    """The case's definition, with what was really asked of it: cases.toml may ask otherwise."""
    recipe = load_recipe(job.case.source)
    settings = dict(job.case.settings)
    if job.case.options.get("config"):
        settings = read_toml(job.case.options["config"])
    asked = {n: v for n, v in job.case.options.items() if n in type(recipe.run).model_fields}
    asked |= {"procedure": job.case.procedure, "settings": settings}
    return replace(recipe, run=recipe.run.model_copy(update=asked))
