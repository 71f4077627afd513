"""Files appear whole or not at all: a temporary name in the same folder, then a rename."""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from guidegen.errors import InputError


def sha256_of(data: bytes) -> str:
    """Hash bytes to 64 hex digits."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """Hash a file to 64 hex digits, or "" if there is no such file."""
    if not path.is_file():
        return ""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; makes its folder.

    Raises:
        InputError: The folder can't be written or the disk is full.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".part-", dir=path.parent)
    except OSError as error:
        raise unwritable(path, error) from error
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        part.chmod(0o644)
        os.replace(part, path)
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        part.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text whole or not at all, with line feeds only, on every system."""
    write_bytes(path, text.encode("utf-8"))


def write_json(path: Path, value: Any) -> bytes:
    """Write JSON whole or not at all and return the bytes; see `json_text`."""
    data = json_text(value).encode("utf-8")
    write_bytes(path, data)
    return data


def json_text(value: Any) -> str:
    """Format as JSON: numbers to six decimals (a nanometre), not-a-number as null."""
    return json.dumps(plain(value), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def plain(value: Any) -> Any:
    """Turn arrays, numpy numbers, tuples and mappings into what JSON knows."""
    if isinstance(value, dict) or hasattr(value, "items"):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return round(value, 6) + 0.0 if math.isfinite(value) else None
    return value


def unwritable(path: Path, error: OSError) -> InputError:
    """Say in one sentence why a file can't be written."""
    if error.errno == errno.ENOSPC:
        return InputError(os_sentence(error))
    reason = error.strerror or type(error).__name__
    return InputError(f"{path} can't be written ({reason}): choose another output folder")


def os_sentence(error: OSError) -> str:
    """Say in one sentence what the operating system refused; libraries wrap its error."""
    while error.errno is None and isinstance(error.__cause__, OSError):
        error = error.__cause__
    if error.errno == errno.ENOSPC:
        return "the disk is full: free some space and run the command again"
    name = f"{error.filename}: " if error.filename else ""
    return f"{name}{error.strerror or type(error).__name__}: check that it exists and may be used"
