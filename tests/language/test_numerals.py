"""Numbers in every script patients write them in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.language.numerals import Count, parse_count, parse_numeral

DIGITS = "零一二三四五六七八九"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0), ("零", 0), ("〇", 0), ("7", 7), ("七", 7), ("两", 2), ("俩", 2), ("仨", 3), ("十", 10), ("十五", 15),
        ("一十五", 15), ("二十", 20), ("廿三", 23), ("卅一", 31), ("九十九", 99), ("一百", 100), ("一百零二", 102),
        ("一百二", 120), ("两百五", 250), ("二百五十", 250), ("一千零一", 1001), ("两千零五", 2005), ("三千五", 3500),
        ("一万二", 12_000), ("两万五千", 25_000), ("十二万三千四百五十六", 123_456), ("一百二十万零五", 1_200_005),
        ("一亿", 100_000_000), ("壹佰贰拾叁", 123), ("伍仟", 5000), ("二〇二六", 2026), ("一九九八", 1998), ("3万5", 35_000),
        ("１２", 12), ("٣", 3), ("1百", 100), ("2千", 2000),
    ],
)  # fmt: skip
def test_a_whole_number_is_read(text: str, number: int) -> None:
    assert parse_numeral(text) == number


@pytest.mark.parametrize(
    "text", ["", "十十", "百", "千百", "一百百", "三点五", "1.5", "两三天", "几", "abc", "一 二", "万", "²"]
)
def test_what_is_no_whole_number_is_not_read(text: str) -> None:
    assert parse_numeral(text) is None


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [("两三", 2, 3), ("三五", 3, 5), ("七八", 7, 8), ("十几", 11, 19), ("二十几", 21, 29), ("十二三", 12, 13),
     ("二十五六", 25, 26), ("三四十", 30, 40), ("几十", 20, 99), ("几", 3, 7), ("十", 10, 10), ("12", 12, 12)],
)  # fmt: skip
def test_a_vague_number_has_two_bounds(text: str, low: int, high: int) -> None:
    assert parse_count(text) == Count(low, high)


def in_han(number: int) -> str:
    """A number below 10,000 the way it is said."""
    said, zero = "", False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, number = divmod(number, unit)
        if digit:
            said += ("零" if zero else "") + DIGITS[digit] + name
        zero = bool(said) and not digit
    return said


@given(number=st.integers(1, 9999))
def test_every_number_is_read_back_as_it_is_said(number: int) -> None:
    assert parse_numeral(in_han(number)) == number


@given(number=st.integers(10, 99_999))
def test_every_number_is_read_back_digit_by_digit(number: int) -> None:
    assert parse_numeral("".join(DIGITS[int(digit)] for digit in str(number))) == number


@given(text=st.text(max_size=40))
def test_no_text_is_an_error(text: str) -> None:
    parse_numeral(text)
    parse_count(text)
