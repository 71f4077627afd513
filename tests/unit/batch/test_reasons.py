import pytest

from guidegen.batch.reasons import kind_of_reason


def test_numbers_and_advice_are_left_out():
    told = "slices 41 and 42 are 7.5 mm apart, expected 1.25 mm: export it again"
    assert kind_of_reason(told) == "slices … and … are … mm apart, expected … mm"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("min_wall of guides/L3.stl is 1.2, wanted at least 2 mm", "-0.7 T12 3"),
        ("bore_axis of L3_left is 0.3, wanted at most 0.05 mm", "L4_left"),
        ("levels L1, L2, L3 are cut off", "levels T4 are cut off"),
        ("overlap of a is 3, wanted at most 0 mm3, and 2 more", "and 11 more"),
    ],
)
def test_cases_that_differ_in_numbers_and_names_are_one_kind(one, other):
    told = {
        "-0.7 T12 3": "min_wall of guides/T12.stl is -0.7, wanted at least 3 mm",
        "L4_left": "bore_axis of L4_left is 0.6, wanted at most 0.05 mm",
        "and 11 more": "overlap of a is 8, wanted at most 0 mm3, and 11 more",
    }.get(other, other)
    assert kind_of_reason(one) == kind_of_reason(told)


def test_other_reasons_are_other_kinds():
    assert kind_of_reason("no bone was found") != kind_of_reason("no spine was found")
    assert kind_of_reason("bore of L3_left is 1 mm") != kind_of_reason("bore of L3_right is 1 mm")


def test_nothing_is_said_to_be_nothing():
    assert kind_of_reason("") == "no reason given"
