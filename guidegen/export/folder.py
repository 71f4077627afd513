"""The case folder: where each file lies, and what goes when a case is planned again."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from guidegen.errors import InputError
from guidegen.export.atomic import unwritable

BUILT = ("manifest.json", "checks.json", "guides/*", "models/*", "slicer/guide_*", "slicer/model_*")
UNFINISHED = (".staging-", ".part-")
PLANNED = (
    *("approval.json", "plan.json", "report.html", "landmarks.json", "bones/*.stl", "slicer/*"),
    *(".part-*", "*/.part-*"),  # what a killed run left
)


@dataclass(frozen=True)
class CaseFolder:
    """The paths of one case.

    Args:
        root: The folder itself.
    """

    root: Path

    @property
    def case_id(self) -> str:
        """The folder's name, with only letters, digits, ``.``, ``_`` and ``-``."""
        return re.sub(r"[^A-Za-z0-9._-]+", "_", self.root.resolve().name).strip("._") or "case"

    @property
    def record(self) -> Path:
        """``case.toml``."""
        return self.root / "case.toml"

    @property
    def ct(self) -> Path:
        """``ct.nii.gz``."""
        return self.root / "ct.nii.gz"

    @property
    def segmentation(self) -> Path:
        """``bones/segmentation.nii.gz``."""
        return self.root / "bones" / "segmentation.nii.gz"

    @property
    def segmentation_names(self) -> Path:
        """``bones/segmentation.json``."""
        return self.root / "bones" / "segmentation.json"

    @property
    def landmarks(self) -> Path:
        """``landmarks.json``."""
        return self.root / "landmarks.json"

    @property
    def plan(self) -> Path:
        """``plan.json``."""
        return self.root / "plan.json"

    @property
    def approval(self) -> Path:
        """``approval.json``."""
        return self.root / "approval.json"

    @property
    def checks(self) -> Path:
        """``checks.json``."""
        return self.root / "checks.json"

    @property
    def manifest(self) -> Path:
        """``manifest.json``."""
        return self.root / "manifest.json"

    @property
    def report(self) -> Path:
        """``report.html``."""
        return self.root / "report.html"

    @property
    def log(self) -> Path:
        """``log.txt``."""
        return self.root / "log.txt"

    def remove(self, patterns: tuple[str, ...]) -> None:
        """Delete the files of a case that match; other files in the folder stay."""
        for pattern in patterns:
            for path in sorted(self.root.glob(pattern)):
                if path.is_file():
                    path.unlink()

    def remove_built(self) -> None:
        """Delete what a build made: parts, checks and manifest can never outlive their plan."""
        self.remove(BUILT)

    def remove_planned(self) -> None:
        """Delete plan, approval and everything made from them."""
        self.remove(PLANNED[:1] + BUILT + PLANNED[1:])


@contextmanager
def new_case(
    root: Path, force: bool | None = False, source: Path | None = None
) -> Iterator[CaseFolder]:
    """Open a folder for a new case; an empty one that was made for it goes again on failure.

    The scan itself may already lie in the folder: ``source`` does not count as filling it.
    ``force`` is None where the command has no such option.

    Raises:
        InputError: It is a file, can't be written, or holds something and ``force`` is off.
    """
    if root.exists() and not root.is_dir():
        raise InputError(f"--out wants a folder, but {root} is a file: choose another name")
    folder = CaseFolder(root)
    if root.is_dir() and any(_fills(path, source) for path in root.iterdir()):
        if not force:
            offer = "" if force is None else ", or --force to replace it"
            raise InputError(f"{root} is not empty: choose another --out{offer}")
        if not folder.record.is_file():
            raise InputError(f"{root} holds files but no case.toml: --force only replaces a case")
    try:
        _make_writable(root)
        yield folder
    finally:
        with suppress(OSError):
            root.rmdir()


def _make_writable(root: Path) -> None:
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=root):
            pass
    except OSError as error:
        raise unwritable(root, error) from error


def _fills(path: Path, source: Path | None) -> bool:
    own = source is not None and path.resolve() == source.resolve()
    return not own and not path.name.startswith(UNFINISHED)


def open_case(root: Path) -> CaseFolder:
    """Open an existing case.

    Raises:
        InputError: The folder is no case.
    """
    if not (root / "case.toml").is_file():
        raise InputError(
            f"{root} is not a case folder (it has no case.toml): "
            "make one with 'guidegen plan PROCEDURE INPUT --out CASE'"
        )
    return CaseFolder(root)
