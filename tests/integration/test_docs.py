"""What the documentation says is run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from docs.make_settings import PAGE, page
from guidegen.cli import main

DOCS = Path(__file__).resolve().parents[2] / "docs"


def commands(name: str) -> list[list[str]]:
    text = (DOCS / name).read_text(encoding="utf-8")
    blocks = re.findall(r"```bash\n(.*?)```", text, re.DOTALL)
    return [shlex.split(line) for block in blocks for line in block.splitlines() if line]


def write_files(name: str) -> None:
    """Write the page's TOML blocks that begin with the file's name."""
    text = (DOCS / name).read_text(encoding="utf-8")
    for path, block in re.findall(r"```toml\n# (\S+/\S+\.toml)\n(.*?)```", text, re.DOTALL):
        Path(path).parent.mkdir(exist_ok=True)
        Path(path).write_text(block, encoding="utf-8")


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize(
    ("name", "least"),
    [("quickstart.md", 5), ("kyphoplasty.md", 4), ("knee.md", 4), ("batch.md", 2)],
)
def test_commands_of(name, least, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_files(name)
    told = commands(name)
    assert len(told) >= least
    for command in told:
        assert command[0] == "guidegen"
        assert main([*command[1:], "-q"]) == 0, command


def test_settings_page_is_up_to_date():
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m docs.make_settings"


def test_links_lead_somewhere():
    root = DOCS.parent
    for path in (root / "README.md", root / "CONTRIBUTING.md", *DOCS.glob("*.md")):
        for link in re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8")):
            if not link.endswith(".png"):
                assert (path.parent / link).exists(), f"{path.name}: {link}"


@pytest.mark.slow
@pytest.mark.ci
def test_demo(tmp_path, capsys):
    """README's first command, but for the virtual environment."""
    out = tmp_path / "demo"
    assert main(["demo", "--out", str(out), "-q"]) == 0
    assert list((out / "guides").glob("*.stl"))
    assert (out / "report.html").is_file()
    assert list((out / "dicom").rglob("*"))
    assert "Traceback" not in capsys.readouterr().err
