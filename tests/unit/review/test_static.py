"""The page's modules name nothing that they have not got."""

import re

import pytest

from guidegen.review.app import STATIC

MODULES = sorted(STATIC.glob("*.js"))
EXPORT = re.compile(r"^export (?:async )?(?:function|const|let|class) ([\w$]+)", re.MULTILINE)
IMPORT = re.compile(r"^import \{([^}]*)\} from \"\./([\w/]+\.js)\";", re.MULTILINE)
OWN = (
    r"\b(?:function|const|let|class) {0}\b|[({{,] ?{0}[,)]|\b{0} =>|\{{ {0} \}} =|"
    r"^ +(?:async )?{0}\([^)]*\) \{{"
)


def text_of(path):
    """A module without its comments and without the dots of spreads."""
    text = re.sub(r"^\s*//.*$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL).replace("...", " ")


def imported(text):
    """Module by the name that is taken from it."""
    found = {}
    for names, module in IMPORT.findall(text):
        for name in names.split(","):
            if name.strip():
                found[name.split(" as ")[-1].strip()] = module
    return found


def missing(text, known):
    """Exported names that a module calls and neither imports nor defines."""
    without = IMPORT.sub("", text)
    called = {name for name in known if re.search(rf"(?<![.\w$]){re.escape(name)}\(", without)}
    own = {n for n in called if re.search(OWN.format(re.escape(n)), without, re.MULTILINE)}
    return called - own - set(imported(text))


EXPORTED = {name for path in MODULES for name in EXPORT.findall(text_of(path))}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_what_a_module_calls_it_has(path):
    text = text_of(path)
    assert missing(text, EXPORTED) == set()
    for name, module in imported(text).items():
        if "vendor" in module:
            continue
        there = EXPORT.findall(text_of(STATIC / module))
        assert name in there or f"as {name}" in text, f"{module} has no {name}"
        used = rf"(?<![.\w$]){re.escape(name)}(?![\w$])"
        assert re.search(used, IMPORT.sub("", text)), f"{name} is imported and not used"


def test_a_name_that_is_not_imported_is_found():
    text = text_of(STATIC / "approve.js").replace("plainName, ", "")
    assert missing(text, EXPORTED) == {"plainName"}
    assert missing('import { h } from "./dom.js";\nh("p"); note("x");', EXPORTED) == {"note"}
