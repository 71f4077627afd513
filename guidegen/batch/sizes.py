"""Amounts of memory as people write them."""

from __future__ import annotations

import math
import re

from guidegen.errors import InputError

UNITS = {"M": 1e6, "G": 1e9, "T": 1e12, "MI": 2.0**20, "GI": 2.0**30, "TI": 2.0**40}
MOST = 1e18
"""Beyond what any computer has."""
LEAST = 200_000_000
"""No case runs in less (engineering choice: the libraries alone hold nearly as much)."""


def bytes_of(text: str) -> int:
    """Read an amount of memory: ``4GB``, ``500 MiB``, ``1.5G``.

    Raises:
        InputError: It is none, or less than any case needs.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([MGT]I?)B?\s*", text.upper())
    wanted = float(match.group(1)) * UNITS[match.group(2)] if match else math.inf
    if wanted > MOST:
        raise InputError(f"--memory-limit wants an amount like 4GB, found {text!r}")
    if wanted < LEAST:
        raise InputError(f"--memory-limit wants at least 200MB for a case, found {text!r}")
    return int(wanted)
