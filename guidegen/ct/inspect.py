"""What is in an input, and which series would be used and why."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from guidegen.ct.dicom import Study, open_study
from guidegen.ct.guard import guarded
from guidegen.ct.reader import open_input, read_ct
from guidegen.ct.series import Series, notices_of, thickness_mm
from guidegen.ct.stack import along_normal
from guidegen.errors import GuidegenError, UnsupportedScan
from guidegen.model.arrays import Floats
from guidegen.model.notice import Progress, silent


@dataclass(frozen=True)
class SeriesReport:
    """One series as ``inspect`` lists it; nothing in it names the patient.

    Args:
        uid: What ``--series`` takes: the raw series UID, with ``#2`` for a second part; for the
            terminal only, never for a file. "" for NIfTI and NRRD.
        kind: Modality (``CT``, ``MR``, ...), ``localizer``, ``nifti`` or ``nrrd``.
        n_slices: Number of slices.
        matrix: Rows, columns.
        spacing_mm: Between slices, rows, columns; 0 where unknown.
        thickness_mm: As stated; None if unknown.
        extent_mm: Height of the stack.
        orientation: ``axial``, ``coronal``, ``sagittal``, ``oblique ...`` or ``unknown``.
        tilt_deg: Gantry tilt.
        kernel: Reconstruction kernel as stated.
        problems: Why it can't be used; empty if it can.
        notices: Codes of its warnings.
        chosen: It would be used.
        reason: Why it would be used or not.
        is_block: An even stretch of an uneven series, used only on request.
        messages: The warnings' sentences, in the order of ``notices``.
    """

    uid: str
    kind: str
    n_slices: int
    matrix: tuple[int, int]
    spacing_mm: tuple[float, float, float]
    thickness_mm: float | None
    extent_mm: float
    orientation: str
    tilt_deg: float
    kernel: str
    problems: tuple[str, ...]
    notices: tuple[str, ...]
    chosen: bool
    reason: str
    is_block: bool = False
    messages: tuple[str, ...] = ()


@guarded("the input")
def list_series(path: str | Path, progress: Progress = silent) -> tuple[SeriesReport, ...]:
    """List every series of an input, the chosen one first.

    Pixels are decoded only where slices lie at the same place.

    Raises:
        InputError: Nothing readable was found.
    """
    place = Path(path)
    source, image = open_input(place)
    if image is not None:
        return (_of_volume(place, image[1]),)
    assert source is not None  # not an image
    study = open_study(source, progress)
    reports = [_of_series(study, n, series) for n, series in enumerate(study.series)]
    return tuple(
        sorted(reports, key=lambda r: (not r.chosen, bool(r.problems) or r.is_block, r.uid))
    )


def _of_series(study: Study, number: int, series: Series) -> SeriesReport:
    head, stack = series.head, series.stack
    rows, columns = head.spacing or (0.0, 0.0)
    notices = notices_of(series, study.n_damaged)
    kernel = head.trait("kernel")
    return SeriesReport(
        uid=series.selector,
        kind="localizer" if head.is_localizer else head.modality or "unknown",
        n_slices=len(series.slices),
        matrix=head.shape,
        spacing_mm=(round(series.step_mm or 0.0, 4), rows, columns),
        thickness_mm=thickness_mm(series),
        extent_mm=round(series.extent_mm, 2),
        orientation=_plane(series),
        tilt_deg=0.0 if stack is None else round(stack.tilt_deg, 2),
        kernel=kernel if len(kernel) <= 24 else "",
        problems=() if series.problem is None else (str(series.problem),),
        notices=tuple(n.code for n in notices),
        chosen=series is study.chosen,
        reason=study.reasons[number],
        is_block=series.is_block,
        messages=tuple(n.message for n in notices),
    )


def _plane(series: Series) -> str:
    """The plane of the slices, by the first header where they could not be stacked."""
    if series.stack is not None:
        return plane_name(series.stack.matrix[:3, 0])
    try:
        return plane_name(along_normal(series.slices[:1])[0][:, 0])
    except (UnsupportedScan, TypeError, ValueError):
        return "unknown"


def _of_volume(path: Path, kind: str) -> SeriesReport:
    """The one volume of a NIfTI or NRRD file, with its problem if it has one."""
    try:
        volume = read_ct(path)
    except GuidegenError as problem:
        text = str(problem)
        return SeriesReport(
            "", kind, 0, (0, 0), (0, 0, 0), None, 0, "unknown", 0, "", (text,), (), False, text
        )
    k, j, i = (round(float(s), 4) for s in volume.grid.spacing_kji_mm)
    n, rows, columns = volume.grid.shape_kji
    return SeriesReport(
        uid="",
        kind=kind,
        n_slices=n,
        matrix=(rows, columns),
        spacing_mm=(k, j, i),
        thickness_mm=None,
        extent_mm=round(k * n, 2),
        orientation=plane_name(volume.grid.axes_kji[:, 0]),
        tilt_deg=0.0,
        kernel="",
        problems=(),
        notices=tuple(notice.code for notice in volume.info.notices),
        chosen=True,
        reason="the only volume of the file",
        messages=tuple(notice.message for notice in volume.info.notices),
    )


def plane_name(normal: Floats) -> str:
    """Name the plane of slices by their normal (3,), LPS."""
    size = np.abs(normal) / np.linalg.norm(normal)
    name = ("sagittal", "coronal", "axial")[int(np.argmax(size))]
    off = float(np.degrees(np.arccos(min(1.0, float(size.max())))))
    return name if off < 1 else f"oblique {name} ({off:.0f} deg)"
