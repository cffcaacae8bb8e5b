"""Filling a platform template: our facts cut and shaped to what each key's type allows, never empty.

Source: developers.weixin.qq.com, 类目模板消息, 参数值内容限制说明, read 2026-11-22. A value that breaks its key's rule
is refused (47003) or cut, depending on the template's family.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

KEY = re.compile(r"([a-z_]+?)\d+")
SPACES = re.compile(r"\s+")
_CLOCK = r"(?:[01]\d|2[0-3]):[0-5]\d"
_DAY = r"\d{4}(?:年\d{1,2}月\d{1,2}日|-\d{1,2}-\d{1,2})"
_TIME = rf"(?:{_DAY} ?)?{_CLOCK}"
TIME = re.compile(rf"(?<!\d){_TIME}(?: ?~ ?{_TIME})?(?!\d)", re.ASCII)
DATE = re.compile(rf"(?<!\d){_DAY}(?: ?{_CLOCK})?(?!\d)", re.ASCII)

THING: Final = 20  # characters
NAME: Final = (10, 20)  # Chinese characters, Latin letters
NOTHING: Final = "请查看公众号消息"  # stands where a fact is missing: an empty value is refused


def fill(
    fields: Mapping[str, str], facts: Mapping[str, Any], zone: ZoneInfo, now: datetime
) -> dict[str, str]:
    """The template's keys and their values. *fields* says which of our facts stands in which key."""
    return {key: value_of(key, facts.get(fact), zone, now) for key, fact in fields.items()}


def value_of(key: str, fact: Any, zone: ZoneInfo, now: datetime) -> str:
    """One value, shaped for its key: `thing1`, `time2`, `phone_number5`, …"""
    found = KEY.fullmatch(key)
    kind = found[1] if found else key
    if kind in ("time", "date"):
        return _moment(kind, fact, zone, now)
    text = SPACES.sub(" ", _plain(fact, zone)).strip()
    shaped = SHAPES.get(kind, _as_it_is)(text)
    return shaped or FALLBACKS.get(kind, NOTHING)


def _plain(fact: Any, zone: ZoneInfo) -> str:
    if fact is None:
        return ""
    if isinstance(fact, datetime):
        local = fact.astimezone(zone)
        return f"{local.month}月{local.day}日 {local:%H:%M}"
    return str(fact)


def _moment(kind: str, fact: Any, zone: ZoneInfo, now: datetime) -> str:
    """A moment in the platform's spelling. Without one the letter's own, the present, stands there."""
    moment = _read_moment(fact)
    if moment is None:
        written = (TIME if kind == "time" else DATE).search(SPACES.sub(" ", str(fact or "")))
        if written:
            return written[0].strip()
        moment = now
    local = (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(zone)
    day = f"{local.year:04}年{local.month}月{local.day}日"
    if kind == "date" and (local.hour, local.minute) == (0, 0):
        return day
    return f"{day} {local:%H:%M}"


def _read_moment(fact: Any) -> datetime | None:
    if isinstance(fact, datetime):
        return fact
    try:
        return datetime.fromisoformat(str(fact))
    except ValueError:
        return None


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _name(text: str) -> str:
    text = re.sub(r"[\d]", "", text)
    latin = text.isascii()
    return text[: NAME[1] if latin else NAME[0]].strip()


def _number(text: str) -> str:
    found = re.search(r"-?\d+(\.\d+)?", text)
    return found[0][:32] if found else ""


def _amount(text: str) -> str:
    found = re.search(r"\d{1,10}(\.\d{1,2})?", text.replace(",", ""))
    return f"{found[0]}元" if found else ""


def _as_it_is(text: str) -> str:
    return _cut(text, THING)


SHAPES: Final[Mapping[str, Callable[[str], str]]] = {
    "thing": _as_it_is,
    "name": _name,
    "number": _number,
    "amount": _amount,
    "letter": lambda text: re.sub(r"[^A-Za-z]", "", text)[:32],
    "symbol": lambda text: re.sub(r"[\w\s]", "", text)[:5],
    "character_string": lambda text: re.sub(r"[^\x21-\x7e]", "", text)[:32],
    "phone_number": lambda text: re.sub(r"[^\d+\-]", "", text)[:17],
    "car_number": lambda text: text[:8],
    "phrase": lambda text: re.sub(r"[^\u4e00-\u9fff]", "", text)[:5],
    "enum": lambda text: text[:20],
    "const": lambda text: text[:20],
}

FALLBACKS: Final[Mapping[str, str]] = {
    "name": "患者",
    "number": "1",
    "amount": "0元",
    "letter": "A",
    "symbol": "-",
    "character_string": "-",
    "phone_number": "120",
    "car_number": "-",
    "phrase": "待查看",
}
