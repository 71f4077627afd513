"""summary.html: what went wrong stands first, and nothing of it is run."""

import math
import re

import pytest

from guidegen.batch.page import render_page

EVIL = "<script>alert('x')</script>&\"'"


@pytest.fixture
def page(tmp_path):
    return lambda *rows: render_page(tmp_path, rows)


def titles(text):
    return re.findall(r"<h2>(.*?)</h2>", text)


def order(text):
    return re.findall(r'<article class="(\w+)" id="(\w+)"', text)


def test_all_as_expected(page, row):
    text = page(row("a"), row("b", kept=True))
    assert "<title>All as expected" in text and "All 2 as expected" in text
    assert "1 kept from an earlier run" in text
    assert titles(text) == ["Every case", "Distributions"]
    assert order(text) == [("right", "a"), ("right", "b")]


def test_what_went_wrong_stands_first(page, row):
    text = page(
        row("a"),
        row("b", outcome="refused", reason="no bone: scan again", expect={"exit": 1}),
        row("c", outcome="killed", exit=None, reason="its worker was ended"),
    )
    assert "<title>1 not as expected" in text and "1 of 3 not as expected" in text
    assert titles(text)[:2] == ["What went wrong", "Not done, by reason"]
    assert order(text)[0] == ("wrong", "c")
    wrong = text[text.index("What went wrong") : text.index("Not done, by reason")]
    assert "its worker was ended" in wrong and "no bone" not in wrong
    assert 'href="#c"' in wrong and 'href="#b"' not in wrong


def test_the_numbers_at_the_top(page, row, off):
    text = page(
        row("a"),
        row("b", errors=(off(value=3.0),)),
        row("c", outcome="refused", reason="no", expect={"exit": 1}),
        row("d", outcome="refused", reason="no"),
        row("e", outcome="timed out", exit=None, reason="too long"),
    )
    counts = dict(re.findall(r"<dt>(.*?)</dt><dd>(\d+)</dd>", text))
    assert counts == {
        "done, checks passed": "2",
        "rightly refused": "1",
        "not as expected": "3",
        "silently wrong": "1",
        "broken off": "1",
    }
    assert "1 of them passed every check and is farther from the truth than allowed" in text


def test_failures_are_put_together_by_reason(page, row):
    text = page(
        row("a", outcome="refused", reason="slices 1 and 2 are 3 mm apart: export again"),
        row("b", outcome="refused", reason="slices 7 and 8 are 9 mm apart: export again"),
        row("c", outcome="refused", reason="no bone", expect={"exit": 1}),
    )
    part = text[text.index("by reason") : text.index("Every case")]
    rows = re.findall(r"<tr><td>refused</td><td>(.*?)</td><td class=\"n\">(\d)</td>", part)
    assert rows == [("slices … and … are … mm apart", "2"), ("no bone", "1")]
    assert part.count("as expected") == 1


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (("height", 0.6), "height L1 0.60 mm</b>, limit 0.5"),
        (("height", math.nan), "height L1 missing</b>, limit 0.5"),
        (("level_name", -2.0), "level name L1 2.00 levels</b>, limit 0"),
    ],
)
def test_the_largest_error_is_told(page, row, off, error, shown):
    assert shown in page(row(errors=(off(*error), off("cobb", 0.1))))


def test_everything_is_escaped(page, row, off):
    facts = row().result.facts
    facts = facts | {"warnings": [EVIL], "skipped": [EVIL], "grades": {EVIL: EVIL}}
    facts |= {"clearances_mm": {EVIL: 1.0}}
    text = page(
        row("a", facts=facts, case={"description": EVIL}, errors=(off(value=9, subject=EVIL),)),
        row("b", outcome="refused", reason=EVIL, expect={"exit": 1, "message": EVIL + "y"}),
    )
    assert "<script" not in text and "alert(&#39;x&#39;)" in text
    assert not re.search(r"src=\"(?!data:)|<link|@import|url\(", text), "it loads nothing"


def test_links_lead_to_what_is_there(page, row, tmp_path):
    text = page(row("a"))
    assert "report.html" not in text and "logs/" not in text
    for path in ("cases/a/report.html", "logs/a.txt", "pictures/a/L3.jpg"):
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_bytes(b"x")
    text = page(row("a"))
    assert 'href="cases/a/report.html"' in text and 'href="logs/a.txt"' in text
    assert 'src="data:image/jpeg;base64,eA=="' in text and "<figcaption>L3<" in text


def test_the_same_rows_give_the_same_page(page, row):
    assert page(row("a"), row("b")) == page(row("a"), row("b"))


def test_the_page_of_nothing(page):
    assert "Batch of 0 cases" in page()
