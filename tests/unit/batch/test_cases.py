"""Data sets: folders of definitions, of scans, and cases.toml."""

import os
import re
import sys

import pytest

from guidegen.batch.cases import BatchCase, phantom_case
from guidegen.batch.dataset import MARK, read_dataset
from guidegen.batch.key import key_of
from guidegen.errors import InputError

TINY = 'phantom = "demo"\nseed = 4\n[run]\nprocedure = "pedicle-screws"\n'


@pytest.fixture
def listed(tmp_path):
    """Write a cases.toml and read it."""

    def read(text):
        (tmp_path / "cases.toml").write_text(text)
        return read_dataset(tmp_path / "cases.toml")

    (tmp_path / "scan").mkdir()
    (tmp_path / "tiny.toml").write_text(TINY)
    return read


def test_a_folder_of_definitions_with_one_that_is_none(tmp_path):
    (tmp_path / "a.toml").write_text(TINY + 'levels = "L4"\n[run.settings.guide]\nfit_gap_mm = 0.3')
    (tmp_path / "b.toml").write_text("this is = = no TOML")
    (tmp_path / "README.md").write_text("about")
    good, bad = read_dataset(tmp_path)
    assert (good.name, good.procedure, good.is_phantom) == ("a", "pedicle-screws", True)
    assert good.options == {"levels": "L4"}
    assert good.settings == {"guide": {"fit_gap_mm": 0.3}}
    assert good.expect.exit == 0 and good.why_not() == ""
    assert bad.name == "b" and "b.toml is not valid TOML" in bad.why_not()


def test_a_folder_of_scans(tmp_path):
    for name in ("b scan", "a.nii.gz", ".hidden", "notes.txt", "night", "Thumbs.db"):
        (tmp_path / name).mkdir()
    (tmp_path / "night" / MARK).write_text("")
    given = {"levels": "L3", "labels": "seg.nii", "side": "both", "force": False, "config": None}
    cases = read_dataset(tmp_path, "pedicle-screws", given)
    assert [case.name for case in cases] == ["a", "b_scan"]
    assert cases[0].source == tmp_path / "a.nii.gz"
    assert cases[0].options["labels"].is_absolute()
    assert set(cases[0].options) == {"levels", "labels"}
    assert cases[0].expect is None


@pytest.mark.parametrize(
    ("procedure", "options", "said"),
    [
        (None, {}, "needs --procedure"),
        ("kneee", {}, "no procedure 'kneee'"),
        ("knee", {"force": True}, "without --force"),
    ],
)
def test_scans_want_a_procedure_that_there_is(tmp_path, procedure, options, said):
    (tmp_path / "a.nii").write_text("")
    with pytest.raises(InputError, match=said):
        read_dataset(tmp_path, procedure, options)


def test_what_is_no_data_set(tmp_path):
    with pytest.raises(InputError, match="there is no data set"):
        read_dataset(tmp_path / "absent", "knee")
    (tmp_path / "scan.nii").write_text("")
    with pytest.raises(InputError, match=r"scan\.nii is no data set"):
        read_dataset(tmp_path / "scan.nii", "knee")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="is empty"):
        read_dataset(tmp_path / "empty", "knee")


def test_scans_among_definitions_are_not_passed_over(tmp_path):
    (tmp_path / "a.toml").write_text(TINY)
    (tmp_path / "B.TOML").write_text(TINY)
    (tmp_path / "._a.toml").write_bytes(b"macOS")
    (tmp_path / "night").mkdir()
    (tmp_path / "night" / MARK).write_text("")
    assert [case.name for case in read_dataset(tmp_path)] == ["B", "a"]
    (tmp_path / "scan").mkdir()
    with pytest.raises(InputError, match=r"2 \.toml beside 1 other"):
        read_dataset(tmp_path)


@pytest.mark.parametrize(("procedure", "options"), [("knee", {}), (None, {"lowest_level": "L5"})])
def test_options_of_a_data_set_that_says_itself(tmp_path, procedure, options):
    (tmp_path / "a.toml").write_text(TINY)
    wrong = "--procedure" if procedure else "--lowest-level"
    with pytest.raises(InputError, match=f"leave out {wrong}"):
        read_dataset(tmp_path, procedure, options)


def test_names_differ_in_more_than_the_letters_case(tmp_path):
    (tmp_path / "a.nii").write_text("")
    (tmp_path / "A.nrrd").write_text("")
    with pytest.raises(InputError, match="two cases are called a"):
        read_dataset(tmp_path, "knee")


def test_entries_are_completed_with_the_defaults(listed, tmp_path):
    first, second = listed(
        """
        [defaults]
        procedure = "pedicle-screws"
        lowest_level = "L5"
        config = "fdm.toml"
        [defaults.settings.guide]
        fit_gap_mm = 0.5
        [[case]]
        name = "one"
        input = "scan"
        levels = "L3"
        series = ["1.2", "1.3"]
        settings.guide.bore_clearance_mm = 0.3
        expect.exit = 2
        [[case]]
        input = "scan"
        procedure = "knee"
        """
    )
    assert (first.name, second.name) == ("one", "scan")
    assert first.source == tmp_path / "scan"
    assert first.settings == {"guide": {"fit_gap_mm": 0.5, "bore_clearance_mm": 0.3}}
    assert second.settings == {"guide": {"fit_gap_mm": 0.5}}
    assert first.options["series"] == ["1.2", "1.3"]
    assert first.options["config"] == tmp_path / "fdm.toml"
    assert "levels" not in second.options and second.options["lowest_level"] == "L5"
    assert (first.expect.exit, second.expect, second.procedure) == (2, None, "knee")
    assert "both settings and config" in first.why_not()


def test_an_entry_goes_over_a_definition_and_leaves_its_expectation(listed, tmp_path):
    (tmp_path / "tiny.toml").write_text(
        TINY + 'levels = "L3"\n[run.settings.guide]\nfit_gap_mm = 0.3\n[expect]\nexit = 1\n'
    )
    one, two = listed(
        """
        [defaults]
        expect.exit = 2
        [[case]]
        input = "tiny.toml"
        levels = "L4"
        settings.guide.bore_clearance_mm = 0.3
        [[case]]
        name = "two"
        input = "tiny.toml"
        expect = { limits = { height = 0.9 } }
        """
    )[::1]
    assert one.name == "tiny" and one.options["levels"] == "L4"
    assert one.settings == {"guide": {"fit_gap_mm": 0.3, "bore_clearance_mm": 0.3}}
    assert one.expect.exit == 1
    assert two.expect.exit == 0 and two.expect.limits == {"height": 0.9}
    assert two.options["levels"] == "L3" and two.why_not() == ""


def test_scans_are_expected_to_come_out_as_the_defaults_say(listed):
    text = "[defaults]\nprocedure = 'knee'\nexpect.exit = 2\n[[case]]\nname = 'a'\n"
    text += "input = 'scan'\n[[case]]\ninput = 'scan'\nexpect.exit = 1\n"
    assert [case.expect.exit for case in listed(text)] == [2, 1]


@pytest.mark.parametrize("names", ["aA", "Aa", "aa"])
def test_names_in_a_list_differ_in_more_than_the_letters_case(listed, names):
    text = "".join(f"[[case]]\nname = '{n}'\ninput = 'tiny.toml'\n" for n in names)
    with pytest.raises(InputError, match="two cases are called"):
        listed(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has no [[case]]"),
        ("[[case]]\nprocedure = 'knee'", "case 1 has no input"),
        ("[[case]]\ninput = 'scan'", "case 1 has no procedure"),
        ("[[case]]\ninput = 'scan'\nlevel = 'L3'", "there is no setting case.0.level"),
        ("[[case]]\ninput = 'scan'\nprocedure = 'knee'\nname = '../x'", "name is '../x'"),
        ("[[case]]\ninput = 'scan'\nprocedure = 'knee'\nname = ''", "name is ''"),
        ("[[case]]\ninput = 'scan'\nprocedure = 'knee'\nname = '-x'", "name is '-x'"),
        ("[[case]]\ninput = 'scan'\nprocedure = 'knee'\nname = 'Con'", "name is 'Con'"),
        (f"[[case]]\ninput = 'scan'\nprocedure = 'knee'\nname = '{'x' * 101}'", "xxx..., but may"),
        ('[[case]]\ninput = "a\\u0000b"\nprocedure = "knee"', "case 1: input is no path"),
        ('[[case]]\ninput = "scan"\nlabels = "\\u0000"\nprocedure = "knee"', "labels is no path"),
        ("[defaults]\nname = 'x'\n[[case]]\ninput = 'scan'", "not [defaults]"),
        ("[[case]]\ninput = 3", "case.0.input"),
        ("[[case]]\ninput = 'scan'\nexpect.limits.height = inf", "case.0.expect.limits.height"),
        ("case = = 1", "not valid TOML"),
        ("[[case]]\ninput = 'tiny.toml'\n[[case]]\ninput = 'tiny.toml'", "two cases are called"),
    ],
)
def test_what_is_wrong_with_a_cases_toml(listed, text, said):
    with pytest.raises(InputError, match=re.escape(said)):
        listed(text)


def test_a_folder_with_a_cases_toml(listed, tmp_path):
    listed("[[case]]\ninput = 'tiny.toml'\n")
    assert [case.name for case in read_dataset(tmp_path)] == ["tiny"]


def test_what_can_not_be_run_says_why(tmp_path):
    there = tmp_path / "scan"
    there.mkdir()
    assert BatchCase("a", "knee", there).why_not() == ""
    assert "no procedure '--help'" in BatchCase("a", "--help", there).why_not()
    assert "does not exist" in BatchCase("a", "knee", tmp_path / "Erika").why_not()
    assert "Erika" not in BatchCase("a", "knee", tmp_path / "Erika").why_not()
    too_long = BatchCase("a", "knee", tmp_path / ("x" * 300))
    assert "does not exist" in too_long.why_not() and len(key_of(too_long)) == 64
    (tmp_path / "t.toml").write_text(TINY + "[expect.limits]\nhight = 3\n")
    assert "hight, which is not compared" in phantom_case(tmp_path / "t.toml").why_not()
    assert "can't be read" in phantom_case(tmp_path / "absent.toml").why_not()


@pytest.mark.parametrize("option", ["labels", "label_names", "config"])
def test_a_file_of_an_option_that_is_absent_is_no_refusal(tmp_path, option):
    """A refusal may be expected; a wrong path must not pass for one."""
    case = BatchCase("a", "knee", tmp_path, {option: tmp_path / "Erika"})
    assert case.why_not() == f"its {option} does not exist: check the path"
    (tmp_path / "Erika").write_text("")
    assert case.why_not() == ""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere all names are Unicode")
def test_names_that_are_no_unicode(tmp_path):
    with open(os.fsencode(tmp_path) + b"/\xffa.toml", "wb") as stream:
        stream.write(b"x = = 1")
    (case,) = read_dataset(tmp_path)
    assert case.name == "a" and case.problem.encode("utf-8").startswith(b"?a.toml is not valid")
    (tmp_path / "scans").mkdir()
    for name in (b"M\xfcller Erika.nii", b"\xff.nii"):
        with open(os.fsencode(tmp_path) + b"/scans/" + name, "wb"):
            pass
    cases = read_dataset(tmp_path / "scans", "knee")
    assert len({case.name for case in cases} | {key_of(case) for case in cases}) == 4
    assert all(case.name.startswith("scan_") and case.why_not() == "" for case in cases)


def test_a_definition_with_a_long_name_is_called_by_its_beginning(tmp_path):
    path = tmp_path / f"{'x' * 99}- y.toml"
    path.write_text(TINY)
    assert phantom_case(path).name == "x" * 99


def test_settings_that_are_wrong_are_no_refusal(tmp_path):
    """A refusal may be expected; a slip in the data set must not pass for one."""
    case = BatchCase("a", "knee", tmp_path, settings={"kerf": 1.3})
    assert "there is no setting kerf" in case.why_not()
    (tmp_path / "own.toml").write_text("kerf_mm = 'thin'")
    case = BatchCase("a", "knee", tmp_path, {"config": tmp_path / "own.toml"})
    assert case.why_not().startswith("settings: kerf_mm: ")
    (tmp_path / "own.toml").write_text("kerf_mm = = 3")
    assert "own.toml is not valid TOML" in case.why_not()
    (tmp_path / "own.toml").write_text("kerf_mm = 1.2")
    assert case.why_not() == ""
