"""A case's definition: what it may say, what is taken from the catalogue, what is refused."""

import json

import pytest

from guidegen.cli import main
from guidegen.errors import InputError
from guidegen.phantoms.catalog import definition_text, load_definition, phantom_names
from guidegen.phantoms.leg_definition import LegsDefinition
from guidegen.phantoms.recipe import load_recipe, write_recipe
from guidegen.phantoms.scan import ScanOptions

RUN = '[run]\nprocedure = "pedicle-screws"\n'
LUMBAR = f'phantom = "lumbar"\n{RUN}'
SMALL = """
phantom = "demo"
[view]
size_mm = [60, 60]
above_mm = -34
below_mm = -34
[scan]
spacing_mm = 2.0
slice_mm = 3.0
[expect]
levels = ["L4"]
exit = 1
message = "complete"
"""


@pytest.fixture
def written(tmp_path):
    """Write a definition's file."""

    def write(text, name="case"):
        path = tmp_path / f"{name}.toml"
        path.write_text(text)
        return path

    return write


def test_what_is_not_said_is_the_catalogues(written):
    text = f"""
    phantom = "lumbar"
    seed = 99
    [change.L3.left]
    width_mm = 5.5
    [scan]
    tilt_deg = 4
    {RUN}
    levels = "L3"
    """
    recipe, base = load_recipe(written(text)), load_definition("lumbar")
    known = recipe.definition
    assert (known.seed, known.name, recipe.name) == (99, "case", "case")
    assert known.change["L3"].left.width_mm == 5.5
    assert known.change["L3"].left.convergence_deg == base.change["L3"].left.convergence_deg
    assert known.change["L4"] == base.change["L4"] and known.posture == base.posture
    assert recipe.scan == ScanOptions(tilt_deg=4.0)
    assert (recipe.run.procedure, recipe.run.levels, recipe.run.side) == (
        "pedicle-screws",
        "L3",
        "both",
    )


def test_of_the_catalogues_expectation_only_the_levels_in_view_are_kept(written):
    narrow = load_definition("narrow")
    assert narrow.expect.warnings and narrow.expect.skipped
    found = load_recipe(written(f'phantom = "narrow"\n{RUN}')).expect
    assert found.levels == narrow.expect.levels
    assert (found.warnings, found.red, found.skipped, found.exit) == ((), (), (), 0)


@pytest.mark.parametrize("name", phantom_names())
def test_a_definition_may_be_complete(name, written):
    recipe = load_recipe(written(f"{definition_text(name)}\n{RUN}", name))
    assert recipe.definition == load_definition(name)
    assert recipe.expect == recipe.definition.expect


def test_legs_differ_from_the_catalogues_too(written):
    text = f'phantom = "leg_valgus"\nseed = 7\n[left]\nvarus_deg = -4\n{RUN}[expect]\nred = ["a"]\n'
    known = load_recipe(written(text)).definition
    assert isinstance(known, LegsDefinition)
    assert (known.left.varus_deg, known.left.lateral_condyle_mm) == (-4.0, 10.5)
    assert known.expect.red == ("a",)


def test_the_truth_has_the_cases_own_expectation(written, tmp_path):
    recipe = load_recipe(written(SMALL + RUN))
    out = write_recipe(recipe, tmp_path / "out")
    truth = json.loads((out / "truth.json").read_text())
    assert truth["expect"]["exit"] == 1 and truth["expect"]["message"] == "complete"
    assert truth["phantom"] == "case" and set(truth["landmarks"]["bones"]) == {"L4"}
    assert list(out.glob("*.dcm")) or list(out.iterdir())


@pytest.mark.parametrize(
    "text, said",
    [
        ("words", "not valid TOML"),
        ('phantom = "lumbar"', "no table [run]"),
        (f'phantom = "elephant"\n{RUN}', "no phantom 'elephant'"),
        (f"phantom = 3\n{RUN}", "no phantom 3"),
        (f"seed = 3\n{RUN}", "description: Field required"),
        (f'name = "x"\n{LUMBAR}', "the file's name"),
        (f"hoof = 3\n{LUMBAR}", "there is no hoof"),
        (f"{LUMBAR}hoof = 3", "[run]: there is no hoof"),
        (f'{LUMBAR}side = "top"', "side: "),
        (f"{LUMBAR}[scan]\nhoof = 3", "[scan]: there is no hoof"),
        (f"{LUMBAR}[scan]\nspacing_mm = 20", "0.05 to 10 mm"),
        (f"{LUMBAR}[scan]\nnoise_hu = nan", "0 to 1000 HU"),
        (f"{LUMBAR}[scan]\ntilt_deg = nan", "within 30 degrees"),
        (f"{LUMBAR}[scan]\nsize_mm = [5, 1e9]", "20 to 1000 mm"),
        (f"{LUMBAR}[view]\nsize_mm = [nan, 100]", "view.size_mm.0: "),
        (f"{LUMBAR}[view]\nsize_mm = [1e9, 1e9]", "less than or equal to 1000"),
        (f"{LUMBAR}[view]\nabove_mm = inf", "view.above_mm: "),
        (f"cancellous_hu = nan\n{LUMBAR}", "cancellous_hu: "),
        (f"{LUMBAR}[posture]\nflexion_deg = [1e300, 0, 0, 0, 0, 0, 0]", "posture.flexion_deg.0"),
        (f"{LUMBAR}[expect.limits]\nheight = inf", "expect.limits.height: "),
        (f'phantom = "leg_straight"\n{RUN}[right]\nvarus_deg = nan', "varus_deg: "),
        (f'phantom = "leg_straight"\n{RUN}[view]\nmargin_mm = 1e9', "view.margin_mm: "),
        (f"scan = 3\n{LUMBAR}", "[scan]: "),
        (f"{LUMBAR}[expect]\nexit = 4", "expect.exit: "),
        (f"{LUMBAR}[expect]\nhoof = 4", "there is no expect.hoof"),
        (f"{LUMBAR}[expect.limits]\nskin_entry = 0", "greater than 0"),
        (f"{LUMBAR}[change.L3.left]\nwidth_mm = -2", "greater than 0"),
        (f"{LUMBAR}[change.T3]\nheight_mm = 20", "T3 must be among the levels"),
        (f'levels = ["L1", "L3"]\n{LUMBAR}', "neighbours"),
        (f"{LUMBAR}[posture]\nbend_deg = [1]", "one number for each of the 7 levels"),
        (f"seed = -1\n{LUMBAR}", "seed: "),
        (f'kind = "legs"\nseed = 1\ndescription = ""\n{RUN}', "at least one of [left]"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(text, said, written):
    with pytest.raises(InputError) as error:
        load_recipe(written(text))
    told = str(error.value)
    assert said in told and told.startswith("case.toml") and "\n" not in told


def test_a_file_that_is_absent_is_said(tmp_path):
    with pytest.raises(InputError, match=r"absent\.toml can't be read"):
        load_recipe(tmp_path / "absent.toml")


def test_the_command_takes_a_definition(written, tmp_path):
    assert main(["phantom", str(written(SMALL + RUN)), "--out", str(tmp_path / "ct"), "-q"]) == 0
    assert (tmp_path / "ct" / "truth.json").is_file()


def test_the_command_does_not_scan_a_definition_otherwise(written, tmp_path, capsys):
    path = str(written(SMALL + RUN))
    assert main(["phantom", path, "--out", str(tmp_path / "ct"), "--tilt-deg", "3"]) == 1
    assert "case.toml says itself how it is scanned" in capsys.readouterr().err
    assert not (tmp_path / "ct").exists()
