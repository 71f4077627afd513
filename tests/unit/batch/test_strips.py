"""Distributions: every value is a dot, and no dot hides another."""

import math
from collections import Counter

import pytest

from guidegen.batch.strips import MOST, WIDTH, clearance_strips, error_strips, time_strips


def places(strip):
    return [(round(dot.x, 6), dot.y) for dot in strip.dots]


def test_errors_are_shares_of_their_limits(row, off):
    rows = [row(n, errors=(off(value=v),)) for n, v in (("a", 0.25), ("b", -0.5), ("c", 0.75))]
    (strip,) = error_strips(rows)
    assert strip.title == "height"
    assert [dot.beyond for dot in strip.dots] == [False, False, True]
    assert [dot.text for dot in strip.dots] == [
        "a L1 +0.25 mm of 0.5",
        "b L1 -0.50 mm of 0.5",
        "c L1 +0.75 mm of 0.5",
    ]
    half, limit, over = (dot.x for dot in strip.dots)
    assert half < limit < over
    assert abs(strip.mark - limit) <= WIDTH / 60 and abs(half - strip.mark / 2) <= WIDTH / 60


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e9])
def test_what_is_missing_or_far_is_drawn_at_the_end(row, off, value):
    (strip,) = error_strips([row(errors=(off(value=value), off(value=0.1)))])
    assert strip.dots[-1].beyond and strip.dots[-1].x < WIDTH
    assert strip.ends == ("0", f"{MOST:.3g}")


def test_no_dot_hides_another(row, off):
    errors = tuple(off(value=0.2, subject=f"L{n}") for n in range(9))
    (strip,) = error_strips([row(errors=errors)])
    assert max(Counter(places(strip)).values()) == 1
    assert strip.height == 9 and len(strip.dots) == 9


def test_clearances_below_nothing_are_beyond(row):
    facts = row().result.facts
    rows = [row("a", facts=facts | {"clearances_mm": {"x": -0.5, "y": 2.0, "z": 0.0}})]
    (strip,) = clearance_strips(rows)
    assert [(dot.text, dot.beyond) for dot in strip.dots] == [
        ("a x -0.50 mm", True),
        ("a z 0.00 mm", False),
        ("a y 2.00 mm", False),
    ]
    assert strip.dots[0].x < strip.mark
    assert strip.ends == ("-0.5", "2")


def test_times_are_apart_by_procedure_and_on_one_scale(row):
    rows = [row("a", seconds=10.0), row("b", seconds=40.0), row("c", seconds=0.0)]
    rows.append(row("d", seconds=20.0, case={"description": ""}))
    (strip,) = time_strips(rows)
    assert len(strip.dots) == 3 and strip.mark is None and strip.ends == ("0", "40")


def test_nothing_gives_nothing(row):
    rows = [row(outcome="refused", seconds=0.0)]
    assert error_strips(rows) == clearance_strips(rows) == time_strips(rows) == []
