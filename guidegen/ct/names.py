"""Bone names and the numbering schemes of label maps."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from guidegen.errors import InputError

_SPINE = (
    [f"C{n}" for n in range(1, 8)]
    + [f"T{n}" for n in range(1, 13)]
    + [f"L{n}" for n in range(1, 6)]
)
_PAIRED_V1 = "humerus scapula clavicula femur hip"
_ORDINALS = (
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
)
_REGIONS = {"cervical": "C", "thoracic": "T", "lumbar": "L", "sacral": "S"}


def _ribs(left: int, right: int) -> dict[int, str]:
    sides = (("left", left), ("right", right))
    return {first + n: f"rib_{side}_{n + 1}" for side, first in sides for n in range(12)}


def _pairs(first: int) -> dict[int, str]:
    names = [f"{bone}_{side}" for bone in _PAIRED_V1.split() for side in ("left", "right")]
    return {first + n: name for n, name in enumerate(names)}


SCHEMES: dict[str, dict[int, str]] = {
    "totalseg-v1": {
        **{18 + n: name for n, name in enumerate(reversed(_SPINE))},
        **_ribs(58, 70),
        **_pairs(82),
        92: "sacrum",
    },
    "totalseg-v2": {
        25: "sacrum",
        26: "S1",
        **{27 + n: name for n, name in enumerate(reversed(_SPINE))},
        **_pairs(69),
        **_ribs(92, 104),
        116: "sternum",
    },
    "verse": {
        **{1 + n: name for n, name in enumerate(_SPINE)},
        25: "L6",
        26: "sacrum",
        27: "coccyx",
        28: "T13",
    },
}
"""Bones of each scheme; soft tissue is left out.

References:
    TotalSegmentator class tables v1 (104 classes) and v2 (117 classes): Wasserthal J et al.,
    Radiol Artif Intell 2023;5:e230024. VerSe: Sekuboyina A et al., Med Image Anal
    2021;73:102166, doi:10.1016/j.media.2021.102166.
"""


def scheme_names(scheme: str) -> dict[int, str]:
    """Names of a numbering scheme.

    Raises:
        InputError: No such scheme.
    """
    if scheme not in SCHEMES:
        raise InputError(
            f"the label scheme {_shown(scheme)} is unknown: use one of {', '.join(sorted(SCHEMES))}"
        )
    return dict(SCHEMES[scheme])


def names_from_toml(path: Path) -> dict[int, str]:
    """Names from a file of lines like ``20 = "L5"``, at the top or under ``[labels]``.

    Raises:
        InputError: Not such a file.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise InputError('the label names are not TOML: write lines like 20 = "L5"') from None
    return numbered(table.get("labels", table), "the label names")


def numbered(table: object, what: str) -> dict[int, str]:
    """Check a mapping of label number to name.

    Raises:
        InputError: A key is no number from 1 to 65535, or a value no name.
    """
    names: dict[int, str] = {}
    if not isinstance(table, dict) or not table:
        raise InputError(f'{what} are missing: write lines like 20 = "L5"')
    for key, value in table.items():
        text = str(key)
        if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
            raise InputError(f"{what} hold a key that is no number from 1 to 65535")
        if not isinstance(value, str) or not value.strip():
            raise InputError(f"{what} hold no name for label {int(text)}")
        names[int(text)] = bone_name(value)
    return names


def bone_name(text: str) -> str:
    """The house's name of a bone: ``vertebrae_L3``, ``L3 vertebra``, ``Th12`` -> ``L3``, ``T12``.

    Anything that is no vertebra keeps its name in lower case with underscores.
    """
    plain = re.sub(r"[^A-Za-z0-9]+", "_", text.strip()).strip("_")
    core = re.sub(r"(?i)(^|_)(vertebrae?|vertebral|vert)(?=_|$)", "_", plain).strip("_")
    match = re.fullmatch(r"(?i)(C|TH|T|D|L|S)_?0?(\d{1,2})", core)
    if match:
        letter = {"TH": "T", "D": "T"}.get(match.group(1).upper(), match.group(1).upper())
        most = {"C": 7, "T": 13, "L": 6, "S": 5}[letter]
        if 1 <= int(match.group(2)) <= most:
            return f"{letter}{int(match.group(2))}"
    words = core.lower().split("_")
    if len(words) == 2 and words[0] in _ORDINALS and words[1] in _REGIONS:
        return f"{_REGIONS[words[1]]}{_ORDINALS.index(words[0]) + 1}"
    return plain.lower()[:40]


def _shown(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]", "?", text)[:30]
