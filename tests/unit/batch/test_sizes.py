import pytest

from guidegen.batch.sizes import bytes_of
from guidegen.errors import InputError


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("4GB", 4_000_000_000),
        (" 4 gb ", 4_000_000_000),
        ("500MiB", 500 * 2**20),
        ("1.5G", 1_500_000_000),
        ("2TB", 2_000_000_000_000),
        ("200MB", 200_000_000),
    ],
)
def test_amounts(text, wanted):
    assert bytes_of(text) == wanted


@pytest.mark.parametrize(
    "text", ["", "4", "GB", "-4GB", "4 XB", "nan GB", "4IB", "9" * 400 + "GB", "1e3GB", "4GB4"]
)
def test_what_is_no_amount(text):
    with pytest.raises(InputError, match="an amount like 4GB"):
        bytes_of(text)


@pytest.mark.parametrize("text", ["0GB", "199MB"])
def test_less_than_any_case_needs(text):
    with pytest.raises(InputError, match="at least 200MB"):
        bytes_of(text)
