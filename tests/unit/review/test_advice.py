"""Every red warning comes with a line on what to do about it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import guidegen
from guidegen.review.app import STATIC

SOURCES = Path(guidegen.__file__).parent
IN_ROWS = {
    "by_hand.py": ("_red",),
    "pins.py": ("_red",),
    "drawn.py": ("beside_notices",),
    "series.py": ("notices_of", "_notices", "thick_notice"),
}
"""Functions that give code and sentence as a row, and make a notice of it elsewhere."""
CODE = re.compile(r"[a-z]+(_[a-z]+)*")


def trees() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(SOURCES.rglob("*.py")):
        yield path, ast.parse(path.read_text(encoding="utf-8"))


def constants() -> dict[str, str]:
    """Names of strings that modules keep a code under."""
    found = {}
    for _, tree in trees():
        for node in tree.body:
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
                names = [t.id for t in node.targets if isinstance(t, ast.Name)]
                if isinstance(node.value.value, str):
                    found.update(dict.fromkeys(names, node.value.value))
    return found


def of_calls(tree: ast.Module, named: dict[str, str]) -> Iterator[str]:
    """Codes of notices that are, or may be, red."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or getattr(node.func, "id", "") != "Notice":
            continue
        red = [key.value for key in node.keywords if key.arg == "red"] + node.args[3:4]
        if not red or getattr(red[0], "value", True) is False:
            continue
        code = node.args[0]
        if isinstance(code, ast.Constant):
            yield code.value
        elif isinstance(code, ast.Name) and code.id in named:
            yield named[code.id]


def of_rows(path: Path, tree: ast.Module) -> Iterator[str]:
    """Codes of rows: (code, sentence), (code, holds, sentence) or (code, sentence, True)."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        if function.name not in IN_ROWS.get(path.name, ()):
            continue
        for node in ast.walk(function):
            if not isinstance(node, ast.Tuple) or len(node.elts) < 2:
                continue
            first, last = node.elts[0], node.elts[-1]
            plain = isinstance(last, ast.Constant) and last.value is False
            if isinstance(first, ast.Constant) and isinstance(first.value, str) and not plain:
                yield first.value


def of_messages(tree: ast.Module) -> Iterator[str]:
    """Codes that a module lists as red."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "_RED":
            yield from ast.literal_eval(node.value)


def red_codes() -> set[str]:
    named = constants()
    found: set[str] = set()
    for path, tree in trees():
        found |= {*of_calls(tree, named), *of_rows(path, tree), *of_messages(tree)}
    return {code for code in found if CODE.fullmatch(code)}


def advised() -> set[str]:
    text = (STATIC / "advice.js").read_text(encoding="utf-8")
    return set(re.findall(r"^  ([a-z_]+):", text, re.MULTILINE))


def test_all_kinds_of_red_warnings_are_found():
    assert red_codes() >= {
        *("canal_breach", "pin_near_cut", "nerve_root", "surface_unlike_ct", "notching"),
        *("edit_lost", "paths_meet", "one_block", "unanchored_levels", "no_pins"),
        *("level_without_needle", "pins_wait", "posture_accepted", "blocks", "metal"),
    }
    assert not red_codes() & {"edited_by_hand", "gantry_tilt", "thick_slices", "no_fracture"}


def test_every_red_warning_has_its_advice():
    assert sorted(red_codes() - advised()) == []
