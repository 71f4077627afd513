"""The commands; each verb only passes on what it was given."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from guidegen import __version__
from guidegen.arguments import Asked, Many, Scanned, Talk, grouped
from guidegen.console import Outcome, perform
from guidegen.model.notice import Progress

app = typer.Typer(
    name="guidegen",
    help="From a patient's CT to a checked, 3D-printable surgical guide. Not a medical device.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Case = Annotated[Path, typer.Argument(metavar="CASE", help="The case folder.")]
Input = Annotated[
    Path,
    typer.Argument(
        metavar="INPUT", help="DICOM folder, a zip of one, or one DICOM, NIfTI or NRRD file."
    ),
]
Out = Annotated[Path, typer.Option("--out", metavar="CASE", help="Case folder to make.")]
By = Annotated[str, typer.Option("--by", metavar="NAME", help="Who approves.")]


def _do(command: str, talk: Talk, *given: Any) -> int:
    def work(progress: Progress) -> Outcome:
        # imported late: --help and --version must not wait for the libraries
        from guidegen.commands import VERBS

        return VERBS[command](*given, progress)

    return perform(command, talk, work)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"guidegen {__version__}")
        raise typer.Exit


def _say(address: str) -> None:
    """Print the page's address on a line of its own, at once: other programs wait for it."""
    print(address, flush=True)


@app.callback()
def guidegen(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """From a patient's CT to a checked, 3D-printable surgical guide. Not a medical device."""


@app.command(epilog="Example: guidegen demo --out demo")
@grouped
def demo(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where to.")] = Path("demo"),
    *,
    talk: Talk,
) -> int:
    """Make a phantom CT as DICOM and run the main job on it, to STL and report."""
    return _do("demo", talk, out)


@app.command(epilog="Example: guidegen inspect /media/cd")
@grouped
def inspect(source: Input, talk: Talk) -> int:
    """List the series found: geometry, problems, which one would be used and why."""
    return _do("inspect", talk, source)


@app.command(epilog="Example: guidegen plan pedicle-screws dicom --out case1 --levels T10-L2")
@grouped
def plan(
    procedure: Annotated[
        str, typer.Argument(metavar="PROCEDURE", help="See 'guidegen procedures'; or a CASE alone.")
    ],
    source: Annotated[
        Path | None, typer.Argument(metavar="INPUT", help="As for 'guidegen inspect'.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="CASE", help="Case folder to make.")
    ] = None,
    *,
    asked: Asked,
    talk: Talk,
) -> int:
    """Plan: CT, bones, landmarks, plan, report; stops there. With one CASE: plan it again."""
    return _do("plan", talk, procedure, source, out, vars(asked))


@app.command(epilog="Example: guidegen review case1")
@grouped
def review(
    case: Case,
    port: Annotated[int, typer.Option(metavar="N", help="On 127.0.0.1; 0 takes a free one.")] = 0,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the address, open nothing.")
    ] = False,
    *,
    talk: Talk,
) -> int:
    """Open the review page: look at the plan, change it, approve it. Ctrl-C ends it."""
    return _do("review", talk, case, port, not no_browser, _say)


@app.command(epilog='Example: guidegen approve case1 --by "A. Surgeon"')
@grouped
def approve(
    case: Case,
    by: By,
    accept: Annotated[
        list[str] | None,
        typer.Option("--accept", metavar="CODE:SUBJECT", help="A red warning; give all."),
    ] = None,
    *,
    talk: Talk,
) -> int:
    """Approve the plan by name; every red warning must be accepted."""
    return _do("approve", talk, case, by, accept or [])


@app.command("import", epilog="Example: guidegen import case1 L3_left.mrk.json")
@grouped
def take(
    case: Case,
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE.mrk.json ...", help="Lines of paths, planes of cuts, named after them."
        ),
    ],
    by: Annotated[str, typer.Option(metavar="NAME", help="Who drew them.")] = "3D Slicer",
    *,
    talk: Talk,
) -> int:
    """Take lines and planes edited in 3D Slicer up into a case; it needs a new approval."""
    return _do("import", talk, case, files, by)


@app.command(epilog="Example: guidegen build case1")
@grouped
def build(case: Case, talk: Talk) -> int:
    """Build: approved plan, guides, checks, export, report."""
    return _do("build", talk, case)


@app.command(
    epilog='Example: guidegen run pedicle-screws dicom --out case1 --approve-as "Night batch"'
)
@grouped
def run(
    procedure: Annotated[str, typer.Argument(metavar="PROCEDURE", help="guidegen procedures.")],
    source: Input,
    out: Out,
    approve_as: Annotated[str, typer.Option(metavar="NAME", help="Who answers for it.")],
    asked: Asked,
    talk: Talk,
) -> int:
    """Plan, approve and build in one go, for phantoms and batches; stamped 'unattended'."""
    return _do("run", talk, procedure, source, out, vars(asked), approve_as)


@app.command(epilog="Example: guidegen check guides/L3.stl")
@grouped
def check(
    part: Annotated[Path, typer.Argument(metavar="PART.stl", help="The part.")], talk: Talk
) -> int:
    """Check a part: watertight, one body, walls, self-intersections."""
    return _do("check", talk, part)


@app.command(epilog="Example: guidegen phantom lumbar --out phantom --tilt-deg 10")
@grouped
def phantom(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME", help="Or a definition NAME.toml; a wrong one lists the names."
        ),
    ] = None,
    meshes: Annotated[
        list[str] | None,
        typer.Option("--from-meshes", metavar="A.stl ...", help="Closed bone surfaces instead."),
    ] = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where to.")] = Path("phantom"),
    *,
    scan: Scanned,
    talk: Talk,
) -> int:
    """Write a phantom's DICOM series and its truth.json."""
    return _do("phantom", talk, names or [], meshes or [], out, vars(scan))


@app.command(epilog="Example: guidegen batch data/phantoms --out night --workers 2")
@grouped
def batch(
    dataset: Annotated[
        Path,
        typer.Argument(
            metavar="DATASET",
            help="cases.toml, or a folder of phantom definitions, or one with a scan in each "
            "folder or file.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The batch's folder.")],
    asked: Asked,
    many: Many,
    talk: Talk,
) -> int:
    """Run many cases; one that fails never stops the rest. Ends with summary.html and .csv."""
    return _do("batch", talk, dataset, out, vars(asked), many)


@app.command(epilog="Example: guidegen procedures --json")
@grouped
def procedures(talk: Talk) -> int:
    """List the procedures."""
    return _do("procedures", talk)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code; usage errors are 1, like bad input."""
    try:
        return int(app(arguments, standalone_mode=False) or 0)
    except (typer.Abort, KeyboardInterrupt):
        return 1
    except Exception as error:
        if not hasattr(error, "format_message"):
            raise
        print(f"guidegen: {error.format_message()}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
