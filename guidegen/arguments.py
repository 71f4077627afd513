"""Command-line options that belong together, and how a command takes them as one parameter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer


@dataclass(frozen=True)
class Asked:
    """What a plan can be told beside procedure, scan and folder; see ``export.order.Order``."""

    levels: Annotated[
        str | None, typer.Option(help="T10-L2 or L1,L3; default: every complete vertebra in view.")
    ] = None
    side: Annotated[
        str, typer.Option(metavar="left|right|both", help="For kyphoplasty and knee.")
    ] = "both"
    labels: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Label map in the CT's frame: NIfTI, NRRD, SEG."),
    ] = None
    label_scheme: Annotated[
        str | None, typer.Option(metavar="totalseg-v1|totalseg-v2|verse", help="Its numbering.")
    ] = None
    label_names: Annotated[
        Path | None, typer.Option(metavar="FILE.toml", help="Names of the label map's numbers.")
    ] = None
    lowest_level: Annotated[
        str | None, typer.Option(metavar="L5", help="Name of the lowest complete vertebra in view.")
    ] = None
    series: Annotated[
        list[str] | None,
        typer.Option(
            metavar="UID",
            help="Series to use; see inspect. Several (hip, knee, ankle): give it several times.",
        ),
    ] = None
    config: Annotated[
        Path | None, typer.Option(metavar="FILE.toml", help="Procedure settings.")
    ] = None
    approach: Annotated[
        str | None,
        typer.Option(
            metavar="two-sided|one-sided|extrapedicular",
            help="For kyphoplasty; default: the settings decide.",
        ),
    ] = None
    accept_posture: Annotated[
        bool,
        typer.Option(
            "--accept-posture",
            help="For kyphoplasty: make the skin template though the patient was not scanned "
            "prone.",
        ),
    ] = False
    axis: Annotated[
        str | None,
        typer.Option(
            metavar="mechanical|anatomical",
            help="For the knee: anatomical where hip or ankle is out of view.",
        ),
    ] = None
    force: Annotated[bool, typer.Option("--force", help="Replace an existing case.")] = False


@dataclass(frozen=True)
class Scanned:
    """How a phantom is scanned; see ``phantoms.scan.ScanOptions``."""

    spacing_mm: Annotated[float, typer.Option(help="Pixel size.")] = 0.5
    slice_mm: Annotated[float, typer.Option(help="Distance of the slices.")] = 1.0
    psf_mm: Annotated[float, typer.Option(help="Point spread in the slice, sigma.")] = 0.5
    noise_hu: Annotated[float, typer.Option(help="Noise, sigma.")] = 25.0
    tilt_deg: Annotated[float, typer.Option(help="Gantry tilt.")] = 0.0
    oblique_deg: Annotated[float, typer.Option(help="Whole grid turned.")] = 0.0
    flip: Annotated[str, typer.Option(metavar="slices|feet_first|prone", help="Other order.")] = ""


@dataclass(frozen=True)
class Many:
    """How a batch runs; see ``batch.run.Asking``."""

    procedure: Annotated[
        str | None, typer.Option(metavar="NAME", help="For a folder of scans: what to plan.")
    ] = None
    workers: Annotated[
        int | None, typer.Option(help="Cases beside each other; default: one a processor.")
    ] = None
    scheduler: Annotated[
        str | None,
        typer.Option(metavar="tcp://HOST:PORT", help="A dask scheduler that already runs."),
    ] = None
    memory_limit: Annotated[
        str | None,
        typer.Option(metavar="4GB", help="For a case; default: an even share of the computer."),
    ] = None
    case_timeout: Annotated[
        float, typer.Option(metavar="SECONDS", help="Longest time for a case.")
    ] = 3600.0
    again: Annotated[
        bool, typer.Option("--again", help="Run those again that were not as expected.")
    ] = False


@dataclass(frozen=True)
class Talk:
    """How much to say, and in which form; ``quiet`` leaves the errors."""

    json: Annotated[bool, typer.Option("--json", help="Machine-readable result on stdout.")] = False
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say more.")] = False
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")] = False


def grouped(command: Callable[..., int]) -> Callable[..., int]:
    """Show typer each field of a parameter that is a dataclass as an option of its own.

    Args:
        command: Its parameters that are annotated with a dataclass take whole groups of options.

    Returns:
        The command as typer calls it, every option by name.
    """
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {name: kind for name, kind in hints.items() if is_dataclass(kind)}
    shown: list[Parameter] = []
    for name, given in signature(command).parameters.items():
        one = given.replace(kind=Parameter.KEYWORD_ONLY, annotation=hints[name])
        shown += _options(groups[name]) if name in groups else [one]

    @wraps(command)
    def spread(**given: Any) -> int:
        whole = {
            name: kind(**{field.name: given.pop(field.name) for field in fields(kind)})
            for name, kind in groups.items()
        }
        return command(**given, **whole)

    spread.__dict__.pop("__wrapped__")
    spread.__dict__["__signature__"] = Signature(shown, return_annotation=int)
    spread.__annotations__ = {one.name: one.annotation for one in shown}
    return spread


def _options(group: Any) -> list[Parameter]:
    """The fields of a dataclass as parameters by name."""
    hints = get_type_hints(group, include_extras=True)
    return [
        Parameter(
            field.name,
            Parameter.KEYWORD_ONLY,
            default=Parameter.empty if field.default is MISSING else field.default,
            annotation=hints[field.name],
        )
        for field in fields(group)
    ]
