"""Groups of options: one parameter of a verb, many options of the command line."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Annotated

import pytest
import typer

from guidegen import cli
from guidegen.arguments import Asked, Scanned, Talk, grouped
from guidegen.export.order import Order
from guidegen.phantoms.scan import ScanOptions


@dataclass(frozen=True)
class Sized:
    width_mm: Annotated[float, typer.Option(help="How wide.")] = 2.0
    colour: Annotated[str | None, typer.Option("--colour", "-c")] = None
    hollow: Annotated[bool, typer.Option("--hollow")] = False


@dataclass(frozen=True)
class Wanted:
    depth_mm: Annotated[float, typer.Option()]


def parsed(command, *arguments):
    """What a command was called with, through the very main of guidegen."""
    app, seen = typer.Typer(add_completion=False), []
    app.callback()(lambda: None)

    def told(**given):
        seen.append(given)
        return 0

    app.command("draw")(grouped(command(told)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cli, "app", app)
        code = cli.main(["draw", *arguments])
    return code, seen[0] if seen else None


def one_group(told):
    def draw(
        name: Annotated[str, typer.Argument()],
        size: Sized,
        times: Annotated[int, typer.Option()] = 1,
    ) -> int:
        return told(name=name, size=size, times=times)

    return draw


def two_groups(told):
    def draw(size: Sized, talk: Talk) -> int:
        return told(size=size, talk=talk)

    return draw


def wanting(told):
    def draw(wanted: Wanted) -> int:
        return told(wanted=wanted)

    return draw


def test_without_options_a_group_has_its_defaults():
    assert parsed(one_group, "a") == (0, {"name": "a", "size": Sized(), "times": 1})


def test_a_given_value_reaches_the_group_and_plain_parameters_stay():
    code, given = parsed(
        one_group, "--width-mm", "3.5", "a", "--times", "2", "-c", "red", "--hollow"
    )
    assert code == 0
    assert given == {"name": "a", "size": Sized(3.5, "red", True), "times": 2}


def test_two_groups_keep_their_own():
    code, given = parsed(two_groups, "--json", "--width-mm", "1", "-q")
    assert code == 0
    assert given == {"size": Sized(1.0), "talk": Talk(json=True, quiet=True)}


def test_a_field_without_default_must_be_given(capsys):
    assert parsed(wanting, "--depth-mm", "4") == (0, {"wanted": Wanted(4.0)})
    assert parsed(wanting) == (1, None)
    assert "--depth-mm" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [("a", "--width-mm", "wide"), ("a", "--depth", "1"), (), ("a", "--colour")]
)
def test_usage_errors_are_1(arguments, capsys):
    assert parsed(one_group, *arguments) == (1, None)
    assert capsys.readouterr().err.startswith("guidegen: ")


def test_two_groups_with_the_same_option_are_refused():
    def draw(size: Sized, again: Sized) -> int:
        return 0

    with pytest.raises(ValueError, match="duplicate"):
        grouped(draw)


def test_groups_are_what_the_commands_behind_take():
    asked = {field.name: field.default for field in fields(Asked)}
    ordered = {field.name: field.default for field in fields(Order)}
    assert asked.items() <= ordered.items()
    assert set(ordered) - set(asked) == {"procedure", "source", "out"}
    scanned = {field.name: field.default for field in fields(Scanned)}
    assert scanned.items() <= {f.name: f.default for f in fields(ScanOptions)}.items()
