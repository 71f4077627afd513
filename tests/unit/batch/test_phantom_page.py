"""The validation page of the phantom data set."""

import math

from docs import make_validation
from docs.phantom_page import phantoms
from guidegen.batch.result import REFUSED


def lines(*rows):
    return list(phantoms(lambda: rows))


def row_of(text, name):
    (found,) = [line for line in text if line.startswith(f"| {name} |")]
    return [cell.strip() for cell in found.strip("|").split("|")]


def test_it_is_a_page_of_the_validation():
    assert make_validation.PAGES["phantoms"] is phantoms


def test_each_case_with_what_was_expected_and_came(row, off):
    wish = {"exit": 1, "message": "cut off"}
    red = {"red": ["metal"], "warnings": ["metal", "tilt"], "skipped": ["L3_right"]}
    text = lines(
        row("a", errors=(off(value=-0.3), off(value=0.2), off("cobb", 1.5))),
        row("b", outcome=REFUSED, reason="L3 is cut off", expect=wish),
        row("c", expect=red),
    )
    assert text[0] == "# The phantom data set"
    assert "2 of 3 as expected; 0 silently wrong." in text
    assert row_of(text, "a") == [
        *("a", "parts", "done", "cobb 1.50 (2 deg), height 0.30 (0.5 mm)", "10 of 10", "12"),
    ]
    assert row_of(text, "b")[1:4] == ["refused: “cut off”", "refused", ""]
    c = row_of(text, "c")
    assert c[1] == "parts; red metal; warned tilt; left out L3_right"
    assert c[2] == "**done**: no warning metal; no warning tilt"


def test_what_is_over_its_limit_is_bold(row, off):
    errors = (off(value=0.9), off("left_out", math.nan), off("level_name", 2.0))
    text = lines(row("a|b", errors=errors))
    assert "0 of 1 as expected; 1 silently wrong." in text
    cells = row_of(text, "a/b")
    assert cells[2].startswith("**done**: height of L1 off by 0.90 mm")
    assert "height **0.90** (0.5 mm)" in cells[3]
    assert "left out **missing** (0.5 mm)" in cells[3]
    assert "level name **2.00** (0 levels)" in cells[3]


def test_quantities_over_all_cases(row, off):
    text = lines(row("a", errors=(off(value=0.1),)), row("b", errors=(off(value=-0.4),)))
    found = row_of(text, "height")
    assert found[1:4] == ["2", "0.40 (0.5 mm)", "b L1"] and "issue 3" in found[4]
    assert not [line for line in text if line.startswith("| cobb |")]
