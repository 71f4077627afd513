"""What a scan's case is called: by its file, unless that may tell who the patient is."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from guidegen.ct.identity import identifying_words

IMAGES = (".nii.gz", ".nii", ".nrrd", ".nhdr", ".zip", ".dcm")
_WORDS = (
    "case scan patient subject sub series study image volume phantom export data set test anon "
    "anonymous anonymized thorax thoracic lumbar spine chest abdomen pelvis leg legs knee hip "
    "ankle head bone bones left right prone supine axial thin thick slice slices soft sharp "
    "dicom nifti nrrd lidc idri verse totalsegmentator visible human male female ct bad good "
    "missing broken"
)
USUAL = frozenset(_WORDS.split())
"""Words that name scans, not people, however they are written."""
CAPITALS = 6
"""Fewer capitals in a row are taken for an abbreviation (engineering choice: LIDC, LSPINE)."""
SHORTEST = 3
"""Letters of a name at least (engineering choice)."""
LONGEST = 100
"""Letters of a case's name at most: files and folders of a longer one can't be made everywhere."""
DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
"""Names that mean no file on Windows."""
UID = re.compile(r"\d+(\.\d+){4,}")
DATE = re.compile(
    r"(?<!\d)((19|20)\d{2}[-_.]?[01]\d[-_.]?[0-3]\d|[0-3]?\d[-_.][01]?\d[-_.](19|20)\d{2}"
    r"|[0-3]\d[01]\d(19|20)\d{2})(?!\d)"
)


def plain_name(source: Path) -> str:
    """A scan's name without the ending of its kind."""
    for ending in IMAGES:
        if source.name.lower().endswith(ending):
            return source.name[: -len(ending)]
    return source.name


def safe_name(name: str) -> str:
    """Keep letters, digits, ``.``, ``_`` and ``-``; whatever else there is becomes ``_``."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name).strip("._-")


def is_fit(name: str) -> bool:
    """True if folders and files can be called so on every system.

    >>> [is_fit(n) for n in ("l3-left", "a/b", "", "con", "x" * 101)]
    [True, False, False, False, False]
    """
    whole = bool(name) and safe_name(name) == name
    return whole and len(name) <= LONGEST and not DEVICES.fullmatch(name)


def name_of(source: Path) -> str:
    """Name a scan's case by its file or folder.

    A name in which the patient's name, id or date of birth stands, by the scan's own headers,
    is replaced by a number made from it: the same scan always has the same. So is one that looks
    like a person's (words that begin with a capital and are not usual for scans, a comma, a date),
    because NIfTI, NRRD and scans without names in their headers do not say whose they are. Names
    in small letters alone can't be told from other words. A name that is too long goes the same
    way.

    Args:
        source: A scan's folder or file.

    Returns:
        Letters, digits, ``.``, ``_`` and ``-``.
    """
    plain = plain_name(source)
    safe = safe_name(plain)
    letters = re.sub(r"[^a-z0-9]+", "", plain.lower())
    if is_fit(safe) and not like_a_person(plain):
        words = identifying_words(source)
        if not any(word in letters for word in words):
            return safe
    return "scan_" + hashlib.sha256(os.fsencode(source.name)).hexdigest()[:8]


def like_a_person(name: str) -> bool:
    """True if a name may be a person's, or holds a date or a DICOM UID.

    >>> [like_a_person(n) for n in ("Mustermann, Erika", "lidc_0314", "Case2", "19540712")]
    [True, False, False, True]
    """
    if re.search(r"[,^]", name) or DATE.search(name) or UID.search(name):
        return True
    runs = re.findall(r"[^\W\d_]+", name)
    return any(_like_a_name(word) for run in runs for word in _unusual(run))


def _unusual(run: str) -> list[str]:
    """The words of a run of letters such as ``LumbarSpine`` that are not usual for scans."""
    if run.lower() in USUAL:
        return []
    starts = [n for n in range(1, len(run)) if run[n - 1].islower() and run[n].isupper()]
    words = [run[a:b] for a, b in zip([0, *starts], [*starts, len(run)], strict=True)]
    return [word for word in words if word.lower() not in USUAL]


def _like_a_name(word: str) -> bool:
    if word.isupper():
        return len(word) >= CAPITALS
    return word[0].isupper() and len(word) >= SHORTEST
