"""What a worker does with one case: make or take the scan, run it, measure what came of it."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from guidegen import errors as house
from guidegen.batch import result as outcomes
from guidegen.batch.cases import BatchCase
from guidegen.batch.errors import Error, errors_of
from guidegen.batch.facts import facts_of, read_json
from guidegen.batch.key import program_sha256
from guidegen.batch.pictures import draw_parts
from guidegen.batch.process import Ended, Limits, run_command
from guidegen.batch.result import Result
from guidegen.export.atomic import write_text
from guidegen.export.folder import CaseFolder
from guidegen.export.record import toml_lines
from guidegen.phantoms.recipe import load_recipe

BY = "guidegen batch"
ON_PURPOSE = {name for name, kind in vars(house).items() if isinstance(kind, type)}
ON_PURPOSE |= {"OSError", "FileNotFoundError", "PermissionError"}


@dataclass(frozen=True)
class Job:
    """One case for a worker.

    Args:
        case: What to run.
        out: The batch's folder, as the worker sees it.
        key: Of the case.
        run: Of this run of the batch: a case that finds it already begun was killed.
        program: Hash of the program that the batch itself runs.
        timeout_s: Longest time for the case; None is any.
        memory_bytes: Most memory for the case; None is any.
    """

    case: BatchCase
    out: Path
    key: str
    run: str
    program: str
    timeout_s: float | None = None
    memory_bytes: int | None = None

    @property
    def folder(self) -> CaseFolder:
        """The case's own folder."""
        return CaseFolder(self.out / "cases" / self.case.name)

    @property
    def aside(self) -> Path:
        """Where its scan is made and its beginning is marked."""
        return self.out / ".work" / self.case.name

    @property
    def log(self) -> Path:
        """What the commands say."""
        return self.out / "logs" / f"{self.case.name}.txt"

    @property
    def truth(self) -> Path:
        """What is known of a phantom."""
        return self.out / "truth" / f"{self.case.name}.json"

    @property
    def pictures(self) -> Path:
        """Of its parts."""
        return self.out / "pictures" / self.case.name

    @property
    def result(self) -> Path:
        """Where its result is kept."""
        return self.out / "results" / f"{self.case.name}.json"


def run_case(job: Job) -> Result:
    """Run one case from its scan to its parts; whatever happens becomes a result."""
    start = time.monotonic()
    if job.program != program_sha256():
        reason = "the worker runs another guidegen than the batch: install the same on both"
        return _ended(job, start, outcomes.NOT_RUN, None, reason)
    if job.case.problem:
        return _ended(job, start, outcomes.REFUSED, 1, job.case.problem)
    if _begun(job):
        return killed(job)
    try:
        _clear(job)
        return _run(job, start)
    finally:
        shutil.rmtree(job.aside, ignore_errors=True)


def killed(job: Job) -> Result:
    """What is known of a case whose worker did not live to tell."""
    shutil.rmtree(job.aside, ignore_errors=True)
    _remove_half_made(job)
    reason = "its worker was ended in the middle of it, from outside or by lack of memory"
    return Result(job.case.name, job.key, outcomes.KILLED, reason=reason)


def _begun(job: Job) -> bool:
    """Mark the case as begun; True if it had been, by a worker of this run that is gone."""
    mark = job.aside / "begun"
    if mark.is_file() and mark.read_text(encoding="utf-8") == job.run:
        return True
    shutil.rmtree(job.aside, ignore_errors=True)
    write_text(mark, job.run)
    return False


def _clear(job: Job) -> None:
    """Take away what an earlier run of this case left."""
    for folder in (job.folder.root, job.pictures):
        shutil.rmtree(folder, ignore_errors=True)
    job.log.parent.mkdir(parents=True, exist_ok=True)
    for path in (job.log, job.truth):
        path.unlink(missing_ok=True)


def _run(job: Job, start: float) -> Result:
    until = None if job.timeout_s is None else start + job.timeout_s
    limits = Limits(until, job.memory_bytes)
    scan, peak = job.case.source, 0.0
    if job.case.is_phantom:
        scan = job.aside / "scan"
        made = run_command(["phantom", str(job.case.source), "--out", str(scan)], job.log, limits)
        if made.code or made.stopped:
            return _judged(job, start, made, "the phantom could not be made")
        job.truth.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(scan / "truth.json", job.truth)
        peak = made.peak_mb
    ended = run_command(list(_arguments(job, scan)), job.log, limits)
    return _judged(job, start, ended, "", peak)


def _arguments(job: Job, scan: Path) -> Iterator[str]:
    """The command line of ``guidegen run``."""
    yield from ("run", job.case.procedure, str(scan), "--out", str(job.folder.root))
    yield from ("--approve-as", BY, "--json")
    for name, value in _options(job).items():
        option = "--" + name.replace("_", "-")
        if isinstance(value, bool):
            yield from (option,) if value else ()
        elif isinstance(value, (list, tuple)):
            for one in value:
                yield from (option, str(one))
        else:
            yield from (option, str(value))


def _options(job: Job) -> Mapping[str, Any]:
    """The case's options, with its own settings as a file."""
    if not job.case.settings:
        return job.case.options
    config = job.aside / "settings.toml"
    own = dict(job.case.settings)
    write_text(config, "\n".join(toml_lines(own)) + "\n")
    return {**job.case.options, "config": config}


def _judged(job: Job, start: float, ended: Ended, what: str, peak: float = 0.0) -> Result:
    """Turn how a command ended into a result."""
    told = _told(ended.output)
    peak = max(peak, ended.peak_mb)
    outcome, reason = _outcome(job, ended, told)
    if what and outcome != outcomes.DONE:
        reason = f"{what}: {reason}"
    code = None if ended.stopped or outcome in outcomes.BROKEN_OFF else ended.code
    if outcome in outcomes.BROKEN_OFF:
        _remove_half_made(job)
    return _ended(job, start, outcome, code, reason, peak)


def _outcome(job: Job, ended: Ended, told: Mapping[str, Any]) -> tuple[str, str]:
    """Outcome and reason."""
    if ended.stopped == "time":
        return outcomes.LATE, f"it took longer than {job.timeout_s:g} s"
    if ended.stopped == "memory":
        allowed = (job.memory_bytes or 0) / 1e9
        return outcomes.MEMORY, f"it needed more than {allowed:.1f} GB of memory"
    error = told.get("error") or {}
    reason = _without_paths(str(error.get("message", "")), job)
    if error.get("type") == "MemoryError":
        return outcomes.MEMORY, reason
    if ended.code == 0:
        return outcomes.DONE, ""
    if ended.code == 2:
        failed = [item for item in told.get("checks", ()) if not item.get("passed")]
        return outcomes.FAILED, _failures(failed)
    if ended.code in (1, 3) and error.get("type") in ON_PURPOSE:
        return outcomes.REFUSED, reason
    if ended.code == 1 and not told:
        return outcomes.REFUSED, _last_line(job.log)
    reason = reason or f"its process ended with code {ended.code} and said nothing"
    return outcomes.CRASHED, reason


def _failures(failed: list[Mapping[str, Any]]) -> str:
    if not failed:
        return "a check failed"
    first = failed[0]
    more = f", and {len(failed) - 1} more" if len(failed) > 1 else ""
    value = first.get("value")
    shown = "no number" if value is None else f"{value:g}"
    return (
        f"{first['code']} of {first['subject']} is {shown}, "
        f"wanted {first['sense'].replace('_', ' ')} {first['limit']:g} {first['unit']}{more}"
    )


def _told(output: str) -> dict[str, Any]:
    """The command's own result; empty where it printed none."""
    try:
        told = json.loads(output)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1].removeprefix("guidegen: ") if lines else "it said nothing"


def _without_paths(text: str, job: Job) -> str:
    """Leave out where the scan lies: a folder's name may be a patient's."""
    for path, word in ((job.folder.root, "CASE"), (job.aside / "scan", "INPUT")):
        text = text.replace(str(path), word)
    text = text.replace(str(job.case.source), "INPUT")
    own = job.case.source.name
    return text if own.startswith(job.case.name) else text.replace(own, "INPUT")


def _remove_half_made(job: Job) -> None:
    """A case without an end has no folder that could pass for one."""
    shutil.rmtree(job.folder.root, ignore_errors=True)


def _ended(
    job: Job, start: float, outcome: str, code: int | None, reason: str, peak_mb: float = 0.0
) -> Result:
    """A result with what the case folder and the truth say."""
    facts: dict[str, Any] = {}
    errors: tuple[Error, ...] = ()
    if outcome in (outcomes.DONE, outcomes.FAILED):
        facts = facts_of(job.folder)
        errors = _errors(job)
        draw_parts(job.folder, job.pictures)
    seconds = time.monotonic() - start
    return Result(job.case.name, job.key, outcome, code, reason, seconds, peak_mb, facts, errors)


def _errors(job: Job) -> tuple[Error, ...]:
    """Errors against a phantom's truth; none where nothing is known."""
    if not job.truth.is_file():
        return ()
    plan, landmarks = read_json(job.folder.plan), read_json(job.folder.landmarks)
    return errors_of(plan, landmarks, read_json(job.truth), load_recipe(job.case.source))
