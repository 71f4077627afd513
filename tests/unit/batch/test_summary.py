"""summary.csv: a row a case that a program can read and a spreadsheet does not run."""

import csv
import io
import math

import pytest

from guidegen.batch.summary import COLUMNS, csv_text, write_summary


def told(rows):
    return list(csv.DictReader(io.StringIO(csv_text(rows))))


def test_a_row_a_case(row, off):
    rows = [row("a", errors=(off(value=-0.4), off(value=0.1), off("cobb", 1.0))), row("b")]
    one, two = told(rows)
    assert one["case"] == "a" and one["as_expected"] == "yes" and one["kept"] == "no"
    assert (one["exit"], one["expected_exit"], one["outcome"]) == ("0", "0", "done")
    assert (one["levels"], one["grades"], one["skipped"]) == ("L3", "L3_left:A", "L3_right")
    assert (one["smallest_clearance_mm"], one["n_parts"], one["n_checks"]) == ("1.25", "1", "10")
    assert (one["seconds"], one["peak_mb"]) == ("12.0", "300")
    assert (one["error_height_mm"], one["error_cobb_deg"]) == ("0.4", "1.0")
    assert (one["worst_error"], one["worst_error_over_limit"]) == ("height L1", "0.8")
    assert two["error_height_mm"] == two["worst_error"] == ""
    assert list(one)[: len(COLUMNS)] == list(COLUMNS)


def test_what_did_not_end(row):
    (one,) = told([row(outcome="killed", exit=None, reason="its worker, “x”\nwas ended")])
    assert (one["exit"], one["as_expected"], one["surprises"]) == ("", "no", "killed")
    assert one["reason"] == "its worker, “x”\nwas ended"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_missing_is_no_number(row, off, value):
    (one,) = told([row(errors=(off(value=value), off(value=0.3)))])
    assert one["error_height_mm"] == one["worst_error_over_limit"] == "inf"
    assert one["as_expected"] == "no"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_text_is_no_formula(row, start):
    text = f'{start}HYPERLINK("http://x")'
    (one,) = told([row(outcome="refused", reason=text)])
    assert one["reason"].startswith("'") and one["reason"][1] == start


def test_numbers_below_nothing_stay_numbers(row):
    facts = row().result.facts | {"clearances_mm": {"x": -0.5}}
    assert told([row(facts=facts)])[0]["smallest_clearance_mm"] == "-0.5"


def test_both_files_or_none(row, tmp_path, monkeypatch):
    write_summary(tmp_path, [row()])
    assert {path.name for path in tmp_path.iterdir()} == {"summary.html", "summary.csv"}
    assert (tmp_path / "summary.csv").read_text() == csv_text([row()])


def test_no_cases(tmp_path):
    assert csv_text([]).splitlines() == [",".join(COLUMNS)]
