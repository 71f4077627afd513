"""What is installed holds everything that the program reads."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_every_data_file_is_packed():
    """Each tracked file under guidegen that is no module matches a pattern of package-data."""
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"][
        "package-data"
    ]["guidegen"]
    command = ["git", "ls-files", "guidegen"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("not a git checkout")
    packed = {path for pattern in patterns for path in (ROOT / "guidegen").glob(pattern)}
    for name in done.stdout.splitlines():
        assert name.endswith(".py") or ROOT / name in packed, f"{name} would not be installed"


def test_every_folder_with_modules_is_a_package():
    folders = {path.parent for path in (ROOT / "guidegen").rglob("*.py")}
    assert all((folder / "__init__.py").is_file() for folder in folders)
