"""Words of a broadcast that differ from person to person: `{称呼|您}好，…`.

Every variable has a fallback, for people of whom we do not know the value. What one call to a platform brings to many
(群发) has the same words for all, so there everybody reads the fallbacks.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from bot.domain.names import surname
from bot.domain.patient import Patient

# Braces and bar as a Chinese keyboard writes them, too: U+FF5B, U+FF5D, U+FF5C.
WRITTEN: Final = re.compile(
    r"[{\uff5b]([^{}\uff5b\uff5d|\uff5c]*)(?:[|\uff5c]([^{}\uff5b\uff5d]*))?[}\uff5d]"
)
BRACE: Final = re.compile(r"[{}\uff5b\uff5d]")
LONGEST_VALUE: Final = 60  # bytes; a longer name is not put into a sentence
GROWN_UP: Final = 18
TITLES: Final = {"M": "先生", "F": "女士"}
SURE: Final = 2  # from this level on we know that the reader is the patient


@dataclass(frozen=True, slots=True)
class Addressed:
    """Who is meant, and who reads it."""

    patient: Patient
    relation: str = "self"  # what the patient is to the reader
    level: int = SURE


def _salutation(who: Addressed, today: date) -> str:
    """王女士: only where the patient reads it, grown up, and we know which title is right."""
    patient, age = who.patient, who.patient.age(today)
    title = TITLES.get(patient.sex, "")
    if who.relation != "self" or not title or patient.name.isascii() or age is None or age < GROWN_UP:
        return ""
    return surname(patient.name) + title


def _name(who: Addressed, _today: date) -> str:
    return who.patient.name if who.relation == "self" and who.level >= SURE else who.patient.masked_name


VARIABLES: Final[Mapping[str, Callable[[Addressed, date], str]]] = {"称呼": _salutation, "姓名": _name}


def has_any(text: str) -> bool:
    """Whether the words differ from person to person."""
    return WRITTEN.search(text) is not None


def faults(text: str) -> list[str]:
    """What is wrong with the variables, in the staff's words."""
    found = []
    for written in WRITTEN.finditer(text):
        name, fallback = _plain(written[1]), _fallback(written)
        if name not in VARIABLES:
            found.append(f"没有变量“{written[0]}”，可用的有：{'、'.join(VARIABLES)}")
        elif not fallback:
            found.append(f"变量“{written[0]}”缺少备用词，例如{{{name}|您}}")
    if BRACE.search(WRITTEN.sub("", text)):
        found.append("花括号不成对")
    return found


def same_for_all(text: str) -> str:
    """The text with nothing but fallbacks."""
    return WRITTEN.sub(_fallback, text)


def for_one(text: str, who: Addressed, today: date) -> str:
    """The text as this person reads it."""

    def value(written: re.Match[str]) -> str:
        known = VARIABLES[_plain(written[1])](who, today)
        if not known or len(known.encode()) > LONGEST_VALUE or BRACE.search(known):
            return _fallback(written)
        return known

    return WRITTEN.sub(value, text)


def longest(text: str) -> int:
    """The most bytes that anybody's text may have."""
    return len(same_for_all(text).encode()) + sum(
        max(0, LONGEST_VALUE - len(_fallback(written).encode())) for written in WRITTEN.finditer(text)
    )


def _plain(written: str) -> str:
    return unicodedata.normalize("NFKC", written).strip()


def _fallback(written: re.Match[str]) -> str:
    return (written[2] or "").strip()
