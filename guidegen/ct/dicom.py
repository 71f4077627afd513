"""DICOM in any packing to a CT volume."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from guidegen.ct.block_choice import blocks_notice, planned_blocks, require_one_frame
from guidegen.ct.choice import best_series
from guidegen.ct.headers import read_headers
from guidegen.ct.hounsfield import require_hounsfield
from guidegen.ct.orient import patient_like
from guidegen.ct.pixels import load_stack, same_pixels
from guidegen.ct.series import Series, find_series, hashed, notices_of, thickness_mm
from guidegen.ct.source import Source
from guidegen.ct.together import Block, finest_mm, gaps_mm, put_together
from guidegen.errors import IncompleteSeries, InputError, UnsupportedScan
from guidegen.model.notice import Notice, Progress, silent
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


def read_study(
    source: Source, series_uids: Sequence[str], in_blocks: bool, progress: Progress = silent
) -> CTVolume:
    """Read the named series, put together if they are several, or the best one.

    Args:
        source: Where the files are.
        series_uids: As ``inspect`` prints them; none for the best series.
        in_blocks: Also use a series that is made of blocks with gaps between them.
        progress: Told how far the reading is.

    Raises:
        InputError: No series can be used; the message lists why.
    """
    study = open_study(source, progress)
    named = [s for uid in dict.fromkeys(series_uids) for s in _named(study, uid, in_blocks)]
    chosen = list(dict.fromkeys(named)) or _best(study, in_blocks)
    if not chosen:
        raise _none_usable(study)
    for series in chosen:
        if series.problem is not None:
            raise series.problem
    require_one_frame(chosen)
    read = [_read(source, series, progress) for series in chosen]
    (hu, grid), coarser = put_together(read) if len(read) > 1 else (read[0], False)
    head = chosen[0].head
    thick = [known for known in map(thickness_mm, chosen) if known is not None]
    info = ScanInfo(
        source="dicom",
        series=hashed("+".join(series.selector for series in chosen)),
        patient_position=head.patient_position,
        slice_thickness_mm=max(thick, default=None),
        notices=_notices(chosen, [own for _, own in read], study.n_damaged, coarser),
    )
    progress("reading slices", 1.0)
    return CTVolume(hu, grid, info)


def _best(study: Study, in_blocks: bool) -> list[Series]:
    """The one series that the rules choose, or the blocks of one that has gaps."""
    if study.chosen is not None:
        return [study.chosen]
    return planned_blocks(study.series) if in_blocks else []


def _read(source: Source, series: Series, progress: Progress) -> Block:
    """One series as HU with its axes in the patient's order."""
    assert series.stack is not None  # no problem means that it was stacked
    hu, matrix = load_stack(source, series.slices, series.stack, progress)
    if any(s.rescale is None for s in series.slices) and int(hu.min()) >= 0:
        raise UnsupportedScan(
            "the headers lack RescaleSlope and RescaleIntercept and no value is negative, so the "
            "values are not Hounsfield units: export the original series"
        )
    require_hounsfield(hu, "the series")
    hu, matrix = patient_like(hu, matrix)
    return hu, Grid(matrix, hu.shape, hashed(series.frame_uid))


def _notices(
    chosen: Sequence[Series], grids: Sequence[Grid], n_damaged: int, coarser: bool
) -> tuple[Notice, ...]:
    """What the engineer has to know of the series that were used."""
    if len(chosen) == 1:
        return notices_of(chosen[0], n_damaged)
    own = (notice for series in chosen for notice in notices_of(series, n_damaged))
    kept = {n.code: n for n in own if n.code not in ("one_block", "mixed_series")}
    told = list(kept.values())
    told.append(blocks_notice(gaps_mm(grids), len(chosen)))
    if coarser:
        size = " x ".join(f"{step:.2f}" for step in finest_mm(grids))
        text = (
            f"the series fill a large field: together they are kept with coarser voxels than the "
            f"finest series has ({size} mm); reconstruct smaller fields for full detail"
        )
        told.append(Notice("coarser_voxels", text, "series"))
    return tuple(told)


def _named(study: Study, series_uid: str, in_blocks: bool) -> list[Series]:
    """The series of that UID; of a series in parts, the best part, or all of its blocks."""
    wanted = series_uid.strip()
    exact = [s for s in study.series if s.selector == wanted]
    parts = exact or [s for s in study.series if s.head.series_uid == wanted]
    if not parts:
        raise InputError(
            f"no series of that UID is among the {len(study.series)} found: run inspect and copy "
            "one of its UIDs"
        )
    best, _ = best_series(parts)
    whole = [s for s in study.series if s.head.series_uid == parts[0].head.series_uid]
    blocks = planned_blocks(whole) if in_blocks and best is None and not parts[0].is_block else []
    return blocks or [best or parts[0]]


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
