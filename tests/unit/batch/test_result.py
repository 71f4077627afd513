"""Results: kept, read back, and held against what was expected."""

import json
import math

import pytest

from guidegen.batch.result import (
    CRASHED,
    DONE,
    FAILED,
    NOT_RUN,
    REFUSED,
    Result,
    is_silent,
    read_result,
    write_result,
)


@pytest.fixture
def kept(tmp_path, row, off):
    """A result in a file, and a way to damage it."""
    result = row(errors=(off(value=math.nan), off("cobb", -1.5))).result
    path = tmp_path / "results" / "a.json"
    write_result(path, result)

    def damaged(change):
        told = json.loads(path.read_text())
        change(told)
        path.write_text(json.dumps(told))
        return read_result(path)

    return path, result, damaged


def test_a_result_comes_back(kept):
    path, result, _ = kept
    back = read_result(path)
    assert back.facts == result.facts and back.outcome == DONE
    assert math.isnan(back.errors[0].value) and not back.errors[0].within
    assert back.errors[1] == result.errors[1]
    assert (back.exit, back.seconds, back.peak_mb) == (0, 12.0, 300.0)


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.pop("schema"),
        lambda t: t.update(schema="guidegen.result/0"),
        lambda t: t.update(outcome="fine"),
        lambda t: t.update(seconds=None),
        lambda t: t.update(seconds="long"),
        lambda t: t.update(errors={}),
        lambda t: t.update(errors=[3]),
        lambda t: t["errors"][0].pop("limit"),
        lambda t: t["facts"].pop("n_checks"),
        lambda t: t["facts"].update(grades=["A"]),
        lambda t: t.update(facts=[]),
        lambda t: t.pop("key"),
    ],
)
def test_a_damaged_result_is_none(kept, change):
    path, _, damaged = kept
    assert read_result(path) is not None
    assert damaged(change) is None


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "null", '{"schema": "guidegen.result/1"}'])
def test_what_is_no_result_is_none(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    assert read_result(tmp_path / "a.json") is None
    assert read_result(tmp_path / "b.json") is None


def test_done_as_expected(row):
    assert row().as_expected
    assert row(expect={}).as_expected


def test_a_refusal_is_a_surprise_unless_it_was_wanted(row):
    assert row(outcome=REFUSED, reason="no").surprises == ("exit 1, wanted 0",)
    assert row(outcome=REFUSED, reason="no", expect={"exit": 1}).as_expected
    assert row(expect={"exit": 1}).surprises == ("exit 0, wanted 1",)
    assert row(outcome=FAILED, exit=2).surprises == ("exit 2, wanted 0",)
    assert row(outcome=FAILED, exit=2, expect={"exit": 2}, facts={}).as_expected


def test_a_refusal_must_say_what_was_wanted(row):
    wanted = {"exit": 1, "message": "Cut OFF"}
    assert row(outcome=REFUSED, reason="L3 is cut off", expect=wanted).as_expected
    found = row(outcome=REFUSED, reason="no bone", expect=wanted).surprises
    assert found == ("the sentence does not say “Cut OFF”",)


def test_of_a_case_that_ended_otherwise_nothing_more_is_compared(row):
    wish = {"exit": 0, "message": "cut", "warnings": ["metal"], "skipped": ["L3_left"]}
    assert row(outcome=FAILED, exit=2, expect=wish).surprises == ("exit 2, wanted 0",)


@pytest.mark.parametrize("outcome", [CRASHED, NOT_RUN])
def test_what_was_broken_off_is_never_as_expected(row, outcome):
    assert row(outcome=outcome, exit=None, expect={"exit": 1}).surprises == (outcome,)


def test_warnings(row):
    facts = row().result.facts | {"warnings": ["metal", "tilt"], "red": ["metal"]}
    assert row(facts=facts).as_expected, "nothing was said of them"
    assert row(facts=facts, expect={}).surprises == ("red warning metal",)
    assert row(facts=facts, expect={"red": ["metal"], "warnings": ["tilt"]}).as_expected
    found = row(facts=facts, expect={"red": ["metal", "tilt"], "warnings": ["cut"]}).surprises
    assert found == ("no warning cut", "warning tilt is not red")


def test_skipped_paths(row):
    assert row(expect={"skipped": ["L3_right"]}).as_expected
    found = row(expect={"skipped": ["L3_left"]}).surprises
    assert found == ("skipped L3_right, wanted L3_left",)


def test_errors_over_their_limits(row, off):
    assert row(errors=(off(value=0.5),)).as_expected
    wrong = row(errors=(off(value=-0.61), off("left_out", math.nan, "L3_left")))
    assert wrong.surprises == (
        "height of L1 off by 0.61 mm, limit 0.5",
        "left out of L3_left is missing",
    )
    assert is_silent(wrong.result)


def test_silent_is_only_what_passed(row, off):
    errors = (off(value=9.0),)
    assert not is_silent(row(outcome=FAILED, exit=2, errors=errors).result)
    assert not is_silent(row().result)


def test_result_of_nothing():
    assert not Result("a", "k", DONE).broken_off
    assert Result("a", "k", NOT_RUN).broken_off
