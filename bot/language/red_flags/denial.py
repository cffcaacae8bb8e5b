"""Signs that are named and not there: inside another word, or denied (trigger, scope, terminator, as in NegEx)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.language.red_flags.sign import Text
from bot.language.red_flags.words import Found, Span

_MASKS = {"成语": "idiom", "地点": "place", "物品": "object", "词中": "object"}
# 排队排的我要死了, 卡的我要吐血: how much, not what; but 疼的我要晕 is meant.
_SO_MUCH = re.compile(r"(?<![疼憋喘闷晕吐烧])的(?:我|人|他)?(?:都|快|就|差点)?(?:要|想)?$")
_EXAGGERATED = re.compile(r"(?:我|人|他)?(?:都|快|就)?要死|吐血|晕|昏|窒息|断气|瘫")
_REACH = 20  # characters between a negation and the last sign of its list


def masked(text: Text, spans: tuple[Span, ...]) -> str | None:
    """Why one of the matched words is part of another, harmless one: idiom, place, object."""
    for kind, why in _MASKS.items():
        if kind in text.found:
            for span in spans:
                cover = text.found.covered(kind, span)
                if cover and cover != span:
                    return why
    start = spans[0][0]
    before = text.text[max(0, start - 6) : start]
    if _SO_MUCH.search(before) and _EXAGGERATED.match(text.text, start):
        return "idiom"
    return None


def negated(text: Text, spans: tuple[Span, ...]) -> bool:
    """The sign is denied in its clause, before it or between its words."""
    if "否定" not in text.found:
        return False
    start = text.breaks.clause_of(spans[0][0])[0]
    return any(_denies(text, low, high) for low, high in _stretches(start, spans))


def _stretches(start: int, spans: tuple[Span, ...]) -> Iterator[Span]:
    """What stands before the first and between the matched words."""
    for low, high in spans:
        if start < low:
            yield start, low
        start = max(start, high)


def _denies(text: Text, start: int, end: int) -> bool:
    """A negation in [start, end) reaches its end."""
    found = text.found
    for negation in reversed(found.within("否定", max(start, end - _REACH), end)):
        if not _shielded(found, negation) and _passes(text, negation[1], end):
            double = found.within("双重否定", start, end)
            return not any(d[0] <= negation[0] and negation[1] <= d[1] + 1 for d in double)
    return False


def _shielded(found: Found, negation: Span) -> bool:
    """The 不 or 没 belongs to a longer word that denies nothing: 不舒服, 不停, 喘不上气."""
    longer = found.covered("非否定", negation)
    return longer is not None and longer != negation


def _passes(text: Text, start: int, end: int) -> bool:
    """Only filler and other signs of the same list lie between the negation and the sign."""
    if not text.text[start:end].strip():
        return True
    if text.found.first("转折", start, end):
        return False
    covered = start
    for low, high in text.found.within("否定填充", start, end):
        if low > covered and text.text[covered:low].strip():
            return False
        covered = max(covered, high)
    return not text.text[covered:end].strip()
