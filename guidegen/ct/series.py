"""DICOM slices to series that can be planned on, or to the reason why not."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from guidegen.ct.blocks import even_blocks
from guidegen.ct.guard import require_size
from guidegen.ct.headers import Headers, SliceHeader
from guidegen.ct.stack import Stack, along_normal, sorted_places, stack_slices
from guidegen.errors import IncompleteSeries, InputError, UnsupportedScan
from guidegen.model.notice import Notice

MIN_SLICES = 10
MIN_EXTENT_MM = 15.0
"""Smallest volume; engineering choice: less cannot hold a vertebra's pedicle and its margins."""

THICK_MM = 1.5
"""Above this spacing or thickness pedicle walls are blurred (required: warn of slices > 1.5 mm)."""

_INTERLEAVED = ("frame", "kernel", "diameter", "thickness", "stack", "frame_type")
_REPEATED = ("acquisition", "temporal", "time", "instance_uid")
_SAME_ORIENTATION = 2e-3

SamePixels = Callable[[SliceHeader, SliceHeader], bool]


@dataclass(frozen=True, eq=False)
class Series:
    """One series, or one of several parts of it.

    Args:
        slices: Without exact copies.
        stack: The geometry; None if there is a problem with it.
        problem: Why it can't be planned on; None if it can.
        part: Number of the part from 1; 0 if the series is one piece.
        n_copies: Exact copies that were left out.
        is_block: An even stretch of a series that is uneven as a whole: never chosen by itself,
            only by ``--series``, because it leaves out a part of the patient.
    """

    slices: tuple[SliceHeader, ...]
    stack: Stack | None
    problem: InputError | None
    part: int = 0
    n_copies: int = 0
    is_block: bool = False

    @property
    def head(self) -> SliceHeader:
        """The first slice's header."""
        return self.slices[0]

    @property
    def frame_uid(self) -> str:
        """Raw frame of reference UID; "" if the slices disagree (some anonymisers do that)."""
        found = {s.frame_uid for s in self.slices}
        return found.pop() if len(found) == 1 else ""

    @property
    def selector(self) -> str:
        """What ``--series`` takes: the raw UID, with ``#2`` for the second part."""
        return self.head.series_uid + (f"#{self.part}" if self.part else "")

    @property
    def step_mm(self) -> float | None:
        """Distance between slices."""
        return None if self.stack is None else float(np.linalg.norm(self.stack.matrix[:3, 0]))

    @property
    def extent_mm(self) -> float:
        """Height of the stack along its normal."""
        return 0.0 if self.step_mm is None else self.step_mm * len(self.slices)


def find_series(headers: Headers, same: SamePixels) -> tuple[Series, ...]:
    """Group slices into series and judge each.

    A series is split where size, pixel spacing or orientation differ, and where kernel,
    diameter, thickness, stack or frame type tell interleaved reconstructions apart; if the
    geometry is still not regular, by acquisition or time. Even blocks that follow each other in
    an uneven series are listed beside it, but used only on request: one of them alone leaves out
    a part of the patient.
    """
    by_uid: dict[str, list[SliceHeader]] = {}
    for item in headers.slices:
        by_uid.setdefault(item.series_uid, []).append(item)
    found: list[Series] = []
    for uid in by_uid:
        parts = [p for group in _same_plane(by_uid[uid]) for p in _judge(group, same)]
        parts.sort(key=lambda p: p.is_block)
        first = 0 if sum(not p.is_block for p in parts) == 1 else 1
        found += [replace(p, part=n) for n, p in enumerate(parts, start=first)]
    return tuple(found)


def _same_plane(slices: list[SliceHeader]) -> list[list[SliceHeader]]:
    """Split by what can never be one volume: modality, size, spacing, orientation."""
    groups: list[list[SliceHeader]] = []
    for item in slices:
        for group in groups:
            if _fits(group[0], item):
                group.append(item)
                break
        else:
            groups.append([item])
    return groups


def _fits(a: SliceHeader, b: SliceHeader) -> bool:
    plain = (a.modality, a.shape, a.is_localizer, a.position is None)
    if plain != (b.modality, b.shape, b.is_localizer, b.position is None):
        return False
    pairs = ((a.orientation, b.orientation, _SAME_ORIENTATION), (a.spacing, b.spacing, 1e-4))
    for mine, theirs, tolerance in pairs:
        if (mine is None) != (theirs is None):
            return False
        if (
            mine
            and theirs
            and max(abs(p - q) for p, q in zip(mine, theirs, strict=True)) > (tolerance)
        ):
            return False
    return True


def _judge(slices: list[SliceHeader], same: SamePixels) -> list[Series]:
    """One series, or its interleaved parts, each with its geometry or its problem."""
    problem = _not_a_slice(slices)
    if problem is not None:
        return [Series(tuple(slices), None, problem)]
    whole = _stacked(slices, same)
    for trait in _INTERLEAVED + (() if whole.stack is not None else _REPEATED):
        parts = [j for part in _interleaved(slices, trait) for j in _judge(part, same)]
        regular = [part.stack is not None for part in parts]
        if parts and (all(regular) or (any(regular) and whole.stack is None)):
            return parts
    return [whole, *_blocks(whole)]


def _blocks(whole: Series) -> list[Series]:
    """The even stretches of an uneven series that are large enough to be used on request."""
    if not isinstance(whole.problem, IncompleteSeries):
        return []
    found = []
    for block in even_blocks(whole.slices, MIN_SLICES):
        try:
            stack = stack_slices(block)
        except InputError:
            continue
        series = Series(tuple(block), stack, None, is_block=True)
        if series.extent_mm >= MIN_EXTENT_MM:
            found.append(series)
    return found


def _interleaved(slices: list[SliceHeader], trait: str) -> list[list[SliceHeader]]:
    """Split by a trait if the parts cover the same stretch; nothing if they do not."""
    parts: dict[str, list[SliceHeader]] = {}
    for item in slices:
        parts.setdefault(item.trait(trait), []).append(item)
    if len(parts) < 2 or min(len(p) for p in parts.values()) < 3:
        return []
    spans = []
    try:
        normal = along_normal(slices)[0][:, 0]
    except UnsupportedScan:
        return []
    for part in parts.values():
        heights = np.array([p.position for p in part]) @ normal
        spans.append((float(heights.min()), float(heights.max())))
    shared = min(high for _, high in spans) - max(low for low, _ in spans)
    shortest = min(high - low for low, high in spans)
    return [parts[key] for key in sorted(parts)] if shared > 0.5 * shortest and shortest > 0 else []


def _not_a_slice(slices: list[SliceHeader]) -> InputError | None:
    """The reason why these files are no CT slices at all."""
    first = slices[0]
    if first.modality != "CT":
        kind = f"of modality {_word(first.modality)}" if first.modality else "of no modality"
        return UnsupportedScan(f"the series is {kind}, a CT is needed: choose the CT series")
    if first.is_localizer:
        return UnsupportedScan("the series is a localizer (scout view): choose the axial series")
    if min(first.shape) < 1:
        return UnsupportedScan("the files hold no image: choose the series with the CT slices")
    if not all(s.grey for s in slices):
        return UnsupportedScan(
            "the images are colour or inverted pictures, not CT values: export the CT"
        )
    if "SECONDARY" in first.image_type and first.position is None:
        return UnsupportedScan("the series is a secondary capture: choose the original slices")
    missing = [
        name
        for name, key in (
            ("position (ImagePositionPatient)", "position"),
            ("orientation (ImageOrientationPatient)", "orientation"),
            ("pixel spacing (PixelSpacing)", "spacing"),
        )
        if any(getattr(s, key) is None for s in slices)
    ]
    if missing:
        return UnsupportedScan(
            f"the headers lack the {' and the '.join(missing)}, without which nothing can be "
            "placed in the patient: export the original series"
        )
    if any(not 0.01 <= value <= 20 for s in slices for value in s.spacing or ()):
        return UnsupportedScan("the pixel spacing is not between 0.01 and 20 mm: export again")
    kinds = {s.rescale_type.upper() for s in slices} - {"", "HU", "US"}
    if kinds:
        return UnsupportedScan(
            f"the values are of type {_word(sorted(kinds)[0])}, Hounsfield units are needed: "
            "choose the CT series, not a map made from it"
        )
    return None


def _word(text: str) -> str:
    """A header's code, if it is one; free text could hold anything."""
    plain = text.strip().upper()
    known = len(plain) <= 16 and plain.replace("_", "").isalnum()
    return plain if known else "unknown"


def _stacked(slices: Sequence[SliceHeader], same: SamePixels) -> Series:
    """Leave out exact copies, check the geometry and the size."""
    kept = list(slices)
    try:
        require_size((len(slices), *slices[0].shape), "the series")
        kept = _without_copies(slices, same)
        copies = len(slices) - len(kept)
        stack = stack_slices(kept)
    except InputError as problem:
        return Series(tuple(kept), None, problem, n_copies=len(slices) - len(kept))
    found = Series(tuple(kept), stack, None, n_copies=copies)
    if len(kept) < MIN_SLICES or found.extent_mm < MIN_EXTENT_MM:
        few = UnsupportedScan(
            f"the series has {len(kept)} slices over {found.extent_mm:.1f} mm, at least "
            f"{MIN_SLICES} slices over {MIN_EXTENT_MM:.0f} mm are needed: export the whole series"
        )
        return Series(found.slices, stack, few, n_copies=copies)
    return found


def _without_copies(slices: Sequence[SliceHeader], same: SamePixels) -> list[SliceHeader]:
    """Drop slices that lie at one place and hold the same pixels."""
    if len(slices) < 2:
        return list(slices)
    heights = along_normal(slices)[2]
    kept: list[int] = []
    for n in sorted_places(slices, heights):
        twin = kept and abs(heights[n] - heights[kept[-1]]) <= 1e-3
        if twin and not same(slices[kept[-1]], slices[n]):
            raise IncompleteSeries(
                f"two slices with different pixels lie at the same position (instances "
                f"{slices[kept[-1]].instance} and {slices[n].instance}): the series mixes "
                "several reconstructions or times; export one alone"
            )
        if not twin:
            kept.append(n)
    return [slices[n] for n in sorted(kept)]


def hashed(uid: str) -> str:
    """A UID that can't be traced back: ``sha256:...``, "" for none."""
    return "sha256:" + hashlib.sha256(uid.encode()).hexdigest() if uid else ""


def thickness_mm(series: Series) -> float | None:
    """Slice thickness as stated, the largest of all slices."""
    known = [s.thickness for s in series.slices if s.thickness and s.thickness > 0]
    return max(known) if known else None


def notices_of(series: Series, n_damaged: int = 0) -> tuple[Notice, ...]:
    """What the engineer has to know of a usable series."""
    found: list[tuple[str, str, bool]] = []
    step = series.step_mm or 0.0
    found += thick_notice(step, thickness_mm(series))
    stack, stated = series.stack, series.head.tilt_deg
    if stack is not None and stack.tilt_deg > 0.05:
        text = f"the gantry was tilted by {stack.tilt_deg:.1f} deg; the slices were put straight"
        found.append(("gantry_tilt", text, False))
    if stack is not None and stated is not None and abs(abs(stated) - stack.tilt_deg) > 1.0:
        text = (
            f"the header states a gantry tilt of {stated:.1f} deg, the positions of the slices "
            f"show {stack.tilt_deg:.1f} deg: compare a known length before use"
        )
        found.append(("gantry_tilt_unclear", text, True))
    if not series.head.patient_position:
        text = "the header does not say how the patient lay; sides come from the coordinates only"
        found.append(("patient_position_unknown", text, False))
    if any(s.lossy for s in series.slices):
        text = "the images went through lossy compression; edges of bone may be displaced"
        found.append(("lossy_compression", text, False))
    if series.n_copies:
        text = f"{series.n_copies} exact copies of slices were left out"
        found.append(("duplicate_slices", text, False))
    if series.is_block:
        numbers = sorted(s.instance for s in series.slices)
        text = (
            f"the series is uneven; only its block of {len(numbers)} slices (numbers {numbers[0]} "
            f"to {numbers[-1]}) was used, the rest of the patient was left out"
        )
        found.append(("one_block", text, True))
    elif series.part:
        text = (
            f"the series holds several reconstructions or orientations; part {series.part} was "
            "used, inspect lists all"
        )
        found.append(("mixed_series", text, False))
    if n_damaged:
        text = f"{n_damaged} DICOM files could not be read and were left out"
        found.append(("unreadable_files", text, False))
    return tuple(Notice(code, text, "series", red) for code, text, red in found)


def thick_notice(step_mm: float, thickness: float | None) -> list[tuple[str, str, bool]]:
    """The warning of thick slices: code, sentence, red."""
    if max(step_mm, thickness or 0.0) <= THICK_MM + 1e-6:
        return []
    shown = f", {thickness:.2f} mm thick" if thickness else ""
    text = (
        f"the slices are {step_mm:.2f} mm apart{shown}: above {THICK_MM} mm thin walls of bone "
        "are blurred and widths are less certain; scan with 1 mm or less"
    )
    return [("thick_slices", text, False)]
