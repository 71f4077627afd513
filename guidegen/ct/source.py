"""Where bytes come from: a folder in depth, a zip that is never unpacked, or one file."""

from __future__ import annotations

import io
import os
import zipfile
import zlib
from pathlib import Path
from typing import BinaryIO, Protocol

from guidegen.errors import InputError

MAX_MEMBER_BYTES = 4_000_000_000
"""Largest file accepted inside a zip; engineering choice: above any enhanced CT."""

MAX_FILES = 100_000
"""Most files looked at in one input; engineering choice."""

HEAD_BYTES = 400


class Source(Protocol):
    """A numbered collection of files."""

    @property
    def n_files(self) -> int:
        """How many files there are."""
        ...

    def head(self, number: int) -> bytes:
        """The first bytes of a file."""
        ...

    def open(self, number: int) -> BinaryIO:
        """A file, seekable."""
        ...


class FolderSource:
    """Files on disk, in the order of their relative paths."""

    def __init__(self, paths: tuple[Path, ...]) -> None:
        self._paths = paths

    @classmethod
    def walk(cls, folder: Path) -> FolderSource:
        """Search a folder in depth; hidden files and macOS leftovers are passed over.

        Raises:
            InputError: The folder holds no file, or more than 100 000.
        """
        found: list[Path] = []
        for root, folders, files in os.walk(folder, followlinks=False):
            folders[:] = sorted(f for f in folders if not _is_litter(f))
            found += [Path(root) / name for name in files if not _is_litter(name)]
            if len(found) > MAX_FILES:
                raise InputError(
                    f"the folder holds more than {MAX_FILES} files: name the scan's own folder"
                )
        paths = sorted((p for p in found if p.is_file()), key=lambda p: p.parts)
        if not paths:
            raise InputError("the folder is empty: name the folder of the DICOM export")
        return cls(tuple(paths))

    @property
    def n_files(self) -> int:
        """How many files there are."""
        return len(self._paths)

    def head(self, number: int) -> bytes:
        """The first bytes of a file; none if it can't be opened."""
        try:
            with self._paths[number].open("rb") as stream:
                return stream.read(HEAD_BYTES)
        except OSError:
            return b""

    def open(self, number: int) -> BinaryIO:
        """A file, seekable."""
        return self._paths[number].open("rb")


class ZipSource:
    """Members of a zip, read in memory one at a time: nothing is unpacked to disk.

    A zip bomb stays small, because of members that are not DICOM only the first bytes are read.

    Raises:
        InputError: The zip is damaged, locked with a password, or holds no file.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._zip = zipfile.ZipFile(path)
            members = [m for m in self._zip.infolist() if not m.is_dir()]
        except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
            raise InputError("the zip is damaged or cut short: copy or export it again") from None
        if len(members) > MAX_FILES:
            raise InputError(f"the zip holds more than {MAX_FILES} files: zip the scan alone")
        parts = {m.filename: m.filename.split("/") for m in members}
        members = [m for m in members if not any(_is_litter(p) for p in parts[m.filename])]
        if not members:
            raise InputError("the zip is empty: zip the folder of the DICOM export")
        if any(m.flag_bits & 1 for m in members):
            raise InputError("the zip is locked with a password: unpack it and name the folder")
        self._members = sorted(members, key=lambda m: parts[m.filename])

    @property
    def n_files(self) -> int:
        """How many files there are."""
        return len(self._members)

    def _bytes(self, number: int, limit: int) -> bytes:
        try:
            with self._zip.open(self._members[number]) as stream:
                return stream.read(limit)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError):
            raise InputError(
                f"file {number + 1} of {self.n_files} in the zip is damaged: "
                "copy or export the zip again"
            ) from None

    def head(self, number: int) -> bytes:
        """The first bytes of a member."""
        return self._bytes(number, HEAD_BYTES)

    def open(self, number: int) -> BinaryIO:
        """A member as a stream in memory."""
        content = self._bytes(number, MAX_MEMBER_BYTES + 1)
        if len(content) > MAX_MEMBER_BYTES:
            raise InputError(
                f"file {number + 1} of {self.n_files} in the zip is larger than 4 GB: "
                "unpack the zip and name the folder"
            )
        return io.BytesIO(content)


def _is_litter(name: str) -> bool:
    if name in (".", ".."):  # parts of a path in a zip; nothing is ever unpacked to them
        return False
    return name.startswith(".") or name in ("__MACOSX", "Thumbs.db", "desktop.ini")


def looks_like_dicom(head: bytes) -> bool:
    """Tell DICOM by its preamble, or by a first element of group 0002 or 0008 without one."""
    if head[128:132] == b"DICM":
        return True
    return len(head) >= 8 and head[0] in (2, 8) and head[1] == 0 and head[3] == 0


def holds_volume(head: bytes) -> bool:
    """Tell a NIfTI (gzipped or not) or NRRD file by its first bytes."""
    if head.startswith(b"\x1f\x8b"):
        try:
            head = zlib.decompressobj(wbits=31).decompress(head, HEAD_BYTES)
        except zlib.error:
            return False
        # the first bytes of the packed file may unpack to less than a whole header
        return head[:4] in (b"\x5c\x01\0\0", b"\x1c\x02\0\0")
    return kind_of(head) in ("nifti1", "nifti2", "nrrd")


def kind_of(head: bytes) -> str:
    """Name the kind of file from its first bytes.

    Returns:
        ``dicom``, ``zip``, ``gzip``, ``nifti1``, ``nifti2``, ``nifti_pair``, ``nrrd``,
        ``packed`` (zstd, 7z, rar, xz, bzip2), ``empty`` or ``unknown``.
    """
    if not head:
        return "empty"
    magic = {
        b"PK\x03\x04": "zip",
        b"PK\x05\x06": "zip",
        b"\x1f\x8b": "gzip",
        b"NRRD": "nrrd",
        b"\x28\xb5\x2f\xfd": "packed",
        b"7z\xbc\xaf": "packed",
        b"Rar!": "packed",
        b"\xfd7zXZ": "packed",
        b"BZh": "packed",
    }
    for start, kind in magic.items():
        if head.startswith(start) and head[128:132] != b"DICM":
            return kind
    if head[344:348] == b"n+1\0":
        return "nifti1"
    if head[4:8] == b"n+2\0":
        return "nifti2"
    if head[344:348] == b"ni1\0" or head[4:8] == b"ni2\0":
        return "nifti_pair"
    return "dicom" if looks_like_dicom(head) else "unknown"
