"""The door of the reader: whatever a broken file makes a library raise becomes one sentence."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

import gdcm

from guidegen.errors import GuidegenError, InputError

P = ParamSpec("P")
R = TypeVar("R")

MAX_VOXELS = 1_500_000_000
"""Most voxels a volume may claim (3 GB as int16); engineering choice, twice a whole-body CT."""


@contextmanager
def quiet() -> Iterator[None]:
    """Silence the libraries: their warnings quote header values, which may name the patient."""
    for switch in (gdcm.Trace.DebugOff, gdcm.Trace.WarningOff, gdcm.Trace.ErrorOff):
        switch()
    logs = [logging.getLogger(name) for name in ("pydicom", "nibabel", "nibabel.global")]
    before = [log.disabled for log in logs]
    for log in logs:
        log.disabled = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for log, was in zip(logs, before, strict=True):
            log.disabled = was


def guarded(what: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Turn every foreign exception of a function into an ``InputError``.

    Only the kind of the foreign error is told, never its text, which may quote the header.

    Args:
        what: The thing that is read, as the sentence's subject: "the scan".
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def inner(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                with quiet():
                    return function(*args, **kwargs)
            except GuidegenError:
                raise
            except FileNotFoundError:
                raise InputError(f"{what} was not found: check the path") from None
            except PermissionError:
                raise InputError(f"{what} may not be read: check the file's permissions") from None
            except MemoryError:
                raise InputError(
                    f"{what} does not fit into memory: close other programs or crop the scan"
                ) from None
            except Exception as error:
                raise InputError(
                    f"{what} could not be read, the file is damaged or of an unknown kind "
                    f"({type(error).__name__}): export it again"
                ) from None

        return inner

    return decorate


MAX_BYTES = 4_000_000_000
"""Most bytes that voxels as stored may claim; engineering choice, a whole-body CT as float64."""


def require_size(shape: tuple[int, ...], what: str, bytes_a_voxel: int = 2) -> None:
    """Raise InputError if a header claims no voxels or absurdly many."""
    voxels = 1
    for n in shape:
        voxels *= int(n)
    too_many = voxels > MAX_VOXELS or voxels * bytes_a_voxel > MAX_BYTES
    if min(shape, default=0) < 1 or too_many:
        raise InputError(
            f"{what} claims {' x '.join(str(n) for n in shape)} voxels, from one to "
            f"{MAX_VOXELS:,} in {MAX_BYTES / 1e9:.0f} GB can be read: the header is damaged, or "
            "the scan must be cropped"
        )
