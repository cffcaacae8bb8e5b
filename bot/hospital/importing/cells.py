"""What may stand in a cell, and what it becomes."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from bot.domain.phone import normal_phone

LONGEST = 10_000  # characters in a cell
LONGEST_CODE = 200  # and in one that is looked up

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_CONTROL_IN_LINES = re.compile(r"(?!\r\n)[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # line breaks and tabs may be
_FORMULA = {"=": "=", "+": "+", "-": "-", "@": "@", "\t": "a tab", "\r": "a carriage return"}
_INTEGER = re.compile(r"[+-]?\d{1,15}", re.ASCII)
_AMOUNT = re.compile(r"(\d{1,12})(?:\.(\d{1,2}))?", re.ASCII)
_DATE = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ]00:00(?::00)?)?", re.ASCII)  # a workbook's may have a midnight
_TIME = re.compile(r"\d\d?:\d\d(?::\d\d)?", re.ASCII)
_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:?\d\d)?)?", re.ASCII
)
_NUMBER = re.compile(r"-\d+(?:\.\d+)?", re.ASCII)

Reader = Callable[[str, ZoneInfo], Any]


class BadCell(Exception):
    """What is wrong with a cell, in a few words."""


def safe(cell: str) -> str:
    """A text that no spreadsheet will take for a formula, without spaces around it."""
    if (sign := _FORMULA.get(cell[0])) is not None:
        raise BadCell(f"text begins with {sign}")
    cell = cell.strip(" \u3000")
    if cell and (sign := _FORMULA.get(cell[0])) is not None:
        raise BadCell(f"text begins with {sign}")
    return cell


def line(cell: str, _zone: ZoneInfo) -> str:
    """A text of one line."""
    text = safe(cell)
    if _CONTROL.search(text):
        raise BadCell("control character")
    return text


def lines(cell: str, _zone: ZoneInfo) -> str:
    """A text that may have line breaks."""
    text = safe(cell)
    if _CONTROL_IN_LINES.search(text):
        raise BadCell("control character")
    return text


def code(cell: str, zone: ZoneInfo) -> str:
    """A key or a reference."""
    if len(cell) > LONGEST_CODE:
        raise BadCell(f"over {LONGEST_CODE} characters")
    return line(cell, zone)


def listing(cell: str, zone: ZoneInfo) -> str:
    """Texts separated by |, without empty ones."""
    return "|".join(part for part in (safe(part) for part in line(cell, zone).split("|") if part) if part)


def measured(cell: str, zone: ZoneInfo) -> str:
    """A result: text, or a number, which alone may be negative."""
    return cell if _NUMBER.fullmatch(cell) else lines(cell, zone)


def identity_number(cell: str, zone: ZoneInfo) -> str:
    """An identity card's or passport's number; X is written large."""
    return line(cell, zone).replace(" ", "").upper()


def phone(cell: str, _zone: ZoneInfo) -> str:
    """A telephone number, written one way."""
    number = normal_phone(cell)
    if number is None:
        raise BadCell("not a telephone number")
    return number


def one_of(*words: str) -> Reader:
    """One of these words."""
    allowed = frozenset(words)
    reason = f"not one of {', '.join(words)}"

    def read(cell: str, _zone: ZoneInfo) -> str:
        if cell not in allowed:
            raise BadCell(reason)
        return cell

    return read


def flag(cell: str, _zone: ZoneInfo) -> bool:
    """0 or 1."""
    if cell not in ("0", "1"):
        raise BadCell("not 0 or 1")
    return cell == "1"


def whole(lowest: int, highest: int) -> Reader:
    """A whole number within limits."""

    def read(cell: str, _zone: ZoneInfo) -> int:
        if not _INTEGER.fullmatch(cell):
            raise BadCell("not a whole number")
        number = int(cell)
        if not lowest <= number <= highest:
            raise BadCell(f"not between {lowest} and {highest}")
        return number

    return read


def amount(cell: str, _zone: ZoneInfo) -> int:
    """Yuan with at most two decimals; in cents."""
    return yuan(cell)


def yuan(cell: str) -> int:
    """The same, for an amount inside another text."""
    found = _AMOUNT.fullmatch(cell)
    if not found:
        raise BadCell("not an amount in yuan: digits, and at most two decimals after a point")
    yuan, decimals = found.groups()
    return int(yuan) * 100 + int((decimals or "").ljust(2, "0"))


def day(cell: str, _zone: ZoneInfo) -> date:
    """A date, YYYY-MM-DD."""
    found = _DATE.fullmatch(cell)
    if not found:
        raise BadCell("not a date YYYY-MM-DD")
    try:
        return date.fromisoformat(found[1])
    except ValueError:
        raise BadCell("no such date") from None


def clock(cell: str, _zone: ZoneInfo) -> time:
    """A time of day, HH:MM."""
    if not _TIME.fullmatch(cell):
        raise BadCell("not a time HH:MM")
    try:
        return time.fromisoformat(cell.zfill(5) if cell.count(":") == 1 else cell.zfill(8))
    except ValueError:
        raise BadCell("no such time") from None


def moment(cell: str, zone: ZoneInfo) -> datetime:
    """A date and time, YYYY-MM-DDTHH:MM, local to the hospital unless it has an offset."""
    if len(cell) <= 10:
        raise BadCell("not a time YYYY-MM-DDTHH:MM")
    return moment_or_day(cell, zone)


def moment_or_day(cell: str, zone: ZoneInfo) -> datetime:
    """The same; a date alone is its first moment."""
    if not _MOMENT.fullmatch(cell):
        raise BadCell("not a time YYYY-MM-DDTHH:MM")
    try:
        read = datetime.fromisoformat(cell)
        return (read if read.tzinfo else read.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadCell("no such time") from None
