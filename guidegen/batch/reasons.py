"""Reasons that differ only in numbers and names are one kind."""

from __future__ import annotations

import re


def kind_of_reason(reason: str) -> str:
    """The part of a sentence that says what is wrong, with numbers and names left out.

    >>> kind_of_reason("slices 41 and 42 are 7.5 mm apart, expected 1.25 mm: export it again")
    'slices … and … are … mm apart, expected … mm'
    """
    wrong = reason.split(": ")[0]
    alone = re.sub(r", and \d+ more$", "", wrong)
    plain = re.sub(r"(?<![A-Za-z0-9.])-?[A-Z]?\d+(\.\d+)?(?![A-Za-z0-9])", "…", alone)
    return re.sub(r"…(, …)+", "…", plain) or "no reason given"
