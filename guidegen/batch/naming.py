"""What a scan's case is called: by its file, unless that tells who the patient is."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from guidegen.ct.identity import identifying_words

IMAGES = (".nii.gz", ".nii", ".nrrd", ".nhdr", ".zip", ".dcm")


def name_of(source: Path) -> str:
    """Name a scan's case by its file or folder.

    A name in which the patient's name, id or date of birth stands, by the scan's own headers,
    is replaced by a number made from it: the same scan always has the same.

    Args:
        source: A scan's folder or file.

    Returns:
        Letters, digits, ``.``, ``_`` and ``-``.
    """
    plain = source.name
    for ending in IMAGES:
        plain = plain.removesuffix(ending)
    safe = re.sub(r"[^A-Za-z0-9._-]+", "_", plain).strip("._-")
    words = identifying_words(source)
    letters = re.sub(r"[^a-z0-9]+", "", plain.lower())
    if safe and not any(word in letters for word in words):
        return safe
    return "scan_" + hashlib.sha256(source.name.encode("utf-8")).hexdigest()[:8]
