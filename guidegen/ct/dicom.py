"""DICOM in any packing to a CT volume."""

from __future__ import annotations

from dataclasses import dataclass

from guidegen.ct.choice import best_series
from guidegen.ct.headers import read_headers
from guidegen.ct.hounsfield import require_hounsfield
from guidegen.ct.orient import patient_like
from guidegen.ct.pixels import load_stack, same_pixels
from guidegen.ct.series import Series, find_series, hashed, notices_of, thickness_mm
from guidegen.ct.source import Source
from guidegen.errors import IncompleteSeries, InputError, UnsupportedScan
from guidegen.model.notice import Progress, silent
from guidegen.model.volume import CTVolume, Grid, ScanInfo


@dataclass(frozen=True, eq=False)
class Study:
    """All series of a source, judged.

    Args:
        source: Where the files are.
        series: In a fixed order.
        chosen: The one that is used; None if none can be.
        reasons: Why each is chosen or not, by its place in ``series``.
        n_damaged: DICOM files that can't be read.
    """

    source: Source
    series: tuple[Series, ...]
    chosen: Series | None
    reasons: dict[int, str]
    n_damaged: int


def open_study(source: Source, progress: Progress = silent) -> Study:
    """Read all headers, group and judge.

    Raises:
        InputError: There is no DICOM image in the source.
    """
    headers = read_headers(source, progress)
    if not headers.slices:
        if headers.n_volumes:
            raise InputError(
                f"no DICOM image was found, but {headers.n_volumes} NIfTI or NRRD files: "
                "unpack them if need be, and name one of them"
            )
        if headers.n_damaged:
            raise InputError(
                f"{headers.n_damaged} DICOM files were found, none can be read, they are damaged "
                "or cut short: export them again"
            )
        raise InputError(
            f"no DICOM image was found ({headers.n_other} other files): name the folder or zip of "
            "the DICOM export, or one NIfTI or NRRD file"
        )
    found = find_series(headers, lambda a, b: same_pixels(source, a, b))
    chosen, reasons = best_series(found)
    return Study(source, found, chosen, reasons, headers.n_damaged)


def read_study(source: Source, series_uid: str | None, progress: Progress = silent) -> CTVolume:
    """Read the named series, or the best one.

    Raises:
        InputError: No series can be used; the message lists why.
    """
    study = open_study(source, progress)
    series = study.chosen if series_uid is None else _named(study, series_uid)
    if series is None:
        raise _none_usable(study)
    if series.problem is not None:
        raise series.problem
    assert series.stack is not None  # no problem means that it was stacked
    hu, matrix = load_stack(source, series.slices, series.stack, progress)
    if any(s.rescale is None for s in series.slices) and int(hu.min()) >= 0:
        raise UnsupportedScan(
            "the headers lack RescaleSlope and RescaleIntercept and no value is negative, so the "
            "values are not Hounsfield units: export the original series"
        )
    require_hounsfield(hu, "the series")
    hu, matrix = patient_like(hu, matrix)
    head = series.head
    info = ScanInfo(
        source="dicom",
        series=hashed(series.selector),
        patient_position=head.patient_position,
        slice_thickness_mm=thickness_mm(series),
        notices=notices_of(series, study.n_damaged),
    )
    progress("reading slices", 1.0)
    return CTVolume(hu, Grid(matrix, hu.shape, hashed(series.frame_uid)), info)


def _named(study: Study, series_uid: str) -> Series:
    """The series of that UID; of a series in parts, the best part."""
    wanted = series_uid.strip()
    exact = [s for s in study.series if s.selector == wanted]
    parts = exact or [s for s in study.series if s.head.series_uid == wanted]
    if not parts:
        raise InputError(
            f"no series of that UID is among the {len(study.series)} found: run inspect and copy "
            "one of its UIDs"
        )
    best, _ = best_series(parts)
    return best or parts[0]


def _none_usable(study: Study) -> InputError:
    """One sentence for all reasons, of the kind of the most telling one."""
    problems = [s.problem for s in study.series if s.problem is not None]
    left = ""
    if study.n_damaged:
        left += f" (damaged DICOM files that were left out: {study.n_damaged})"
    if any(s.is_block for s in study.series):
        left += " (inspect lists even blocks of it that --series can name)"
    candidates = [s for s in study.series if s.stack is not None or _broken(s)] or study.series
    main = max(candidates, key=lambda s: (s.head.modality == "CT", len(s.slices)))
    kind = type(main.problem) if main.problem is not None else InputError
    if len(problems) == 1:
        return kind(f"{problems[0]}{left}")
    texts = list(dict.fromkeys(str(p) for p in problems))
    shown = "; ".join(f"({n + 1}) {text}" for n, text in enumerate(texts[:6]))
    more = f"; and {len(texts) - 6} more kinds of problem" if len(texts) > 6 else ""
    if len(texts) == 1:
        return kind(f"none of {len(problems)} series can be used: {texts[0]}{left}")
    return kind(f"none of {len(problems)} series can be used: {shown}{more}{left}")


def _broken(series: Series) -> bool:
    return isinstance(series.problem, IncompleteSeries)
