"""Whole numbers as Chinese people write them: 二〇二六, 廿三, 两千零五, 一百二, 壹佰, 3万5, 两三, 十几."""

from __future__ import annotations

import re
from dataclasses import dataclass

_DIGITS = {
    c: n
    for n, chars in enumerate(
        ("〇零○", "一壹幺", "二贰两俩", "三叁仨", "四肆", "五伍", "六陆", "七柒", "八捌", "九玖")
    )
    for c in chars
}
_UNITS = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
_TENS = {"廿": 20, "卅": 30}
_SECTIONS = {"万": 10**4, "亿": 10**8}

_D = "[" + "".join(_DIGITS) + "]"
_NONZERO = "[" + "".join(c for c, n in _DIGITS.items() if n) + "]"
_ZERO = "[〇零○]"
_ONE_TO_9999 = rf"(?:{_NONZERO}[千仟])?{_ZERO}?(?:{_NONZERO}[百佰])?{_ZERO}?(?:(?:{_NONZERO}?[十拾]|[廿卅]){_NONZERO}?|{_NONZERO})?"

HAN_NUMERAL = re.compile(rf"{_D}{{2,12}}(?![十拾百佰千仟])|{_ONE_TO_9999}|{_D}")
"""The longest well-formed numeral under 10,000 at a place: 十五五点 gives 十五. May match nothing."""

_WHOLE = re.compile(rf"[\d{''.join(_DIGITS)}{''.join(_UNITS)}廿卅万亿]{{1,30}}")

VAGUE = (3, 7)  # 几: a few


@dataclass(frozen=True, slots=True)
class Count:
    """A number, or the bounds of a vague one: 两三 is 2 to 3, 十几 is 11 to 19."""

    low: int
    high: int


def parse_numeral(text: str) -> int | None:
    """The whole number that all of *text* says, or None. Digits may be of any script or width."""
    if not _WHOLE.fullmatch(text):
        return None
    if text.isdecimal():
        return int(text)
    if all(c in _DIGITS or c.isdecimal() for c in text):
        return int("".join(str(_digit(c)) for c in text))
    return _with_units(text)


def parse_count(text: str) -> Count | None:
    """Like `parse_numeral`, and vague numbers too: 几, 两三, 十几, 二十五六, 三四十."""
    if text == "几":
        return Count(*VAGUE)
    if match := re.fullmatch(rf"({_D}?)[十拾]几", text):
        tens = 10 * (_DIGITS[match[1]] if match[1] else 1)
        return Count(tens + 1, tens + 9)
    if match := re.fullmatch(r"几([十百千万])", text):
        unit = _UNITS.get(match[1], 10**4)
        return Count(2 * unit, 10 * unit - 1)
    if match := re.fullmatch(rf"(.*?)({_NONZERO})({_NONZERO})([十百千万]?)", text):
        low, high = _DIGITS[match[2]], _DIGITS[match[3]]
        if _neighbours(low, high) and (not match[1] or match[1][-1] in "十拾廿卅百千"):
            bounds = [parse_numeral(match[1] + digit + match[4]) for digit in match.group(2, 3)]
            if bounds[0] is not None and bounds[1] is not None:
                return Count(bounds[0], bounds[1])
    exact = parse_numeral(text)
    return None if exact is None else Count(exact, exact)


def _neighbours(low: int, high: int) -> bool:
    return high == low + 1 or (low, high) == (3, 5)


def _digit(char: str) -> int:
    return int(char) if char.isdecimal() else _DIGITS[char]


def _with_units(text: str) -> int | None:
    total = section = 0
    number: int | None = None
    last_unit = 10**9  # units fall from left to right within a section
    last_section = 10**12
    zero = False
    for char in text:
        if char in _DIGITS or char.isdecimal():
            digit = _digit(char)
            if number and not char.isdecimal():
                return None
            number = (number or 0) * 10 + digit
            zero = digit == 0
        elif char in _TENS:
            if number or last_unit <= 10:
                return None
            section, number, last_unit = section + _TENS[char], None, 10
        elif char in _UNITS:
            unit = _UNITS[char]
            if unit >= last_unit or (number is None and unit != 10):
                return None
            section, number, last_unit = section + (number or 1) * unit, None, unit
        else:
            size = _SECTIONS[char]
            if size >= last_section or not (section or number):
                return None
            total, last_section = total + (section + (number or 0)) * size, size
            section, number, last_unit = 0, None, 10**4
    if number is not None and number < 10 and not zero and text[-2:-1] in "百佰千仟万亿" and len(text) > 1:
        number *= (_UNITS.get(text[-2]) or _SECTIONS[text[-2]]) // 10  # 一百二 is 120, 一万二 is 12,000
    return total + section + (number or 0)
