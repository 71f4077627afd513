"""What ``inspect`` found, as a table for people."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence

from guidegen.ct.choice import RULES
from guidegen.ct.inspect import SeriesReport

WIDTH = 100
_COLUMNS = ("kind", "plane", "slices", "height", "pixels", "voxel mm", "kernel")
_NUMBERS = ("slices", "height")
_INDENT = " " * 4


def listing(reports: Sequence[SeriesReport]) -> list[str]:
    """Lay out all series: a row each and why it is used or not; what is no CT in one line."""
    shown = [r for r in reports if _is_image(r)]
    others = Counter(r.kind for r in reports if not _is_image(r))
    lines = [_summary(reports)]
    if shown:
        rows = [_COLUMNS, *(_row(r) for r in shown)]
        widths = [max(len(row[n]) for row in rows) for n in range(len(_COLUMNS))]
        lines += ["", _joined(_COLUMNS, widths, " ")]
        for report, row in zip(shown, rows[1:], strict=True):
            lines.append(_joined(row, widths, "*" if report.chosen else "-"))
            lines += _details(report)
    if others:
        kinds = ", ".join(f"{n} {kind}" for kind, n in sorted(others.items()))
        lines += ["", f"no CT slices, left out: {kinds} (--json lists them)"]
    if sum(not r.problems and not r.is_block for r in shown) > 1:
        lines += ["", *_wrapped("chosen by, in this order: " + "; ".join(RULES), "", "  ")]
    return lines


def _is_image(report: SeriesReport) -> bool:
    return report.kind in ("CT", "nifti", "nrrd")


def _summary(reports: Sequence[SeriesReport]) -> str:
    n = len(reports)
    end = "* would be used" if any(r.chosen for r in reports) else "none can be used as it is"
    return f"{n} series found, {end}"


def _row(report: SeriesReport) -> tuple[str, ...]:
    step, *pixels = (f"{mm:.2f}" if mm else "?" for mm in report.spacing_mm)
    return (
        {"nifti": "NIfTI", "nrrd": "NRRD"}.get(report.kind, report.kind),
        report.orientation,
        str(report.n_slices or "?"),
        f"{report.extent_mm:.0f} mm" if report.extent_mm else "?",
        " x ".join(str(n) for n in report.matrix) if any(report.matrix) else "?",
        " x ".join((step, *pixels)) if any(report.spacing_mm) else "?",
        report.kernel or "-",
    )


def _joined(cells: Sequence[str], widths: Sequence[int], mark: str) -> str:
    padded = [
        cell.rjust(width) if name in _NUMBERS else cell.ljust(width)
        for cell, width, name in zip(cells, widths, _COLUMNS, strict=True)
    ]
    return f"{mark} " + "  ".join(padded).rstrip()


def _details(report: SeriesReport) -> Iterator[str]:
    yield from _wrapped(f"{'used' if report.chosen else 'not used'}: {report.reason}")
    if report.chosen:
        for code, text in zip(report.notices, report.messages, strict=True):
            yield from _wrapped(f"warning {code}: {text}")
    elif report.notices and not report.problems:
        yield from _wrapped(f"warnings: {', '.join(report.notices)}")
    if report.uid.split("#")[0]:
        yield f"{_INDENT}{'series' if report.problems else '--series'} {report.uid}"


def _wrapped(text: str, first: str = _INDENT, rest: str = _INDENT + "  ") -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=False
    )
