"""Words that tell who the patient is, so that they can be kept out of file names."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pydicom

from guidegen.ct.guard import quiet
from guidegen.ct.source import FolderSource, Source, ZipSource, looks_like_dicom
from guidegen.errors import GuidegenError

TAGS = ("PatientName", "PatientID", "PatientBirthDate", "OtherPatientNames", "AccessionNumber")
SHORTEST = 3
LOOKED_AT = 50


def identifying_words(path: Path) -> frozenset[str]:
    """Collect the parts of name and id and the date of birth from a scan's first header.

    Args:
        path: DICOM folder, a zip of one, or a file; other files name nobody.

    Returns:
        Small letters and digits only, each of three or more; empty where no header was found.
    """
    try:
        source = _source(path)
    except (GuidegenError, OSError):
        return frozenset()
    with quiet():
        for number in range(min(source.n_files, LOOKED_AT)):
            try:
                if looks_like_dicom(source.head(number)):
                    return _words(source, number)
            except Exception:  # whatever a damaged header makes the parser raise
                continue
    return frozenset()


def _source(path: Path) -> Source:
    if path.is_dir():
        return FolderSource.walk(path)
    return ZipSource(path) if path.suffix.lower() == ".zip" else FolderSource((path,))


def _words(source: Source, number: int) -> frozenset[str]:
    with source.open(number) as stream:
        header: Any = pydicom.dcmread(
            stream, stop_before_pixels=True, force=True, specific_tags=list(TAGS)
        )
    texts = [str(header.get(tag, "") or "") for tag in TAGS]
    parts = [
        re.sub(r"[^a-z0-9]+", "", p) for t in texts for p in re.split(r"[\^=\s,.]+", t.lower())
    ]
    whole = [re.sub(r"[^a-z0-9]+", "", t.lower()) for t in texts]
    return frozenset(word for word in (*parts, *whole) if len(word) >= SHORTEST)
