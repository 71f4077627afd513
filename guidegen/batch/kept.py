"""What lies in a case's folder from before: all that was made, or work of people's hands."""

from __future__ import annotations

from guidegen.batch.facts import read_json
from guidegen.export.folder import CaseFolder
from guidegen.export.history import NAME


def is_whole(folder: CaseFolder) -> bool:
    """True if all files are still there that a case made; its manifest, the last, lists them."""
    files = read_json(folder.manifest).get("files")
    if not isinstance(files, list) or not files:
        return False
    return all(isinstance(f, dict) and (folder.root / str(f.get("file"))).is_file() for f in files)


def is_changed_by_hand(folder: CaseFolder) -> bool:
    """True if somebody changed the plan or approved it: no batch may throw that away."""
    approval = read_json(folder.approval)
    changed = (folder.root / NAME).exists()  # only changes by hand are written down there
    return changed or bool(approval and not approval.get("unattended"))
