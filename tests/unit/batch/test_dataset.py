"""The data set's definitions: sound, different from each other, listed and explained."""

import re
import tomllib
from pathlib import Path

import pytest

from guidegen.batch.dataset import read_dataset
from guidegen.batch.limits import LIMITS
from guidegen.batch.spine_errors import asked_levels
from guidegen.export.settings import make_settings
from guidegen.phantoms.definition import Definition
from guidegen.phantoms.recipe import load_recipe
from guidegen.procedures.registry import PROCEDURES

DATA = Path(__file__).parents[3] / "data" / "phantoms"
FILES = sorted(DATA.glob("*.toml"))
RECIPES = [pytest.param(path, id=path.stem) for path in FILES]


def test_there_are_cases_of_all_procedures_and_refusals_among_them():
    cases = read_dataset(DATA)
    assert len(cases) == len(FILES) >= 22
    assert not [case.name for case in cases if case.problem]
    assert {case.procedure for case in cases} == set(PROCEDURES)
    assert sum(case.expect.exit == 1 for case in cases) >= 4
    assert sum(bool(case.expect.red) for case in cases) >= 6


def test_no_two_are_scanned_alike():
    assert len({load_recipe(path).definition.seed for path in FILES}) == len(FILES)


@pytest.mark.parametrize("path", RECIPES)
def test_a_case_asks_for_what_its_procedure_takes(path):
    recipe = load_recipe(path)
    procedure, run = PROCEDURES[recipe.run.procedure], recipe.run
    make_settings(procedure.settings_type, run.settings, path.name)
    given = {"approach": run.approach, "accept_posture": run.accept_posture, "axis": run.axis}
    assert {name for name, value in given.items() if value} <= set(procedure.takes)
    assert run.side == "both" or "side" in procedure.takes
    if run.levels:
        assert asked_levels(run.levels)


@pytest.mark.parametrize("path", RECIPES)
def test_a_case_says_what_it_is_for_and_what_must_come_of_it(path):
    recipe = load_recipe(path)
    expect = recipe.expect
    assert len(recipe.description) > 30
    assert set(expect.red) <= set(expect.warnings)
    assert bool(expect.message) == (expect.exit == 1)
    assert not expect.message or " " in expect.message, "one word stands in many sentences"
    assert set(expect.limits) <= set(LIMITS)
    if expect.limits:
        assert "# " in path.read_text(), "a limit of its own wants a reason beside it"
    known = recipe.definition
    if isinstance(known, Definition) and expect.exit != 1:
        levels = asked_levels(recipe.run.levels) if recipe.run.levels else known.expect.levels
        assert set(levels) <= set(known.expect.levels)
        assert {name.partition("_")[0] for name in expect.skipped} <= set(levels)


@pytest.mark.parametrize("path", RECIPES)
def test_the_readme_lists_it(path):
    text = (DATA / "README.md").read_text(encoding="utf-8")
    (row,) = [line for line in text.splitlines() if line.startswith(f"| `{path.stem}` |")]
    recipe, told = load_recipe(path), row.strip("| ").split(" | ")
    phantom = tomllib.loads(path.read_text(encoding="utf-8"))["phantom"]
    assert told[1:3] == [f"`{phantom}`", recipe.description]
    expect = recipe.expect
    words = {0: "parts", 1: f'refused: "... {expect.message} ..."', 2: "nothing to export (exit 2)"}
    assert told[3].startswith(words[expect.exit])
    assert set(re.findall(r"`(\w+)`", told[3])) == set(expect.warnings)
    left_out = told[3].partition("left out: ")[2].split(", ") if expect.skipped else []
    assert [name.replace(" ", "_") for name in left_out] == list(expect.skipped)
