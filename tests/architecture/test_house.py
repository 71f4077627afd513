"""The house rules that no linter knows: sizes, names, docstrings, imports, declared libraries."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "guidegen"
MODULES = sorted(PACKAGE.rglob("*.py"))
MAX_MODULE, MEDIAN_MODULE, MAX_FUNCTION, MAX_PARAMETERS = 400, 150, 50, 6
FORBIDDEN_NAMES = ("utils", "util", "helpers", "helper", "common", "misc", "manager")
COMMAND_LINE = PACKAGE / "cli.py"
MAX_VERB = 15
MIN_PLACE = 4  # characters: "/" or "/usr" stand in many texts
Function = ast.FunctionDef | ast.AsyncFunctionDef


def ids(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def functions(path: Path) -> Iterator[Function]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, Function):
            yield node


def body_lines(function: Function) -> int:
    first = function.body[0]
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    rest = function.body[1:] if documented else function.body
    return (rest[-1].end_lineno or 0) - rest[0].lineno + 1 if rest else 0


def test_import_contracts():
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", MODULES, ids=ids)
def test_module(path):
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= MAX_MODULE
    assert ast.get_docstring(ast.parse(text)) or not text.strip(), "a module says what it holds"
    assert not any(part in FORBIDDEN_NAMES for part in (path.stem, *path.parent.parts))
    for function in functions(path):
        where = f"{ids(path)}:{function.lineno} {function.name}"
        assert body_lines(function) <= MAX_FUNCTION, where
        given = function.args
        names = [a.arg for a in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
        n_parameters = len([name for name in names if name not in ("self", "cls")])
        assert n_parameters <= MAX_PARAMETERS, where
        if not function.name.startswith("_"):
            inner = ast.get_docstring(function) or is_nested(path, function)
            assert inner, f"{where} has no docstring"


def is_nested(path: Path, function: Function) -> bool:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return any(
        inner.lineno == function.lineno
        for outer in ast.walk(tree)
        if isinstance(outer, Function)
        for inner in ast.walk(outer)
        if isinstance(inner, Function) and inner is not outer
    )


def test_modules_are_short():
    sizes = [path.read_text(encoding="utf-8").count("\n") for path in MODULES]
    assert median(sizes) <= MEDIAN_MODULE


def test_flow_is_one_screen_and_knows_no_procedure():
    text = (PACKAGE / "flow.py").read_text(encoding="utf-8")
    assert text.count("\n") <= 80
    assert "if procedure" not in text
    assert "pedicle" not in text


def test_verbs_have_no_logic():
    for function in functions(COMMAND_LINE):
        if function.decorator_list:
            assert body_lines(function) <= MAX_VERB
            branches = (ast.If, ast.For, ast.While, ast.Try)
            assert not any(isinstance(node, branches) for node in ast.walk(function))


def test_every_check_is_run():
    """Every ``check_*`` of the stage is called from somewhere else in guidegen."""
    made = {
        function.name
        for path in (PACKAGE / "checks").glob("*.py")
        for function in functions(path)
        if function.name.startswith("check_")
    }
    called = {
        name.id if isinstance(name, ast.Name) else name.attr
        for path in MODULES
        for name in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(name, ast.Name | ast.Attribute)
    }
    assert made <= called, made - called


def places_of_this_machine() -> re.Pattern[str]:
    """Checkout, home and Python, where a path begins with one of them."""
    places = {str(ROOT), str(Path.home()), sys.prefix}
    longer = [re.escape(place) for place in sorted(places) if len(place) > MIN_PLACE]
    return re.compile(rf"(?<![^\s\"'`(=:])({'|'.join(longer) or '(?!)'})[/\\]")


def test_places_are_found():
    machine = places_of_this_machine()
    assert machine.search(f'open("{ROOT / "scan"}")') or len(str(ROOT)) <= MIN_PLACE
    assert not machine.search(f"a{ROOT}/scan")
    assert not machine.search("guidegen/cli.py")


def test_tracked_text_names_no_machine_and_no_session():
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    machine = places_of_this_machine()
    for name in listed.stdout.split():
        path = ROOT / name
        text = (".py", ".md", ".toml", ".txt", ".html", ".j2", ".css", "")
        if path.suffix in text and path.is_file():
            found = machine.search(path.read_text(encoding="utf-8", errors="replace"))
            assert not found, f"{name}: {found and found.group()}"


def imported() -> dict[str, Path]:
    names = {}
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0]: path for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                names[node.module.split(".")[0]] = path
    return {k: v for k, v in names.items() if k not in sys.stdlib_module_names | {"guidegen"}}


def declared() -> tuple[set[str], set[str]]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = (project["dependencies"], project["optional-dependencies"]["dev"])
    main, dev = ({re.split(r"[<>=!~\[; ]", line)[0].lower() for line in group} for group in groups)
    return main, dev


def test_every_import_is_declared_and_every_library_is_used():
    distributions = packages_distributions()
    main, _ = declared()
    used = set()
    for name, path in imported().items():
        owners = {owner.lower() for owner in distributions.get(name) or [name]}
        assert owners & main, f"{ids(path)} imports {name}, which pyproject.toml does not declare"
        used |= owners
    assert main <= used, f"declared and never imported: {sorted(main - used)}"


def test_every_dependency_is_pinned_and_has_a_lower_bound_and_a_reason():
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line) for line in pins)
    pinned = {line.split("==")[0].lower().replace("_", "-") for line in pins}
    reasons = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for line in [*project["dependencies"], *project["optional-dependencies"]["dev"]]:
        name = re.split(r"[<>=!~\[; ]", line)[0]
        assert ">=" in line, line
        assert name.lower().replace("_", "-") in pinned, name
        assert f"`{name}`" in reasons, f"{name} has no reason in CHANGELOG.md"


def test_nothing_copyleft_is_imported():
    assert not {name for name in imported() if name in ("vtk", "pymeshlab", "bpy", "meshlib")}
    for path in MODULES:
        assert "igl.copyleft" not in path.read_text(encoding="utf-8"), ids(path)


@pytest.mark.parametrize(
    "stage", sorted(p.name for p in PACKAGE.iterdir() if p.is_dir() and p.name != "__pycache__")
)
def test_every_package_has_unit_tests(stage):
    if any((PACKAGE / stage).glob("[a-z]*.py")) and stage != "model":  # model: through all others
        assert list((ROOT / "tests" / "unit" / stage).rglob("test_*.py")), stage
