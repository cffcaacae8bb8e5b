"""Temperatures, blood pressures and the like, read as words of the lexicon.

Every reading becomes one or more word classes, so that a rule can name 烧39 as it names 胸疼. Thresholds are
those of safety.md §1.1; a hospital changes them in `lexicon.toml`, table `[measures]`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from bot.language.red_flags.words import Found, Span


@dataclass(frozen=True, slots=True)
class Limit:
    """A range of a measured value that rules may name."""

    name: str  # the word class it becomes: 烧39
    kind: (
        str  # 体温 (°C), 高压, 低压 (mmHg), 血糖 (mmol/L), 心率, 血氧 (%), 疼 (0-10), 片, 烧天数, 日龄, 月龄
    )
    least: float
    below: float


_DIGITS = (
    {c: i for i, c in enumerate("零一二三四五六七八九")}
    | {str(i): i for i in range(10)}
    | {"两": 2, "\u3007": 0, "半": 5}
)
_NUMBER = re.compile(r"\d{1,4}(?:\.\d{1,2})?|[零\u3007一二两三四五六七八九十百]{1,7}", re.A)
_PRESSURE = re.compile(
    r"(?<![\d./])(\d{2,3})(?:mmhg)?[/\\、,到比-](\d{2,3})(?![\d./年月日号]|(?:的|多)?[块元天岁周])",
    re.A,
)
_PRESSURE_NAMED = re.compile(r"血压[^,。;!?\d]{0,8}(\d{2,3})[^\d,。;!?]{1,3}(\d{2,3})(?!\d)", re.A)
_OTHER_UNIT = re.compile(
    r"\s*(?:天|周|岁|号|元|块|公斤|斤|kg|cm|厘米|米|%|次|年|个|月|日|分钟|小时|点|床|楼|号|码|mg|毫克|ml|毫升|片|:)",
    re.I,
)
_CLOCK_BEFORE = re.compile(r"[\d:.\-/第]$|年$", re.A)
_DEGREE = re.compile(
    r"\s*(?:度|℃|°c|°|º|摄氏度)\s*(\d(?!\d)|[一二三四五六七八九半](?![十天个次分]))?", re.I | re.A
)
_WARM_PLACE = re.compile(
    r"(?:室温|水温|气温|室内|屋里|空调|外面|天气|室外|近视|散光|远视|角|弯|屈|热水|开水)[^,。;!?]{0,5}$"
)
_FEVER_BEFORE = re.compile(r"(?:体温|烧|热|温度|腋温|耳温|额温|肛温|量了|量的|量着)[^,。;!?\d]{0,5}$", re.A)
_FEVER = re.compile(r"体温|烧|发热|温度")
_SYSTOLIC_BEFORE = re.compile(r"(?:高压|收缩压|上压|血压)[^,。;!?\d]{0,5}$", re.A)
_DIASTOLIC_BEFORE = re.compile(r"(?:低压|舒张压|下压)[^,。;!?\d]{0,5}$", re.A)
_GLUCOSE_BEFORE = re.compile(r"(?:血糖|糖|blood sugar)[^,。;!?\d]{0,6}$|(?:空腹|餐后)[^,。;!?\d]{0,4}$", re.A)
_GLUCOSE_UNIT = re.compile(r"\s*(mg/?dl|mmol)", re.I)
_PULSE_BEFORE = re.compile(r"(?:心率|心跳|脉搏|心律|脉)[^,。;!?\d]{0,6}$", re.A)
_OXYGEN_BEFORE = re.compile(r"(?:血氧|氧饱和度|氧饱和|spo2)[^,。;!?\d]{0,6}$", re.I | re.A)
_PAIN = re.compile(r"(?:疼|疼疼)[^,。;!?\d一二三四五六七八九十]{0,5}$", re.A)
_POINTS = re.compile(r"\s*(?:级疼|分(?!钟|之|左右钟)|级(?!医院))")
_PILLS = re.compile(r"\s*(?:多|来|几)?(?:片|粒|颗)")
_FEVER_DAYS_BEFORE = re.compile(r"烧(?:了|已经|快|有|都|到现在|,)*$")
_POINT = re.compile(r"点([\d一二三四五六七八九])(?![\d十点分])", re.A)
_DAYS = re.compile(r"\s*(?:多)?天")
_AGE = re.compile(
    r"\s*(?:天|个(?P<half>半)?多?(?P<months>月))大?(?:了|的|零\d+天)?(?P<child>宝宝|婴儿|娃|孩子|新生儿|宝贝|小孩|小宝)?",
    re.A,
)
_CHILD_BEFORE = re.compile(
    r"(?:宝宝|婴儿|娃|孩子|出生|新生儿|儿子|女儿|宝贝|小孩|小宝)(?:[才刚有今年了,现在是]*)$"
)
_WINDOW = 14
_MOST = 200  # numbers of a text that are looked at; nobody reports more


def add_measures(text: str, found: Found, limits: Sequence[Limit]) -> None:
    """Add to *found* every measured value of *text* that a limit names."""
    pressures: list[Span] = []
    for span, systolic, diastolic in _pressures(text):
        pressures.append(span)
        _add(found, span, {"高压": systolic, "低压": diastolic}, limits)
    fever = bool(_FEVER.search(text))
    for match in islice(_NUMBER.finditer(text), _MOST):
        if any(start <= match.start() < end for start, end in pressures[-4:]):
            continue
        value = number(match.group())
        point = _POINT.match(text, match.end())
        end = match.end()
        if value is not None and point:
            value, end = value + _DIGITS.get(point[1], 0) / 10, point.end()
        if value is not None:
            for name, reading, last in _readings(text, match.start(), end, value, fever):
                _add(found, (match.start(), last), {name: reading}, limits)


def _add(found: Found, span: Span, values: Mapping[str, float], limits: Sequence[Limit]) -> None:
    for limit in limits:
        value = values.get(limit.kind)
        if value is not None and limit.least <= value < limit.below:
            found.add(limit.name, span)


def _pressures(text: str) -> Iterator[tuple[Span, float, float]]:
    """Blood pressures, the greater number first however they were written."""
    for pattern in (_PRESSURE, _PRESSURE_NAMED):
        for match in islice(pattern.finditer(text), _MOST):
            high, low = sorted((float(match[1]), float(match[2])), reverse=True)
            if 60 <= high <= 300 and 30 <= low <= 200 and high - low >= 10:
                yield match.span(), high, low


def _readings(text: str, start: int, end: int, value: float, fever: bool) -> Iterator[tuple[str, float, int]]:
    before = text[max(0, start - _WINDOW) : start]
    after = text[end : end + 8]
    degrees = _temperature(before, after, value, fever, len(text))
    if degrees:
        yield "体温", degrees[0], end + degrees[1]
    if _SYSTOLIC_BEFORE.search(before):
        # 一百八 is 180, 二百 and 200 are 200; 高压18 is kPa or a slip and says nothing.
        yield "高压", value, end
    if _DIASTOLIC_BEFORE.search(before):
        yield "低压", value, end
    if _GLUCOSE_BEFORE.search(before) and (not _OTHER_UNIT.match(after) or _GLUCOSE_UNIT.match(after)):
        unit = _GLUCOSE_UNIT.match(after)
        in_mg = value > 60 or (unit is not None and unit[1].lower().startswith("mg/"))
        yield "血糖", value / 18 if in_mg else value, end
    if _PULSE_BEFORE.search(before):
        yield "心率", value, end
    if _OXYGEN_BEFORE.search(before):
        yield "血氧", value, end
    if _POINTS.match(after) and _PAIN.search(before):
        yield "疼", value, end
    if _PILLS.match(after):
        yield "片", value, end
    yield from _age(before, after, value, end)
    if _DAYS.match(after) and _FEVER_DAYS_BEFORE.search(before):
        yield "烧天数", value, end


def _age(before: str, after: str, value: float, end: int) -> Iterator[tuple[str, float, int]]:
    """A baby's age: 宝宝25天, 两个半月的宝宝."""
    unit = _AGE.match(after)
    if unit and (unit["child"] or _CHILD_BEFORE.search(before)):
        if unit["months"]:
            yield "月龄", value + (0.5 if unit["half"] else 0), end
        else:
            yield "日龄", value, end


def _temperature(before: str, after: str, value: float, fever: bool, length: int) -> tuple[float, int] | None:
    """Degrees Celsius and how many characters of *after* belong to them."""
    if not 34 <= value < 43 or _CLOCK_BEFORE.search(before) or _WARM_PLACE.search(before):
        return None
    unit = _DEGREE.match(after)
    if unit:
        tenth = unit[1]
        if tenth:
            value += _DIGITS[tenth] / 10
        return value, unit.end()
    if _OTHER_UNIT.match(after):
        return None
    if _FEVER_BEFORE.search(before):
        return value, 0
    if value != int(value) and value >= 37.3 and (fever or length <= 12):
        return value, 0
    return None


def number(text: str) -> float | None:
    """`38.5`, `三十八`, `一百八` (180, as people say it). None for what is no number."""
    if text[0].isdigit() and text[0].isascii():
        return float(text)
    total, digit, last = 0, 0, 1
    for character in text:
        if character == "百":
            total, digit, last = total + (digit or 1) * 100, 0, 100
        elif character == "十":
            total, digit, last = total + (digit or 1) * 10, 0, 10
        elif character in "零\u3007":
            last = 1
        else:
            digit = _DIGITS[character]
    if digit:
        total += digit * (last // 10 if last == 100 else 1)
    return float(total)
