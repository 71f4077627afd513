"""Settings of the knee that contradict each other are refused before anything is planned."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from guidegen.errors import InputError
from guidegen.export.settings import make_settings
from guidegen.procedures.knee.settings import KneeSettings


@pytest.mark.parametrize(
    ("guide", "words"),
    [
        ({"pin_diameter_mm": 5.0}, "set sleeve_outer_mm to 10.2 or more"),
        ({"sleeve_outer_mm": 8.0}, "wall of 2.3 mm round a bore of 3.4 mm"),
        ({"min_wall_mm": 4.0}, "set sleeve_outer_mm to 11.4 or more"),
        ({"slot_wall_mm": 3.0, "min_wall_mm": 3.2}, "slot_wall_mm 3 is less"),
        ({"slot_end_mm": 3.5, "min_wall_mm": 3.6, "sleeve_outer_mm": 12.0}, "slot_end_mm 3.5"),
        ({"body_thickness_mm": 3.5, "slot_end_mm": 6.0, "min_wall_mm": 3.6,
          "sleeve_outer_mm": 12.0}, "body_thickness_mm 3.5"),
    ],
)  # fmt: skip
def test_walls_that_would_be_thinner_than_the_smallest_are_refused(guide, words):
    """The guide would be made for minutes and then fail its check."""
    with pytest.raises(ValidationError, match=words):
        KneeSettings(guide=guide)


def test_the_sentence_says_what_to_set():
    with pytest.raises(InputError) as error:
        make_settings(KneeSettings, {"guide": {"pin_diameter_mm": 5.0}}, "k.toml")
    said = str(error.value)
    assert said.startswith("k.toml: guide: sleeve_outer_mm 10 leaves")
    assert said.endswith("set sleeve_outer_mm to 10.2 or more")


@pytest.mark.parametrize(
    "guide",
    [{}, {"pin_diameter_mm": 5.0, "sleeve_outer_mm": 11.0}, {"pin_diameter_mm": 2.0}],
)
def test_walls_that_are_thick_enough_are_taken(guide):
    assert KneeSettings(guide=guide).guide.min_wall_mm == 2.5
