"""What lies in pipelines/ can be used as it is."""

import importlib.util
from pathlib import Path

import pytest
import typer

from guidegen.batch.dataset import read_dataset
from guidegen.batch.sizes import bytes_of
from guidegen.cli import app
from guidegen.export.settings import load_settings, make_settings
from guidegen.procedures.registry import PROCEDURES

FOLDER = Path(__file__).resolve().parents[2] / "pipelines"
SETTINGS = sorted(FOLDER.glob("*_fdm.toml"))
DATA_SETS = sorted(set(FOLDER.glob("*.toml")) - set(SETTINGS))


@pytest.mark.parametrize("path", SETTINGS, ids=lambda path: path.stem)
def test_settings_are_valid(path):
    name = next(name for name in PROCEDURES if path.stem.startswith(name.replace("-", "_")))
    load_settings(PROCEDURES[name].settings_type, path)


@pytest.mark.parametrize("path", DATA_SETS, ids=lambda path: path.stem)
def test_a_data_set_asks_for_what_there_is(path):
    cases = read_dataset(path)
    assert len(cases) >= 3
    for case in cases:
        procedure = PROCEDURES[case.procedure]
        make_settings(procedure.settings_type, case.settings, case.name)
        restricted = {"side", "approach", "accept_posture", "axis"} & set(case.options)
        assert restricted <= procedure.takes
        assert not case.problem
        assert case.why_not() in ("", "its input does not exist: check the path")


def test_there_is_one_for_each_procedure():
    names = {name.replace("-", "_") for name in PROCEDURES}
    assert names <= {path.stem for path in DATA_SETS}
    for name in names:
        (asked,) = {case.procedure for case in read_dataset(FOLDER / f"{name}.toml")}
        assert asked.replace("-", "_") == name


def test_the_spread_holds_all_procedures_refusals_and_warnings():
    cases = read_dataset(FOLDER / "spread.toml")
    assert not [case.why_not() for case in cases if case.why_not()]
    assert 8 <= len(cases) <= 12
    for name in PROCEDURES:
        exits = {case.expect.exit for case in cases if case.procedure == name}
        assert 0 in exits and exits - {0}, name
    assert sum(bool(case.expect.red) for case in cases) >= 2


def test_ci_runs_it():
    text = (FOLDER.parent / ".ci" / "run").read_text(encoding="utf-8")
    assert 'guidegen batch pipelines/spread.toml --out "$place/phantoms"' in text


def test_the_example_for_a_cluster_calls_what_there_is():
    spec = importlib.util.spec_from_file_location("slurm", FOLDER / "slurm.py")
    slurm = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(slurm)
    order = slurm.command("DATA", "OUT", "tcp://node1:8786")
    assert order[1:4] == ["-m", "guidegen", "batch"]
    batch = typer.main.get_command(app).commands["batch"]
    known = {word for given in batch.params for word in given.opts}
    used = {word.split("=")[0] for word in order if word.startswith("--")}
    assert used <= known and "--scheduler" in used
    values = dict(word.split("=") for word in order if "=" in word)
    assert bytes_of(values["--memory-limit"]) == (slurm.MEMORY_GB - slurm.MARGIN_GB) * 1e9
    assert float(values["--case-timeout"]) > 0
