"""Is the danger sign that stands in the text meant, and is it happening?

Words alone do not tell: 没有胸痛, 去年心梗, 如果发烧, 吐血的原因是什么 name danger and mean none. Each
reading below looks for one such reason around the matched words and gives evidence in points, for or against. The
vocabulary is data (`lexicon/scopes.toml`); the reach of each word is decided here (trigger, scope and
terminator, after NegEx and ConText).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.language.red_flags.patterns import Breaks
from bot.language.red_flags.words import Found, Span

_CLAUSE_END = re.compile(r"[,。;!?~ …\n]|\.(?!\d)")
_SENTENCE_END = re.compile(r"[。;!?\n]|\.(?!\d)")
_LIST = re.compile(r"[、和或及与跟也还有又没无不,/ ]{0,4}")
_BARE_LENGTH = 14  # a message this short without person or time is a search query


@dataclass(frozen=True, slots=True)
class Evidence:
    """One reason for (points > 0) or against it."""

    why: str
    points: float


@dataclass(frozen=True, slots=True)
class Text:
    """A folded text with all its known words and its breaks."""

    text: str
    found: Found
    breaks: Breaks

    @classmethod
    def of(cls, text: str, found: Found) -> Text:
        clauses = sorted({m.start() for m in _CLAUSE_END.finditer(text)})
        sentences = tuple(m.start() for m in _SENTENCE_END.finditer(text))
        return cls(text, found, Breaks(tuple(clauses), sentences))

    def clause(self, at: int) -> Span:
        start, end = self.breaks.clause_of(at)
        return start, min(end, len(self.text))

    def sentence(self, at: int) -> Span:
        start, end = self.breaks.sentence_of(at)
        return start, min(end, len(self.text))

    def bare(self, span: Span) -> bool:
        """Nothing but the sign and a question: what one types into a search field."""
        return len(self.text) - (span[1] - span[0]) <= _BARE_LENGTH and not (
            "人物" in self.found or "现在" in self.found or "近日" in self.found or "正在" in self.found
        )


def masked(text: Text, spans: tuple[Span, ...]) -> str | None:
    """Why one of the matched words is part of another, harmless one: idiom, place, object…"""
    for span in spans:
        for kind in ("成语", "地点", "物品", "词中"):
            if text.found.covered(kind, span):
                return _MASKS[kind]
    return None


_MASKS = {"成语": "idiom", "地点": "place", "物品": "object", "词中": "object"}


def negated(text: Text, spans: tuple[Span, ...], denied: set[Span]) -> bool:
    """The sign is denied. *denied* are the signs denied before it in the text, for 没有胸痛、发烧."""
    start = spans[0][0]
    clause = text.clause(start)
    for low, high in _stretches(clause[0], spans):
        if _denies(text, low, high):
            return True
    before = [d for d in denied if d[1] <= start and start - d[1] <= 4]
    return any(_same_list(text.text[d[1] : start]) for d in before)


def _stretches(start: int, spans: tuple[Span, ...]) -> Iterator[Span]:
    """What stands before the first and between the matched words."""
    for low, high in spans:
        if start < low:
            yield start, low
        start = max(start, high)


def _same_list(between: str) -> bool:
    return "、" in between or between in (
        "和",
        "或",
        "及",
        "与",
        "或者",
        "以及",
        "也没",
        "也不",
        "也没有",
        "没",
        "不",
        "没有",
        "/",
    )


def _denies(text: Text, start: int, end: int) -> bool:
    """A negation in [start, end) reaches its end."""
    found = text.found
    for negation in reversed(found.within("否定", max(start, end - 14), end)):
        if _shielded(found, negation):
            continue
        gap = text.text[negation[1] : end]
        if not _passes(text, negation[1], end, gap):
            continue
        double = found.within("双重否定", start, end)
        return not any(d[0] <= negation[0] and negation[1] <= d[1] + 1 for d in double)
    return False


def _shielded(found: Found, negation: Span) -> bool:
    """The 不 or 没 belongs to a longer word that denies nothing: 不舒服, 不停, 喘不上气."""
    longer = found.covered("非否定", negation)
    return longer is not None and longer != negation


def _passes(text: Text, start: int, end: int, gap: str) -> bool:
    """Only filler lies between the negation and the sign."""
    if not gap:
        return True
    if len(gap) > 12 or any(text.found.within("转折", start, end)):
        return False
    covered = start
    for low, high in text.found.within("否定填充", start, end):
        if low > covered:
            return False
        covered = max(covered, high)
    return covered >= end


def evidence(text: Text, whole: Span) -> Iterator[Evidence]:
    """All evidence around the matched words, except negation and masks."""
    yield from _hypothesis(text, whole)
    yield from _experiencer(text, whole)
    yield from _time(text, whole)
    yield from _question(text, whole)
    yield from _presence(text, whole)


def _hypothesis(text: Text, span: Span) -> Iterator[Evidence]:
    found = text.found
    clause, sentence = text.clause(span[0]), text.sentence(span[0])
    if found.within("如果", sentence[0], span[0]):
        yield Evidence("hypothetical", -6)
    if found.within("会否", clause[0], span[0]) or found.within("可能吗", span[1], clause[1]):
        yield Evidence("hypothetical", -5)
    for worry in found.within("担心", clause[0], span[0]):
        if span[0] - worry[1] <= 8:
            yield Evidence("hypothetical", -5)
            break
    if found.within("预防", clause[0], span[0]) or found.within("预防", span[1], clause[1]):
        yield Evidence("hypothetical", -4)
    if found.within("说明书", sentence[0], sentence[1]):
        yield Evidence("hypothetical", -5)


def _experiencer(text: Text, span: Span) -> Iterator[Evidence]:
    found = text.found
    sentence = text.sentence(span[0])
    animal = _last(found.within("动物", sentence[0], span[0]))
    if animal and not _last(found.within("人物", animal[1], span[0])):
        yield Evidence("animal", -6)
    if found.within("虚构", sentence[0], sentence[1]):
        yield Evidence("fiction", -6)
    clause = text.clause(span[0])
    generic = _last(found.within("泛指", clause[0], span[0]))
    if generic and not found.within("人物", clause[0], span[0]):
        yield Evidence("knowledge", -1.5)


def _time(text: Text, span: Span) -> Iterator[Evidence]:
    found = text.found
    clause = text.clause(span[0])
    mark, distance = _time_mark(text, span)
    again = found.within("又", clause[0], clause[1])
    if mark == "过去" and not again:
        yield Evidence("history", -6 if distance == 0 else -2)
    elif mark == "现在":
        yield Evidence("now", 2 if distance == 0 else 1)
    elif mark == "近日":
        yield Evidence("recent", 0.5)
    if again:
        yield Evidence("again", 1.5)
    if found.within("惯常", clause[0], span[0]) and not again:
        yield Evidence("chronic", -2.5)
    if text.text.startswith("过", span[1]) and not text.text.startswith("过敏", span[1]) and not again:
        yield Evidence("history", -3)
    resolved = found.within("好转", span[1], len(text.text))
    if resolved and not _relapses(text, resolved[0][1]):
        yield Evidence("resolved", -3.5)
    if mark != "现在" or distance or "就医" in text.text[span[1] : span[1] + 8]:
        seen = found.within("就医", span[1], len(text.text))
        if seen and not again and not _relapses(text, seen[0][1]):
            yield Evidence("seen by a doctor", -3)


def _relapses(text: Text, start: int) -> bool:
    """After it was better, it came back."""
    return bool(text.found.within("又", start, len(text.text)))


def _time_mark(text: Text, span: Span) -> tuple[str | None, int]:
    """The time word that governs the sign, and how many clauses away it stands."""
    clause = text.clause(span[0])
    sentence = text.sentence(span[0])
    best: tuple[int, str] | None = None
    for kind in ("过去", "近日", "现在"):
        own = _last(text.found.within(kind, clause[0], span[0])) or _first(
            text.found.within(kind, span[1], clause[1])
        )
        if own and (best is None or own[0] > best[0]):
            best = (own[0], kind)
    if best:
        return best[1], 0
    for kind in ("过去", "近日", "现在"):
        earlier = _last(text.found.within(kind, sentence[0], clause[0]))
        if earlier and (best is None or earlier[0] > best[0]):
            best = (earlier[0], kind)
    return (best[1], 1) if best else (None, 0)


def _question(text: Text, span: Span) -> Iterator[Evidence]:
    """What is asked about the sign: its cause in general, or what to do now?"""
    found = text.found
    clause = text.clause(span[0])
    sentence = text.sentence(span[0])
    if _touching(found.within("的知识", span[1], clause[1]), span[1], 4):
        yield Evidence("knowledge", -4)
    if found.within("何谓", sentence[0], sentence[1]):
        yield Evidence("knowledge", -4)
    if found.within("引起的", clause[0], span[0]):
        yield Evidence("knowledge", -2.5)
    disease = _last(found.within("疾病", clause[0], span[0]))
    if disease and span[0] - disease[1] <= 5 and not found.within("人物", clause[0], span[0]):
        yield Evidence("knowledge", -1.5)
    if found.within("问原因", span[1], len(text.text)):
        yield Evidence("knowledge", -3 if text.bare(span) else -1.5)
    if found.within("问治疗", span[1], len(text.text)):
        yield Evidence("knowledge", -2.5 if text.bare(span) else -1.5)
    elif found.within("问知识", sentence[0], len(text.text)):
        yield Evidence("knowledge", -2)


def _touching(spans: list[Span], end: int, gap: int) -> bool:
    return bool(spans) and spans[0][0] - end <= gap


def _presence(text: Text, span: Span) -> Iterator[Evidence]:
    found = text.found
    sentence = text.sentence(span[0])
    clause = text.clause(span[0])
    if found.within("突然", sentence[0], clause[1]):
        yield Evidence("sudden", 1)
    if text.text.startswith("了", span[1]) or text.text[span[0] : span[1]].endswith("了"):
        yield Evidence("has happened", 1)
    if found.within("人物", sentence[0], span[0]):
        yield Evidence("a person", 0.5)
    if found.within("求救", 0, len(text.text)):
        yield Evidence("call for help", 1.5)
    if found.within("正在", clause[0], clause[1]):
        yield Evidence("going on", 1)


def _last(spans: list[Span]) -> Span | None:
    return spans[-1] if spans else None


def _first(spans: list[Span]) -> Span | None:
    return spans[0] if spans else None
