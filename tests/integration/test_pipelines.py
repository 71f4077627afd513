"""Run configs are valid settings of their procedure."""

from pathlib import Path

import pytest

from guidegen.export.settings import load_settings
from guidegen.procedures.registry import PROCEDURES

CONFIGS = sorted((Path(__file__).resolve().parents[2] / "pipelines").glob("*.toml"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_run_config_is_valid(path):
    name = next(name for name in PROCEDURES if path.stem.startswith(name.replace("-", "_")))
    load_settings(PROCEDURES[name].settings_type, path)
