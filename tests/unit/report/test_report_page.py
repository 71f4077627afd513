"""The page as a whole: complete, self-contained, safe."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from guidegen.model.case import Approval
from guidegen.model.findings import CheckReport, Finding
from guidegen.model.notice import Notice
from guidegen.report.head import status
from guidegen.report.html import SECTIONS, render_report
from guidegen.report.notices import notices_section
from guidegen.report.wording import number, plain

HOSTILE = "<script>alert('x')</script><img src=x onerror=y>\"&"
VOID = {"meta", "rect", "image", "br", "path", "circle", "img", "link", "input"}


class Tags(HTMLParser):
    """Collects tags and attributes, and checks that what opens closes."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.open, self.text = [], [], [], []
        self.feed(page)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture(scope="module")
def page(case):
    return render_report(case)


def anchors(page):
    return re.findall(r'<section id="(\w+)"', page)


def test_page_loads_nothing_and_runs_nothing(page):
    seen = Tags(page)
    assert not {"script", "link", "iframe", "object", "embed", "base"} & set(seen.tags)
    loading = [v for k, v in seen.attributes if k in ("src", "href", "xlink:href", "srcset")]
    assert loading
    assert all(value.startswith("data:image/jpeg;base64,") for value in loading)
    assert not [k for k, _ in seen.attributes if k.startswith("on")]
    style = page[page.index("<style>") : page.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style
    assert "http" not in re.sub(r'"data:[^"]*"', "", page)


def test_every_section_is_there_in_order(page):
    assert anchors(page) == [
        *("head", "warnings", "overview", "plan", "measurements", "drill", "slices", "guides"),
        *("checks", "decisions", "landmarks", "settings", "input"),
    ]
    absent = ("cuts", "puncture", "fluoroscopy", "alignment", "methods")
    assert len(SECTIONS) == len(anchors(page)) + len(absent)


def test_page_says_what_matters(page):
    text = " ".join(" ".join(Tags(page).text).split())
    for wanted in (
        *("Not a medical device.", "4f9a00000000", "Approved by Dr. Roe", "with failed checks"),
        *("T8 left narrow pedicle – corridor 4.40 mm", "53.6", "2.90", "kyphosis T7 T8", "supine"),
        *("✗ failed", "✓ passed", "≥ 2.00", "2.4 mm medial", "guides/T7.stl", "±", "HFS"),
        *("breach 1.9 % (2024)", "largest sphere inside", "spinous tip"),
    ):
        assert wanted in text, wanted
    assert text.index("No rib-free level") < text.index("The slices are thick")


def test_hostile_names_are_only_text(case, build):
    plan = replace(
        case.plan,
        case_id=HOSTILE,
        warnings=(Notice(HOSTILE, HOSTILE, HOSTILE, True),),
        paths=tuple(replace(p, warnings=(HOSTILE,)) for p in case.plan.paths),
    )
    bones = tuple(replace(b, name=f"{b.name}{HOSTILE}") for b in case.bones)
    checks = CheckReport((Finding(HOSTILE, HOSTILE, 1.0, 1.0, "equal", HOSTILE, HOSTILE),))
    hostile = build(
        guides=(replace(case.guides[0], label=HOSTILE, bones=(bones[0].name,)),),
        plan=plan,
        bones=bones,
        checks=checks,
        approval=Approval(HOSTILE, HOSTILE, HOSTILE, (HOSTILE,), True),
        versions={HOSTILE: HOSTILE},
    )
    text = render_report(hostile)
    seen = Tags(text)
    assert "script" not in seen.tags
    assert "img" not in seen.tags
    assert "alert('x')" not in text
    assert "&lt;script&gt;" in text


def test_same_case_same_page(case, page):
    assert render_report(case) == page


@pytest.mark.parametrize(
    "missing",
    [
        {"volume": None},
        {"checks": None},
        {"checks": CheckReport(())},
        {"landmarks": ()},
        {"bones": ()},
        {"bones": (), "volume": None},
        {"approval": None, "settings": (), "versions": {}},
    ],
    ids=lambda missing: "-".join(missing),
)
def test_what_is_missing_is_left_out(build, missing):
    shown = anchors(render_report(build(**{"guides": (), **missing})))
    assert {"head", "warnings", "plan", "input"} <= set(shown)
    assert not {"guides", "drill"} & set(shown)
    assert ("landmarks" in shown) == ("landmarks" not in missing)
    assert ("overview" in shown) == ("bones" not in missing)


def test_a_plan_without_paths(case, build):
    empty = replace(case.plan, paths=(), skipped=(), warnings=(), measurements=())
    text = render_report(build(plan=empty, guides=(), checks=None))
    assert anchors(text) == [
        *("head", "warnings", "overview"),
        *("decisions", "landmarks", "settings", "input"),
    ]
    assert "No warnings" in text


def test_status_in_words(build):
    assert status(build(approval=None, checks=None))[0] == "Planned – not approved"
    run = Approval("CI", "2026-01-01", "ab", unattended=True)
    text, tone = status(build(approval=run, checks=None))
    assert text.startswith("Unattended run in the name of CI")
    assert tone == "open"
    assert "no surgeon has looked" in render_report(
        build(approval=run, guides=(), bones=(), volume=None)
    )
    assert status(build())[1] == "bad"


def test_numbers_for_readers():
    assert number(-3.14159, 2) == "−3.14"
    assert number(-0.001) == "0.0"
    assert number(None) == "–"
    assert number(float("nan")) == "not a number"
    assert number((1.0, 2.0), 0) == "1, 2"
    assert plain("L3_left") == "L3 left"


def test_notes_on_single_paths_are_counted_and_all_others_are_listed(case):
    first = replace(case.plan.paths[0], warnings=("tight_corridor",))
    notices = (
        Notice("tight_corridor", "the corridor is tight", first.name),
        Notice("off_rod_line", "the rod must be bent", first.name),
        Notice("surface_unlike_ct", "a rib may be joined", first.name, red=True),
    )
    red = replace(first, warnings=(*first.warnings, "surface_unlike_ct"))
    plan = replace(case.plan, paths=(red, *case.plan.paths[1:]), warnings=notices)
    content = notices_section(replace(case, plan=plan)).content
    assert content["small"] == [("tight corridor", 1)]
    assert [row.code for row in content["other"] if row.code != "thick_slices"] == ["off_rod_line"]
    assert [row.code for row in content["red"]] == ["surface_unlike_ct"]
    assert "1 × tight corridor" in render_report(replace(case, plan=plan))
