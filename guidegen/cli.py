"""The commands; each verb only passes on what it was given."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from guidegen import __version__
from guidegen.console import Outcome, Talk, perform
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

Json = Annotated[bool, typer.Option("--json", help="Machine-readable result on stdout.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Say more.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")]
Case = Annotated[Path, typer.Argument(metavar="CASE", help="The case folder.")]
Input = Annotated[
    Path,
    typer.Argument(
        metavar="INPUT", help="DICOM folder, a zip of one, or one DICOM, NIfTI or NRRD file."
    ),
]
Out = Annotated[Path, typer.Option("--out", metavar="CASE", help="Case folder to make.")]
Levels = Annotated[
    str | None, typer.Option(help="T10-L2 or L1,L3; default: every complete vertebra in view.")
]
Side = Annotated[str, typer.Option(metavar="left|right|both", help="For knee and kyphoplasty.")]
Labels = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Label map in the CT's frame: NIfTI, NRRD, SEG.")
]
Scheme = Annotated[
    str | None, typer.Option(metavar="totalseg-v1|totalseg-v2|verse", help="Its numbering.")
]
Names = Annotated[
    Path | None, typer.Option(metavar="FILE.toml", help="Names of the label map's numbers.")
]
Lowest = Annotated[
    str | None, typer.Option(metavar="L5", help="Name of the lowest complete vertebra in view.")
]
Series = Annotated[str | None, typer.Option(metavar="UID", help="Series to use; see inspect.")]
Config = Annotated[Path | None, typer.Option(metavar="FILE.toml", help="Procedure settings.")]
Force = Annotated[bool, typer.Option("--force", help="Replace an existing case.")]
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


@app.callback()
def guidegen(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """From a patient's CT to a checked, 3D-printable surgical guide. Not a medical device."""


@app.command(epilog="Example: guidegen demo --out demo")
def demo(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where to.")] = Path("demo"),
    json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> int:
    """Make a phantom CT as DICOM and run the main job on it, to STL and report."""
    return _do("demo", Talk(json, verbose, quiet), out)


@app.command(epilog="Example: guidegen inspect /media/cd")
def inspect(
    source: Input, json: Json = False, verbose: Verbose = False, quiet: Quiet = False
) -> int:
    """List the series found: geometry, problems, which one would be used and why."""
    return _do("inspect", Talk(json, verbose, quiet), source)


@app.command(epilog="Example: guidegen plan pedicle-screws dicom --out case1 --levels T10-L2")
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
    levels: Levels = None,
    side: Side = "both",
    labels: Labels = None,
    label_scheme: Scheme = None,
    label_names: Names = None,
    lowest_level: Lowest = None,
    series: Series = None,
    config: Config = None,
    force: Force = False,
    json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> int:
    """Plan: CT, bones, landmarks, plan, report; stops there. With one CASE: plan it again."""
    further: dict[str, Any] = {"levels": levels, "side": side, "lowest_level": lowest_level}
    further |= {"labels": labels, "label_scheme": label_scheme, "label_names": label_names}
    further |= {"series": series, "config": config, "force": force}
    return _do("plan", Talk(json, verbose, quiet), procedure, source, out, further)


@app.command(epilog='Example: guidegen approve case1 --by "A. Surgeon"')
def approve(
    case: Case,
    by: By,
    accept: Annotated[
        list[str] | None,
        typer.Option("--accept", metavar="CODE:SUBJECT", help="A red warning; give all."),
    ] = None,
    json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> int:
    """Approve the plan by name; every red warning must be accepted."""
    return _do("approve", Talk(json, verbose, quiet), case, by, accept or [])


@app.command(epilog="Example: guidegen build case1")
def build(case: Case, json: Json = False, verbose: Verbose = False, quiet: Quiet = False) -> int:
    """Build: approved plan, guides, checks, export, report."""
    return _do("build", Talk(json, verbose, quiet), case)


@app.command(
    epilog='Example: guidegen run pedicle-screws dicom --out case1 --approve-as "Night batch"'
)
def run(
    procedure: Annotated[str, typer.Argument(metavar="PROCEDURE", help="guidegen procedures.")],
    source: Input,
    out: Out,
    approve_as: Annotated[str, typer.Option(metavar="NAME", help="Who answers for it.")],
    levels: Levels = None,
    side: Side = "both",
    labels: Labels = None,
    label_scheme: Scheme = None,
    label_names: Names = None,
    lowest_level: Lowest = None,
    series: Series = None,
    config: Config = None,
    force: Force = False,
    json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> int:
    """Plan, approve and build in one go, for phantoms and batches; stamped 'unattended'."""
    further: dict[str, Any] = {"levels": levels, "side": side, "lowest_level": lowest_level}
    further |= {"labels": labels, "label_scheme": label_scheme, "label_names": label_names}
    further |= {"series": series, "config": config, "force": force}
    return _do("run", Talk(json, verbose, quiet), procedure, source, out, further, approve_as)


@app.command(epilog="Example: guidegen check guides/L3.stl")
def check(
    part: Annotated[Path, typer.Argument(metavar="PART.stl", help="The part.")],
    json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> int:
    """Check a part: watertight, one body, walls, self-intersections."""
    return _do("check", Talk(json, verbose, quiet), part)


@app.command(epilog="Example: guidegen phantom lumbar --out phantom --tilt-deg 10")
def phantom(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="A wrong one lists the names.")
    ] = None,
    meshes: Annotated[
        list[str] | None,
        typer.Option("--from-meshes", metavar="A.stl ...", help="Closed bone surfaces instead."),
    ] = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where to.")] = Path("phantom"),
    spacing_mm: Annotated[float, typer.Option(help="Pixel size.")] = 0.5,
    slice_mm: Annotated[float, typer.Option(help="Distance of the slices.")] = 1.0,
    psf_mm: Annotated[float, typer.Option(help="Point spread in the slice, sigma.")] = 0.5,
    noise_hu: Annotated[float, typer.Option(help="Noise, sigma.")] = 25.0,
    tilt_deg: Annotated[float, typer.Option(help="Gantry tilt.")] = 0.0,
    oblique_deg: Annotated[float, typer.Option(help="Whole grid turned.")] = 0.0,
    flip: Annotated[str, typer.Option(metavar="slices|feet_first|prone", help="Other order.")] = "",
    json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> int:
    """Write a phantom's DICOM series and its truth.json."""
    scan: dict[str, Any] = {"spacing_mm": spacing_mm, "slice_mm": slice_mm, "psf_mm": psf_mm}
    scan |= {"noise_hu": noise_hu, "tilt_deg": tilt_deg, "oblique_deg": oblique_deg, "flip": flip}
    return _do("phantom", Talk(json, verbose, quiet), names or [], meshes or [], out, scan)


@app.command(epilog="Example: guidegen procedures --json")
def procedures(json: Json = False, verbose: Verbose = False, quiet: Quiet = False) -> int:
    """List the procedures."""
    return _do("procedures", Talk(json, verbose, quiet))


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
