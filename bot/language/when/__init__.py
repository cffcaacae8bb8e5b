"""Dates and times in a text, relative to an injected moment.

Text is cut into time words (tokens), put together by a grammar (nodes), and resolved against the
present and the Chinese calendar (places). 下周三 is Wednesday of the next calendar week; a bare
month, day or weekday is the next one to come; ends are exclusive.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, tzinfo

from bot.language.meaning import When
from bot.language.when.grammar import Phrase, phrases
from bot.language.when.nodes import Beside
from bot.language.when.places import Place
from bot.language.when.resolve import Resolver
from bot.language.when.words import Kind

__all__ = ["main_when", "read_when"]

_READ_AT_MOST = 2000  # characters; longer texts are read for danger only
_AT_MOST = 20  # expressions in one message

# 周五做的检查, 三号出院的, 8月开的药: a bare day followed by what was done then lies in the past.
_DONE = re.compile(
    r"[^,，。;；!！?？]{0,6}?(?:做|拍|查|抽|开|看|住院|入院|出院|手术|打|输|切|取|拆|拔|生|摔|扭|伤|烧|疼|痛|吐|晕|缴费|交费|就诊|化验)"
    r"(?:[完好]?了|过|的(?!话))|(?:就)?开始(?:发烧|疼|痛|拉|吐|咳|晕|出血|不舒服|难受)"
)


def read_when(text: str, now: datetime) -> tuple[When, ...]:
    """The dates and times named in normalised *text*, in its order.

    *now* is aware and in the hospital's zone, and so are the results. Never raises for any text.
    """
    zone, present = now.tzinfo, now.replace(tzinfo=None, microsecond=0)
    lower = _lower(text[:_READ_AT_MOST])
    found: list[When] = []
    for phrase in phrases(lower, _AT_MOST):
        if place := _resolve(phrase, lower, present):
            when = _when(place, present, zone, text[phrase.start : phrase.end])
            before = isinstance(phrase.node, Beside) and phrase.node.side is Kind.BEFORE
            found.append(replace(when, deadline=True) if before and when.end else when)
    return tuple(found)


def _lower(text: str) -> str:
    """Lower case without a change of length, so that places stay the same (İ would become two)."""
    lower = text.lower()
    return lower if len(lower) == len(text) else "".join(c.lower()[0] for c in text)


def main_when(found: Sequence[When]) -> When | None:
    """The one a message is about when it names several.

    What lies ahead comes before a deadline, both before the past, and 现在 and 最近 last; of equals the
    first said.
    """
    return min(found, key=_standing, default=None)


def _standing(when: When) -> int:
    if when.grain in ("second", "recent"):
        return 3
    return 2 if when.past else int(when.deadline)


def _resolve(phrase: Phrase, text: str, now: datetime) -> Place | None:
    backwards = _DONE.match(text, phrase.end) is not None
    try:
        place = Resolver(now, backwards=backwards).place(phrase.node)
    except (ValueError, OverflowError, IndexError):
        return None  # 2月30日, the year 99999, the fifth Monday of a month with four
    return place if place.reach >= place.start else None  # 明天至今


def _when(place: Place, now: datetime, zone: tzinfo | None, text: str) -> When:
    def aware(moment: datetime | None) -> datetime | None:
        return None if moment is None else moment.replace(tzinfo=zone)

    end = None if place.moment else place.end
    return When(
        start=place.start.replace(tzinfo=zone),
        end=aware(end),
        grain=place.grain,
        text=text,
        time_only=place.time_only,
        past=place.end is not None and place.end <= now and place.start < now and not place.time_only,
        others=tuple((start.replace(tzinfo=zone), aware(other)) for start, other in place.others),
    )
