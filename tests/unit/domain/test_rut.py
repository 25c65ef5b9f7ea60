"""RUTs are recognised however they are written, and wrong ones aren't."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.rut import InvalidRut, canonical_shape, check_digit, is_valid, normalise, split


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("76900101-8", "76900101-8"),
        ("76.900.101-8", "76900101-8"),
        ("076900101-8", "76900101-8"),
        (" 60803000-k ", "60803000-K"),
        ("66666666-6", "66666666-6"),
        ("97975000-5", "97975000-5"),
        ("100000-4", "100000-4"),
    ],
)
def test_canonical_form(written: str, canonical: str) -> None:
    assert normalise(written) == canonical


@pytest.mark.parametrize(
    "written",
    [
        "",
        "76900101",
        "76900101-9",
        "76,900,101-8",
        "76.9001.01-8",
        "99999-9",
        "100000000-0",
        "7690010l-8",
        "٣-٣",
        "1" * 5000 + "-1",
    ],
)
def test_what_is_no_rut(written: str) -> None:
    assert not is_valid(written)
    with pytest.raises(InvalidRut):
        normalise(written)


def test_shape_alone_keeps_a_wrong_digit() -> None:
    assert canonical_shape("76.900.101-9") == "76900101-9"


@settings(deadline=None)
@given(st.integers(100_000, 99_999_999))
def test_only_one_check_digit_belongs_to_a_body(body: int) -> None:
    right = [digit for digit in "0123456789K" if is_valid(f"{body}-{digit}")]
    assert right == [check_digit(body)]
    assert split(f"{body}-{right[0]}") == (str(body), right[0])
