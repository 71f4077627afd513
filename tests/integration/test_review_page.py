"""The review page in a real browser: see, correct, approve, build, download."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import pytest

from guidegen.export.approval import approve, require_approved
from guidegen.export.folder import open_case
from guidegen.export.manifest import write_checks
from guidegen.export.order import Order
from guidegen.flow import plan_case
from guidegen.mesh.io import read_stl
from guidegen.model.findings import CheckReport, Finding
from guidegen.phantoms.scan import ScanOptions
from guidegen.phantoms.write import write_phantom
from tests.integration.browser import Reader, browser, served
from tests.validation.cases import Wish

pytestmark = pytest.mark.slow
IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"


@pytest.fixture(scope="module")
def screws(phantom_case):
    """A planned case with two screws in L3; the golden plans' own, so that it is made once."""
    return phantom_case(
        Wish("lopsided", "L3", ScanOptions(spacing_mm=1.0, slice_mm=1.25), lowest_level="L4")
    ).root


@pytest.fixture
def case(screws, tmp_path):
    return Path(shutil.copytree(screws, tmp_path / "lopsided"))


@pytest.fixture
def picture(update_golden, tmp_path):
    """Where a screenshot goes: into the documentation when it is to be rewritten."""
    return (lambda name: IMAGES / name) if update_golden else (lambda name: tmp_path / name)


def plan_of(case):
    return json.loads((case / "plan.json").read_text(encoding="utf-8"))


def path_of(case, name):
    return next(path for path in plan_of(case)["paths"] if path["name"] == name)


def introduce(reader, name="A. Surgeon"):
    """Say who is at work, where the page asks."""
    reader.until(lambda: reader.js("return document.querySelector('#name-dialog').open"))
    reader.type("#name-field", name)
    reader.click("#name-ok")


def drag(reader, selector, by, start=(0, 0)):
    """Drag from a picture's middle, where the chosen path's own middle lies."""
    actions = pytest.importorskip("selenium.webdriver").ActionChains(reader.page, duration=60)
    actions.move_to_element_with_offset(reader.one(selector), *start).click_and_hold()
    for share in (0.25, 0.5, 0.75, 1.0):
        x, y = start[0] + by[0] * share, start[1] + by[1] * share
        actions.move_to_element_with_offset(reader.one(selector), round(x), round(y)).pause(0.1)
    actions.release().perform()


def grade(reader, name):
    return reader.text(f"tr[data-item='{name}'] .grade")


@pytest.mark.ci
def test_see_correct_approve_build_download(case, tmp_path, picture):
    name = "L3_right"
    with served(case) as address, browser(tmp_path) as page:
        reader = Reader(page, address)
        assert "token" not in page.current_url
        assert reader.text("#case") == plan_of(case)["case_id"] and "Not approved" in reader.text(
            "#approval"
        )
        assert reader.js("return document.documentElement.scrollHeight") <= 768
        reader.click("#worst-first")
        rows = reader.js(
            "return [...document.querySelectorAll('tr[data-item]')].map(r => r.dataset.item)"
        )
        assert sorted(rows) == ["L3_left", "L3_right"]
        reader.click(f"tr[data-item='{name}']")
        reader.until(lambda: reader.text("#panel-title") == "L3 right")
        assert grade(reader, name) == "A"
        reader.until(
            lambda: reader.js("return document.querySelector('#slice0 canvas').width > 100")
        )
        page.implicitly_wait(0)
        reader.until(lambda: not reader.one("#loading").is_displayed())
        reader.shot(picture("review.png"))

        before = path_of(case, name)
        drag(reader, "#slice0 canvas", (-45, 0))  # sideways, away from the canal
        introduce(reader)
        reader.until(lambda: path_of(case, name)["entry_mm"] != before["entry_mm"])
        reader.until(lambda: grade(reader, name) > "B")
        moved = path_of(case, name)
        assert moved["edited"] and moved["grade"] == grade(reader, name)
        assert any(w.get("red") and w["subject"] == name for w in plan_of(case)["warnings"])
        reader.shot(picture("review_breach.png"))

        reader.click("#undo")
        reader.until(lambda: path_of(case, name)["entry_mm"] == before["entry_mm"])
        reader.until(lambda: grade(reader, name) == "A")
        reader.click("#redo")
        reader.until(lambda: grade(reader, name) > "B")

        reader.click("#approve")
        assert not reader.one("#approve-ok").is_enabled()
        reader.type("#approve-word", plan_of(case)["case_id"])
        assert not reader.one("#approve-ok").is_enabled()
        assert "to be ticked" in reader.text("#approve-why")
        for box in page.find_elements("css selector", "#approve-reds input"):
            reader.js("arguments[0].scrollIntoView()", box)
            box.click()
        reader.shot(picture("review_approve.png"))
        reader.click("#approve-ok")
        reader.until(lambda: "Approved by A. Surgeon" in reader.text("#approval"))
        _, approval = require_approved(open_case(case))
        assert approval.by == "A. Surgeon" and not approval.unattended
        assert any(key.endswith(f":{name}") for key in approval.accepted)

        reader.click("#undo")
        reader.until(lambda: "stale" in reader.text("#approval"))
        assert not reader.one("#build").is_enabled()
        reader.until(lambda: grade(reader, name) == "A")

        reader.click("#approve")
        reader.type("#approve-word", plan_of(case)["case_id"])
        for box in page.find_elements("css selector", "#approve-reds input"):
            box.click()
        reader.click("#approve-ok")
        reader.until(lambda: "Approved by" in reader.text("#approval"))
        reader.until(lambda: reader.one("#build").is_enabled(), 180)
        reader.click("#build")
        reader.until(lambda: (case / "guides" / "L3.stl").is_file(), 300)
        link = reader.until(
            lambda: reader.js("return document.querySelector('#parts a[href$=\"L3.stl\"]')"), 120
        )
        reader.js("document.querySelector('#files-box').open = true; arguments[0].click()", link)
        got = reader.until(lambda: next(tmp_path.glob("L3*.stl"), None))
        reader.until(lambda: got.stat().st_size == (case / "guides/L3.stl").stat().st_size)
        assert got.read_bytes() == (case / "guides" / "L3.stl").read_bytes()
        assert len(read_stl(got)[1]) > 1000
        assert reader.problems() == []


@pytest.mark.ci
def test_numbers_previews_and_the_way_back(case, tmp_path):
    name = "L3_left"
    with served(case) as address, browser(tmp_path) as page:
        reader = Reader(page, address)
        reader.click(f"tr[data-item='{name}']")
        planned = path_of(case, name)
        reader.until(lambda: reader.one("#field-diameter_mm"))
        reader.number("diameter_mm", planned["diameter_mm"] - 1.0)
        introduce(reader)
        reader.until(lambda: path_of(case, name)["diameter_mm"] == planned["diameter_mm"] - 1.0)
        assert path_of(case, name)["clearance_mm"] == pytest.approx(
            planned["clearance_mm"] + 0.5, abs=0.01
        )
        reader.click("#rebuild")
        reader.until(
            lambda: "L3" in reader.js("return fetch('/api/work').then(r => r.json())")["previews"],
            240,
        )
        assert not list(case.glob("guides/*"))
        reader.click("#automatic")
        reader.until(lambda: path_of(case, name)["diameter_mm"] == planned["diameter_mm"])
        assert not path_of(case, name).get("edited")
        reader.click("#switch-off")
        reader.until(lambda: name in [item["name"] for item in plan_of(case)["skipped"]])
        assert name not in [item["name"] for item in plan_of(case)["paths"]]
        entries = json.loads((case / "history.json").read_text(encoding="utf-8"))["entries"]
        assert {entry["by"] for entry in entries} == {"A. Surgeon"}
        assert reader.problems() == []


@pytest.mark.ci
def test_a_second_tab_is_told(case, tmp_path):
    with served(case) as address, browser(tmp_path) as page:
        reader = Reader(page, address)
        reader.click("tr[data-item='L3_left']")
        reader.until(lambda: reader.one("#field-diameter_mm"))
        told = plan_of(case)
        told["paths"][0]["diameter_mm"] -= 0.5
        (case / "plan.json").write_text(json.dumps(told), encoding="utf-8")
        wanted = path_of(case, "L3_left")["diameter_mm"] - 1.0
        reader.number("diameter_mm", wanted)
        introduce(reader)
        reader.until(lambda: "changed elsewhere" in reader.text("#bars"))
        assert path_of(case, "L3_left")["diameter_mm"] == wanted + 1.0


def meanwhile(reader, change, name="L3_left"):
    """Somebody else changes the plan; the page looks when it is looked at again."""
    edit = (
        "const told = await (await fetch('/api/case')).json();"
        "const body = {revision: told.revision, by: 'B. Engineer', item: arguments[0], "
        "change: arguments[1]};"
        "const answer = await fetch('/api/edit', {method: 'POST', body: JSON.stringify(body)});"
        "window.dispatchEvent(new Event('focus')); return answer.status;"
    )
    assert reader.js(f"return (async () => {{ {edit} }})()", name, change) == 200


def aside(case, mm, name="L3_left"):
    """A path moved to its patient's left as a whole."""
    ends = path_of(case, name)
    return {end: [ends[end][0] + mm, *ends[end][1:]] for end in ("entry_mm", "tip_mm")} | {
        "length_mm": ends["length_mm"]
    }


@pytest.mark.ci
def test_what_was_ticked_is_what_was_read(case, tmp_path):
    """A warning that says something else by now is not ticked; the canal can't be."""
    with served(case) as address, browser(tmp_path) as page:
        reader = Reader(page, address)
        reader.click("tr[data-item='L3_left']")
        further = aside(case, 5.0)
        meanwhile(reader, aside(case, 3.0))
        boxes = "#approve-reds input"
        reader.until(lambda: "red" in reader.text("#next"))
        reader.click("#approve")
        reader.type("#approve-name", "A. Surgeon")
        reader.type("#approve-word", plan_of(case)["case_id"])
        for box in page.find_elements("css selector", boxes):
            box.click()
        reader.until(lambda: reader.one("#approve-ok").is_enabled())
        before = reader.text("#approve-reds")
        meanwhile(reader, further)
        reader.until(lambda: reader.text("#approve-reds") != before)
        assert not reader.one("#approve-ok").is_enabled()
        assert "still to be ticked" in reader.text("#approve-why")
        assert "has changed while this was open" in reader.text("#approve-error")
        for box in page.find_elements("css selector", boxes):
            box.click()
        assert "Type the case's name" in reader.text("#approve-why")
        page.execute_script("document.querySelector('#approve-dialog').close()")
        meanwhile(reader, aside(case, -12.0))
        reader.until(lambda: "canal" in reader.text("#own-warnings"))
        reader.click("#approve")
        reader.until(lambda: reader.js("return document.querySelector('#approve-dialog').open"))
        assert "L3 left reaches into the canal: nobody can approve" in reader.text("#approve-why")
        assert not reader.one("#approve-ok").is_enabled()
        assert reader.problems() == []


@pytest.mark.ci
def test_a_dragged_end_gives_a_length_of_the_set(case, tmp_path):
    """The entry is let go 7 mm behind the bone, the tip 3 mm short; the whole keeps its length."""
    planned = path_of(case, "L3_left")
    way = [
        (b - a) / planned["length_mm"]
        for a, b in zip(planned["entry_mm"], planned["tip_mm"], strict=True)
    ]

    def moved(what, by):
        ends = {
            end: [x + by[n] * (what in (end[:-3], "both")) for n, x in enumerate(planned[end])]
            for end in ("entry_mm", "tip_mm")
        }
        reader.js(
            "import('/static/edits.js').then((e) => e.moved('L3_left', ...arguments, true))",
            *(what, ends["entry_mm"], ends["tip_mm"]),
        )

    with served(case) as address, browser(tmp_path) as page:
        reader = Reader(page, address)
        reader.click("tr[data-item='L3_left']")
        moved("tip", [-3.0 * x for x in way])
        introduce(reader)
        reader.until(lambda: path_of(case, "L3_left")["length_mm"] < planned["length_mm"] - 1)
        shorter = path_of(case, "L3_left")
        assert shorter["length_mm"] == pytest.approx(planned["length_mm"] - 5.0, abs=1e-3)
        reader.click("#undo")
        reader.until(lambda: path_of(case, "L3_left") == planned)
        moved("entry", [-7.0 * x for x in way])
        reader.until(lambda: len(json.loads((case / "history.json").read_text())["entries"]) == 3)
        assert path_of(case, "L3_left")["tip_mm"] == pytest.approx(planned["tip_mm"], abs=1e-3)
        assert path_of(case, "L3_left")["length_mm"] == pytest.approx(
            planned["length_mm"], abs=1e-3
        )
        moved("both", [-4.0 * x + 0.8 * (n == 2) for n, x in enumerate(way)])
        reader.until(lambda: path_of(case, "L3_left")["tip_mm"][2] > planned["tip_mm"][2] + 0.5)
        after = path_of(case, "L3_left")
        assert after["length_mm"] == pytest.approx(planned["length_mm"], abs=1e-3)
        assert reader.problems() == []


@pytest.mark.ci
def test_a_failed_check_is_shown(case, tmp_path):
    folder = open_case(case)
    approve(folder, "A. Surgeon", unattended=True)
    thin = Finding("min_wall", "guides/L3.stl", 1.234, 2.0, "at_least", "mm")
    unmade = Finding("made", "L4", math.nan, 1.0, "equal", "count", reason="its sleeves cross")
    passed = Finding("watertight", "guides/L3.stl", 1.0, 1.0, "equal", "count")
    write_checks(folder, CheckReport((thin, unmade, passed)))
    with served(case) as address, browser(tmp_path) as page:
        reader = Reader(page, address)
        assert "2 checks failed" in reader.text("#next")
        reader.click("#next-go")
        reader.until(lambda: reader.one("#failed-checks").is_displayed())
        assert "No part passed" in reader.text("#files-note")
        told = reader.text("#failed-checks")
        assert "min wall is 1.23 mm, wanted at least 2.00" in told
        assert "its sleeves cross" in told and "watertight" not in told
        assert reader.problems() == []


@pytest.mark.ci
def test_a_slice_that_does_not_come_leaves_no_old_one(case, tmp_path):
    """Nothing is better than the picture of another place."""
    with served(case) as address, browser(tmp_path) as page:
        reader = Reader(page, address)
        reader.click("tr[data-item='L3_left']")
        grey = "const c = document.querySelector('#slice0 canvas'), g = c.getContext('2d');"
        lit = "const d = g.getImageData(0, 0, c.width, c.height).data; "
        share = grey + lit + "return d.filter((v) => v % 255).length / d.length"
        reader.until(lambda: reader.js(share) > 0.5)
        reader.js(
            "const ask = window.fetch; window.fetch = (path, ...more) => "
            "String(path).startsWith('/api/slice') ? Promise.reject(new Error()) "
            ": ask(path, ...more)"
        )
        reader.click("tr[data-item='L3_right']")
        reader.until(lambda: "No slice" in reader.text("#slice0 .title"))
        reader.until(lambda: reader.js(share) < 0.15)


@pytest.mark.ci
def test_without_webgl(case, tmp_path, picture):
    with served(case) as address, browser(tmp_path, "--disable-3d-apis") as page:
        reader = Reader(page, address)
        reader.until(lambda: reader.one("#no-webgl").is_displayed())
        assert "WebGL" in reader.text("#no-webgl")
        reader.until(
            lambda: reader.js("return document.querySelector('#still').naturalWidth") > 100
        )
        reader.click("tr[data-item='L3_left']")
        grey = "const c = document.querySelector('#slice0 canvas'), g = c.getContext('2d');"
        count = "return new Set(g.getImageData(0, 0, c.width, c.height).data).size"
        reader.until(lambda: reader.js(grey + count) > 20)
        reader.shot(picture("review_without_webgl.png"))


@pytest.fixture(scope="module")
def knee(tmp_path_factory):
    """A planned case with the cuts of a right leg."""
    place = tmp_path_factory.mktemp("knee")
    scan = write_phantom("leg_straight", place / "scan", ScanOptions(1.5, 2.0))
    plan_case(Order("knee", scan, place / "leg", side="right"))
    return place / "leg"


def test_the_slope_of_a_knee(knee, tmp_path, picture):
    """A steeper tibial cut: angle, resections and pins follow, and are written together."""

    def told(name):
        return next(m["value"] for m in plan_of(knee)["measurements"] if m["name"] == name)

    with served(knee) as address, browser(tmp_path) as page:
        reader = Reader(page, address)
        reader.click("tr[data-item='proximal_tibia_right']")
        reader.until(lambda: reader.one("#field-slope_deg"))
        before, pins = told("LTC_right"), [p["entry_mm"] for p in plan_of(knee)["paths"]]
        planned = float(reader.js("return document.querySelector('#field-slope_deg').value"))
        reader.number("slope_deg", planned + 2.0)
        introduce(reader)
        reader.until(lambda: told("LTC_right") == pytest.approx(before - 2.0, abs=0.05), 120)
        after = [p["entry_mm"] for p in plan_of(knee)["paths"]]
        assert len(after) == len(pins) and after != pins
        assert not any(w["code"] == "pins_wait" for w in plan_of(knee)["warnings"])
        grey = "const c = document.querySelector('#slice0 canvas'), g = c.getContext('2d');"
        count = "return new Set(g.getImageData(0, 0, c.width, c.height).data).size"
        reader.until(lambda: reader.js(grey + count) > 20)
        reader.shot(picture("review_knee.png"))
        reader.click("#undo")
        reader.until(lambda: told("LTC_right") == pytest.approx(before, abs=1e-6), 120)
        assert [p["entry_mm"] for p in plan_of(knee)["paths"]] == pins
        assert reader.problems() == []
