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

_CLAUSE_END = re.compile(r"[,。;!?~…\n]|\.(?!\d)|(?<![a-z]) | (?![a-z])")
_SENTENCE_END = re.compile(r"[。;!?\n]|\.(?!\d)")
_LIST = re.compile(r"[、和或及与跟也还有又没无不,/ ]{0,4}")
_PRESENT = frozenset({"亲人", "现在", "今天", "近日", "突然"})
_QUESTIONS = frozenset({"问原因", "问治疗", "问知识", "问何故", "吗", "何谓"})
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
        around = len(self.text) - (span[1] - span[0])
        if around > _BARE_LENGTH or self.clause(span[0])[0] > 0:
            return False
        return not _PRESENT & self.found.keys()

    def asks(self) -> bool:
        """Something is asked at all."""
        return bool(_QUESTIONS & self.found.keys())


def masked(text: Text, spans: tuple[Span, ...]) -> str | None:
    """Why one of the matched words is part of another, harmless one: idiom, place, object…"""
    for span in spans:
        for kind in ("成语", "地点", "物品", "词中"):
            cover = text.found.covered(kind, span)
            if cover and cover != span:
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
    if not gap.strip():
        return True
    if len(gap) > 12 or any(text.found.within("转折", start, end)):
        return False
    covered = start
    for low, high in text.found.within("否定填充", start, end):
        if text.text[covered:low].strip():
            return False
        covered = max(covered, high)
    return not text.text[covered:end].strip()


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
    if found.within("如果", sentence[0], span[1]):
        yield Evidence("hypothetical", -6)
    if found.within("会否", clause[0], span[1]) or found.within("可能吗", span[1], sentence[1]):
        yield Evidence("hypothetical", -5)
    elif found.within("会", clause[0], span[0]) and found.within("吗", span[1], clause[1] + 1):
        yield Evidence("hypothetical", -4)
    elif _asked_of(text, span, clause):
        yield Evidence("hypothetical", -3)
    elif _named_by(text, span, clause):
        yield Evidence("knowledge", -1.75)
    if any(span[0] - worry[1] <= 8 for worry in _worries(text, clause[0], span[0])):
        yield Evidence("hypothetical", -5)
    if found.within("预防", clause[0], span[0]) or found.within("预防", span[1], clause[1]):
        yield Evidence("hypothetical", -4)
    if found.within("说明书", sentence[0], span[1]):
        yield Evidence("hypothetical", -5)


def _asked_of(text: Text, span: Span, clause: Span) -> bool:
    """X会死吗, X是Y吗, X吗, X了会怎样: a question about X, unless X has happened to somebody."""
    found = text.found
    if found.within("亲人", clause[0], span[0]) or found.keys() & _PRESENT:
        return False
    after = text.text[span[1] : clause[1]]
    if after.startswith(_CONSEQUENCE):
        return True
    able = _first(found.within("会", span[1], clause[1]))
    asked = _first(found.within("吗", span[1], clause[1] + 1))
    if asked and asked[0] - span[1] <= 1:
        return "了" not in text.text[span[0] : asked[0]]
    return bool(able and asked and "了" not in text.text[span[0] : able[0]])


def _named_by(text: Text, span: Span, clause: Span) -> bool:
    """X是Y吗: what may it be?"""
    found = text.found
    if found.within("亲人", clause[0], span[0]) or found.keys() & _PRESENT:
        return False
    return bool(found.within("是", span[1], clause[1]) and found.within("吗", span[1], clause[1] + 1))


_CONSEQUENCE = ("会不会", "了会", "会怎", "会有什么", "后会", "时要不要", "了应该怎么", "应该怎么")


def _worries(text: Text, start: int, end: int) -> Iterator[Span]:
    """怕 and its kin, but not 怕冷 and 可怕."""
    for worry in text.found.within("担心", start, end):
        if text.text[worry[1] : worry[1] + 1] not in _NO_WORRY and text.text[worry[0] - 1 : worry[0]] != "可":
            yield worry


_NO_WORRY = frozenset("冷热光风吵")


def _experiencer(text: Text, span: Span) -> Iterator[Evidence]:
    found = text.found
    sentence = text.sentence(span[0])
    animal = _last(found.within("动物", sentence[0], span[0]))
    if (
        animal
        and not _bites(text.text[sentence[0] : span[0]])
        and not found.within("人物", animal[1], span[0])
    ):
        yield Evidence("animal", -6)
    if found.within("虚构", sentence[0], sentence[1]):
        yield Evidence("fiction", -6)
    clause = text.clause(span[0])
    if not text.asks():
        return
    if found.within("泛指", clause[0], span[0]) and not found.within("亲人", clause[0], span[0]):
        yield Evidence("knowledge", -1.5)


def _bites(words: str) -> bool:
    """The animal did something to a person."""
    return not _BITE.isdisjoint(words)


_BITE = frozenset("咬抓挠被吃吞碰毛")


def _time(text: Text, span: Span) -> Iterator[Evidence]:
    found = text.found
    clause = text.clause(span[0])
    mark, own = _time_mark(text, span)
    again = bool(found.within("又", text.sentence(span[0])[0], clause[1]))
    if mark == "过去":
        yield from _past(text, span, own, again)
    elif mark in _NOW:
        yield Evidence("now", _NOW[mark] if own else 1)
    elif mark == "近日":
        yield Evidence("recent", 0.5)
    if again:
        yield Evidence("again", 1.5)
    elif found.within("惯常", clause[0], span[0]):
        yield Evidence("chronic", -2.5)
    if found.within("遗留", clause[0], span[1]):
        yield Evidence("chronic", -4)
    if text.text.startswith("过", span[1]) and not text.text.startswith("过敏", span[1]) and not again:
        yield Evidence("history", -4)
    if not again:
        yield from _over(text, span, mark if own else None)


_NOW = {"现在": 2.0, "今天": 2.0, "时段": 0.5}


def _past(text: Text, span: Span, own: Span | None, again: bool) -> Iterator[Evidence]:
    """去年 in the clause itself is history; before it, it depends on whether it had its own event."""
    if again:
        return
    if own:
        yield Evidence("history", -6)
        return
    sentence = text.sentence(span[0])
    earlier = _last(text.found.within("过去", sentence[0], text.clause(span[0])[0]))
    if earlier:
        clause = text.clause(earlier[0])
        done = not _DONE.isdisjoint(text.text[earlier[1] : clause[1]])
        yield Evidence("history", -2 if done else -5)


_DONE = frozenset("过了")


def _over(text: Text, span: Span, mark: str | None) -> Iterator[Evidence]:
    """It has passed, or a doctor has seen it, and it did not come back."""
    found = text.found
    end = len(text.text)
    resolved = [
        r
        for r in found.within("好转", span[1], end)
        if text.text[r[1] : r[1] + 1] not in _ASKING and text.text[r[0] - 1] not in _WOKEN
    ]
    if resolved and not found.within("又", resolved[0][1], end):
        yield Evidence("resolved", -3.5)
    seen = _first(found.within("就医", span[1], end)) if mark != "现在" else None
    if seen and not found.within("又", seen[1], end):
        yield Evidence("seen by a doctor", -3.5 if mark == "今天" else -4.5)


_ASKING = frozenset("吗么嘛?")
_WOKEN = frozenset("疼憋咳闹吓能会叫不没喊")


def _time_mark(text: Text, span: Span) -> tuple[str | None, Span | None]:
    """The kind of time word that governs the sign, and the word itself if it stands in the same clause."""
    clause, sentence = text.clause(span[0]), text.sentence(span[0])
    for start, end, own in (
        (clause[0], span[0], True),
        (span[1], clause[1], True),
        (sentence[0], clause[0], False),
    ):
        marks = [(m, kind) for kind in _TIMES for m in text.found.within(kind, start, end)]
        if marks:
            best = min(marks)[1] if start == span[1] else max(marks)[1]
            return best, (start, end) if own else None
    return None, None


_TIMES = ("过去", "近日", "时段", "今天", "现在")


def _question(text: Text, span: Span) -> Iterator[Evidence]:
    """What is asked about the sign: its cause in general, or what to do now?"""
    found = text.found
    clause, sentence = text.clause(span[0]), text.sentence(span[0])
    end = len(text.text)
    bare = text.bare(span)
    topic = _touching(found.within("的知识", span[1], clause[1]), span[1], 2)
    if topic or any(noun[1] == clause[1] for noun in found.within("知识名", span[1], clause[1])):
        yield Evidence("knowledge", -5 if bare else -4)
    if found.within("何谓", sentence[0], sentence[1]):
        yield Evidence("knowledge", -4)
    if found.within("引起的", clause[0], span[0]):
        yield Evidence("knowledge", -2.5)
    disease = _last(found.within("疾病", clause[0], span[0]))
    if bare and disease and span[0] - disease[1] <= 3 and found.covered("术语", span):
        yield Evidence("knowledge", -2.25)  # 肺癌晚期呼吸困难: the words of a search, not of somebody in need
    elif (
        disease and text.asks() and span[0] - disease[1] <= 5 and not found.within("亲人", clause[0], span[0])
    ):
        yield Evidence("knowledge", -1.5)
    if found.within("问原因", span[1], end):
        yield Evidence("knowledge", -3 if bare else -1.5)
    elif bare and found.within("问何故", span[1], end):
        yield Evidence("knowledge", -1.75)
    if found.within("问治疗", span[1], end):
        yield Evidence("knowledge", -2.5 if bare else -1.5)
    elif found.within("问知识", sentence[0], end):
        yield Evidence("knowledge", -2.5 if bare else -2)


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
