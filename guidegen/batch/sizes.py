"""Amounts of memory as people write them."""

from __future__ import annotations

import re

from guidegen.errors import InputError

UNITS = {"B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}
LEAST = 200_000_000
"""No case runs in less (engineering choice: the libraries alone hold nearly as much)."""


def bytes_of(text: str) -> int:
    """Read an amount of memory: ``4GB``, ``500 MiB``.

    Raises:
        InputError: It is none, or less than any case needs.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMG]?I?B)\s*", text.upper())
    unit = UNITS.get(match.group(2)) if match else None
    if match is None or unit is None:
        raise InputError(f"--memory-limit wants an amount like 4GB, found {text!r}")
    found = int(float(match.group(1)) * unit)
    if found < LEAST:
        raise InputError(f"--memory-limit wants at least 200MB for a case, found {text!r}")
    return found
