"""What the batch's tests share: rows without runs, and children that play tricks."""

import uuid
from pathlib import Path

import pytest

from guidegen.batch.cases import BatchCase
from guidegen.batch.dataset import MARK
from guidegen.batch.job import Job
from guidegen.batch.key import key_of, program_sha256
from guidegen.batch.limits import made
from guidegen.batch.result import DONE, Result, Row, surprises
from guidegen.phantoms.definition import Expectation
from tests import batch_tricks

FACTS = {
    "bones": ["L3"],
    "warnings": ["thick_slices"],
    "red": [],
    "skipped": ["L3_right"],
    "grades": {"L3_left": "A"},
    "clearances_mm": {"L3_left": 1.25},
    "measurements": {"cobb_L2_L4": 12.0},
    "n_checks": 10,
    "failed": [],
    "parts": ["guides/L3.stl"],
}


@pytest.fixture
def row():
    """Make a row: what is given is of the result, ``case`` and ``expect`` are of the case."""

    def make(name="a", outcome=DONE, *, case=None, expect=None, kept=False, **told):
        told = {"exit": 0 if outcome == DONE else 1, "seconds": 12.0, "peak_mb": 300.0} | told
        if outcome == DONE:
            told = {"facts": FACTS} | told
        wish = Expectation(**expect) if expect is not None else None
        known = BatchCase(name, "pedicle-screws", Path("scan"), expect=wish, **(case or {}))
        result = Result(name, "key", outcome, **told)
        return Row(known, result, kept, surprises(known, result))

    return make


@pytest.fixture
def off():
    """Make an error of a quantity."""
    return lambda quantity="height", value=0.2, subject="L1": made(quantity, subject, value)


@pytest.fixture
def tricks(tmp_path, monkeypatch, ball):
    """Children play tricks by their case's name, and know the ball."""
    batch_tricks.lay(tmp_path / "tricks", monkeypatch)


@pytest.fixture
def job(tmp_path):
    """Make a job in a batch's folder."""

    def make(name, source, procedure="ball", **further):
        limits = {n: further.pop(n) for n in ("timeout_s", "memory_bytes") if n in further}
        case = BatchCase(name, procedure, Path(source), **further)
        out = tmp_path / "out"
        out.mkdir(exist_ok=True)
        (out / MARK).write_text("")
        return Job(case, out, key_of(case), uuid.uuid4().hex, program_sha256(), **limits)

    return make
