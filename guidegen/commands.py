"""What each command does, and how its result reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guidegen import flow, handover, steps
from guidegen.arguments import Many
from guidegen.checks.part import label_patch
from guidegen.checks.printable import check_printable
from guidegen.console import CHECK_FAILED, Outcome
from guidegen.ct.choice import RULES
from guidegen.ct.inspect import list_series
from guidegen.ct.listing import listing
from guidegen.errors import InputError
from guidegen.export.approval import approve as approve_case
from guidegen.export.approval import red_warnings, warning_key
from guidegen.export.folder import CaseFolder, new_case, open_case
from guidegen.export.log import Log
from guidegen.export.manifest import engravings
from guidegen.export.order import Order
from guidegen.export.parts import publish_folder, staging
from guidegen.export.plan_json import plan_to_json
from guidegen.mesh.io import read_stl
from guidegen.model.case import Approval
from guidegen.model.findings import CheckReport
from guidegen.model.notice import Progress
from guidegen.model.plan import Cut, Plan
from guidegen.model.saw_cuts import numbers_of
from guidegen.phantoms.catalog import phantom_names
from guidegen.phantoms.recipe import load_recipe, write_recipe
from guidegen.phantoms.scan import ScanOptions
from guidegen.phantoms.write import write_meshes_phantom, write_phantom
from guidegen.procedures.registry import PROCEDURES

if TYPE_CHECKING:
    from guidegen.batch.result import Row


def inspect(source: Path, progress: Progress) -> Outcome:
    """List the series of an input."""
    found = list_series(source, progress)
    chosen = next((report.uid for report in found if report.chosen), None)
    data = {"chosen": chosen, "rules": RULES, "series": [asdict(report) for report in found]}
    return Outcome(data, tuple(listing(found)))


def order_of(
    first: str, source: Path | None, out: Path | None, options: Mapping[str, Any]
) -> Order | Path:
    """Tell ``plan PROCEDURE INPUT --out CASE`` from ``plan CASE``.

    Raises:
        InputError: It is neither.
    """
    if source is not None and out is not None:
        return Order(first, source, out, **options)
    given = [n for n, v in options.items() if v not in (None, False) and (n, v) != ("side", "both")]
    if source is None and out is None and first not in PROCEDURES:
        if given:
            wrong = "--" + given[0].replace("_", "-")
            raise InputError(f"'plan CASE' takes the case's own options; {wrong} can't be given")
        return Path(first)
    missing = "INPUT" if source is None else "--out CASE"
    raise InputError(f"{missing} is missing: guidegen plan PROCEDURE INPUT --out CASE")


def plan(
    first: str,
    source: Path | None,
    out: Path | None,
    options: Mapping[str, Any],
    progress: Progress,
) -> Outcome:
    """Plan a new case, or one that exists again."""
    what = order_of(first, source, out, options)
    root = what.out if isinstance(what, Order) else what
    with _logged("plan", root, progress) as (log, heard):
        if isinstance(what, Order):
            made = flow.plan_case(what, heard)
        else:
            made = flow.replan_case(what, heard)
        log.note(_warning_lines(made, red_only=True))
    return _planned(root, made)


def approve(root: Path, by: str, accepted: Iterable[str], progress: Progress) -> Outcome:
    """Approve a plan."""
    folder = open_case(root)
    approval = approve_case(folder, by, tuple(accepted))
    steps.redraw(folder, progress)
    Log("approve").write(folder, "approved")
    return _approved(root, approval)


def review(
    root: Path, port: int, open_browser: bool, tell: Callable[[str], None], progress: Progress
) -> Outcome:
    """Serve the review page of a case until it is stopped."""
    # imported late: only the page needs a server
    from guidegen.review.server import serve

    serve(root, port, open_browser, tell)
    return Outcome({"case": str(root)}, ("the review page is closed",))


def take(root: Path, files: Sequence[Path], by: str, progress: Progress) -> Outcome:
    """Take lines and planes that were edited in 3D Slicer up into a case."""
    with _logged("import", root, progress) as (log, heard):
        made, names = handover.import_markups(root, files, by, heard)
        log.note(_warning_lines(made, red_only=True))
    planned = _planned(root, made)
    said = f"taken up: {', '.join(names)}; the plan needs a new approval"
    return replace(
        planned, data={**planned.data, "items": list(names)}, lines=(said, *planned.lines)
    )


def build(root: Path, progress: Progress) -> Outcome:
    """Build an approved case."""
    with _logged("build", root, progress) as (log, heard):
        report = flow.build_case(root, heard)
        log.note(_failed_lines(report))
    return _built(root, report)


def run(
    procedure: str,
    source: Path,
    out: Path,
    options: Mapping[str, Any],
    by: str,
    progress: Progress,
) -> Outcome:
    """Plan, approve and build in one go, unattended."""
    if not by.strip():
        raise InputError('run wants the name of who answers for it: --approve-as "NAME"')
    planned = plan(procedure, source, out, options, _share(progress, 0.0, 0.5))
    approve_case(open_case(out), by, unattended=True)
    built = build(out, _share(progress, 0.5, 1.0))
    lines = planned.lines[:-1] + built.lines
    return Outcome({**planned.data, **built.data}, lines, built.code)


def check(path: Path, progress: Progress) -> Outcome:
    """Check whether a part is printable."""
    vertices, faces = read_stl(path)
    engraved = tuple(label_patch(label) for label in engravings(path))
    found = check_printable(vertices, faces, path.name, label_patches=engraved)
    report = CheckReport(found)
    return _checked({"passed": report.passed, "checks": _findings(report)}, report, ())


def phantom(
    names: Sequence[str],
    meshes: Sequence[str],
    out: Path,
    options: Mapping[str, Any],
    progress: Progress,
) -> Outcome:
    """Write a phantom's DICOM series and its truth."""
    scan = ScanOptions(**options)
    if not meshes and len(names) == 1 and names[0].endswith(".toml"):
        return _recipe_phantom(Path(names[0]), out, scan, progress)
    if not meshes and (len(names) != 1 or names[0] not in phantom_names()):
        found = ", ".join(names) or "nothing"
        wanted = ", ".join(phantom_names())
        raise InputError(
            f"give one phantom ({wanted}, or a NAME.toml) or --from-meshes A.stl ..., found {found}"
        )
    with new_case(out, force=None) as folder, staging(folder) as aside:
        progress("phantom: making a CT", 0.0)
        if meshes:
            write_meshes_phantom([Path(name) for name in (*meshes, *names)], aside, scan)
        else:
            write_phantom(names[0], aside, scan)
        publish_folder(aside, out)
    return Outcome({"folder": str(out)}, (f"phantom written to {out}",))


def _recipe_phantom(path: Path, out: Path, scan: ScanOptions, progress: Progress) -> Outcome:
    """Write the phantom of a data set's definition, scanned as the definition says."""
    if scan != ScanOptions():
        raise InputError(f"{path.name} says itself how it is scanned; leave scanner options out")
    recipe = load_recipe(path)
    with new_case(out, force=None) as folder, staging(folder) as aside:
        progress("phantom: making a CT", 0.0)
        write_recipe(recipe, aside)
        publish_folder(aside, out)
    return Outcome({"folder": str(out)}, (f"phantom written to {out}",))


def demo(out: Path, progress: Progress) -> Outcome:
    """Make the demo phantom's CT and run the main job on it."""
    scan = out / "dicom"
    with new_case(out, force=True, source=scan) as folder, staging(folder) as aside:
        progress("phantom: making a CT", 0.0)
        write_phantom("demo", aside / scan.name, ScanOptions())
        publish_folder(aside, out)
    later = _share(progress, 0.2, 1.0)
    done = run("pedicle-screws", scan, out, {"force": True}, "guidegen demo", later)
    return replace(done, lines=(f"the phantom's CT (DICOM): {scan}", *done.lines))


def batch(
    dataset: Path, out: Path, options: Mapping[str, Any], many: Many, progress: Progress
) -> Outcome:
    """Run many cases and sum up what came of them."""
    # imported late: only a batch needs the libraries of many workers
    from guidegen.batch.cluster import Where
    from guidegen.batch.dataset import read_dataset
    from guidegen.batch.run import Asking, run_batch
    from guidegen.batch.sizes import bytes_of

    where = Where(many.scheduler, many.workers)
    memory = None if many.memory_limit is None else bytes_of(many.memory_limit)
    asking = Asking(out, where, many.case_timeout, memory, many.again)
    rows = run_batch(read_dataset(dataset, many.procedure, options), asking, progress)
    return _batched(out, rows)


def procedures(progress: Progress) -> Outcome:
    """List the procedures."""
    rows = [{"name": name, "title": item.title} for name, item in PROCEDURES.items()]
    lines = tuple(f"{row['name']:16} {row['title']}" for row in rows)
    return Outcome({"procedures": rows}, lines)


VERBS: Mapping[str, Callable[..., Outcome]] = {"import": take} | {
    verb.__name__: verb
    for verb in (
        inspect,
        plan,
        review,
        approve,
        build,
        run,
        check,
        phantom,
        demo,
        batch,
        procedures,
    )
}


def _share(progress: Progress, start: float, stop: float) -> Progress:
    return lambda text, share: progress(text, start + (stop - start) * share)


@contextmanager
def _logged(command: str, root: Path, progress: Progress) -> Iterator[tuple[Log, Progress]]:
    log, ending = Log(command), "done"
    try:
        yield log, log.listen(progress)
    except BaseException as error:
        ending = f"ended with {type(error).__name__}"
        raise
    finally:
        if (root / "case.toml").is_file():
            log.write(CaseFolder(root), ending)


def _planned(root: Path, made: Plan) -> Outcome:
    folder = CaseFolder(root)
    lines = [*_path_lines(made), *_warning_lines(made)]
    lines.append(f"report: {folder.report}")
    accept = "".join(f" --accept {warning_key(notice)}" for notice in red_warnings(made))
    lines.append(f'look at it, then: guidegen approve {root} --by "NAME"{accept}')
    data = {
        "case": str(root),
        "report": str(folder.report),
        "plan_sha256": made.extra.get("plan_sha256"),
        "red_warnings": [warning_key(notice) for notice in red_warnings(made)],
        "plan": plan_to_json(made),
    }
    return Outcome(data, tuple(lines))


def _path_lines(made: Plan) -> Iterator[str]:
    for cut in made.cuts:
        yield f"{cut.name:18} {', '.join(_of_cut(made, cut)) or 'planned'}"
    for path in made.paths:
        size = f"{path.diameter_mm:4.1f} x {path.length_mm:4.1f} mm"
        if path.kind == "pin" and path.grade is None:
            yield f"{path.name:18} {size}"
            continue
        width = _mm(path.corridor_diameter_mm)
        yield f"{path.name:12} {size}, grade {path.grade or 'none'}, corridor {width}"
    for item in made.skipped:
        yield f"{item.name:12} no path: {item.code}, corridor {_mm(item.corridor_diameter_mm, 2)}"


def _of_cut(made: Plan, cut: Cut) -> Iterator[str]:
    """Angles of a cut's bone and what it takes off."""
    told = numbers_of(made, cut)
    for name, angle in {**told.angles_deg, "HKA": told.hka_deg}.items():
        if angle is not None:
            yield f"{name} {round(angle, 1) + 0.0:.1f} deg"
    for where, lost in (("medial", told.medial_mm), ("lateral", told.lateral_mm)):
        if lost is not None:
            yield f"{where} {lost:.1f} mm"


def _mm(value: float | None, digits: int = 1) -> str:
    return "not measured" if value is None else f"{value:.{digits}f} mm"


def _warning_lines(made: Plan, red_only: bool = False) -> Iterator[str]:
    for notice in made.warnings:
        if red_only and not notice.red:
            continue
        colour = "RED warning" if notice.red else "warning"
        yield f"{colour} {warning_key(notice)}: {notice.message}"


def _approved(root: Path, approval: Approval) -> Outcome:
    lines = (f"approved by {approval.by}", f"next: guidegen build {root}")
    return Outcome({"case": str(root), "approval": asdict(approval)}, lines)


def _built(root: Path, report: CheckReport) -> Outcome:
    folder = CaseFolder(root)
    parts = sorted([*root.glob("guides/*.stl"), *root.glob("models/*.stl")])
    data = {
        "case": str(root),
        "report": str(folder.report),
        "passed": report.passed,
        "exported": [path.relative_to(root).as_posix() for path in parts],
        "checks": _findings(report),
    }
    where = (*(f"part: {path}" for path in parts), f"report: {folder.report}")
    return _checked(data, report, where)


def _surprise(row: Row) -> str:
    return f"{row.case.name}: {'; '.join(row.surprises)}"


def _batched(out: Path, rows: Sequence[Row]) -> Outcome:
    wrong = [row for row in rows if not row.as_expected]
    kept = sum(row.kept for row in rows)
    lines = [". ".join(filter(None, (_surprise(row), row.result.reason))) for row in wrong]
    if kept:
        lines.append(f"{kept} of {len(rows)} were finished before; --again runs the failed ones")
    lines.append(f"{len(rows) - len(wrong)} of {len(rows)} cases as expected")
    lines.append(f"summary: {out / 'summary.html'}")
    data = {
        "summary": str(out / "summary.html"),
        "as_expected": not wrong,
        "kept": kept,
        "cases": [
            {
                "name": row.case.name,
                "outcome": row.result.outcome,
                "exit": row.result.exit,
                "as_expected": row.as_expected,
                "surprises": list(row.surprises),
                "reason": row.result.reason,
                "kept": row.kept,
            }
            for row in rows
        ],
    }
    return Outcome(data, tuple(lines), CHECK_FAILED if wrong else 0)


def _checked(data: Mapping[str, Any], report: CheckReport, where: tuple[str, ...]) -> Outcome:
    lines = list(_failed_lines(report))
    n, failed = len(report.findings), len(lines)
    lines.append(f"{n - failed} of {n} checks passed" + ("" if n else ": that is a failure"))
    code = 0 if report.passed else CHECK_FAILED
    return Outcome(dict(data), (*lines, *where), code)


def _failed_lines(report: CheckReport) -> Iterator[str]:
    for f in report.findings:
        if not f.passed:
            wanted = f"{f.sense.replace('_', ' ')} {f.limit:g} {f.unit}"
            why = f" ({f.reason})" if f.reason else ""
            yield f"FAILED {f.code} {f.subject}: {f.value:g}, wanted {wanted}{why}"


def _findings(report: CheckReport) -> list[dict[str, Any]]:
    return [{**asdict(finding), "passed": finding.passed} for finding in report.findings]
