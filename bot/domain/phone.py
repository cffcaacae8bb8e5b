"""Telephone numbers, written one way, so that two spellings of one number are equal."""

from __future__ import annotations

import re

_SEPARATORS = re.compile(r"[\s\-‐-―().（）]")  # noqa: RUF001  people write them all
_MAINLAND = re.compile(r"1[3-9]\d{9}|0\d{9,11}|[2-9]\d{6,7}", re.ASCII)  # mobile, with area code, local
_ABROAD = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)  # E.164


def normal_phone(text: str) -> str | None:
    """`+86 138-0000-0001` and `13800000001` are both 13800000001; None when it is no telephone number.

    Numbers of other countries keep their `+`.
    """
    number = _SEPARATORS.sub("", text.strip())
    if number.startswith("00"):
        number = "+" + number[2:]
    if number.startswith("+86"):
        number = number[3:]
    elif len(number) == 13 and number.startswith("861"):
        number = number[2:]
    if _MAINLAND.fullmatch(number) or _ABROAD.fullmatch(number):
        return number
    return None
