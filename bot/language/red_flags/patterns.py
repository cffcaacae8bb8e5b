"""The small language in which the lexicon writes its rules.

喘不上气              these characters
<胸><疼>              a word of each class, touching
<胸> <疼>             up to four characters between them, in one clause
<胸>…<疼>             up to fourteen between them, in one sentence
<嘴唇>~<发紫>         in either order, up to six between them, in one sentence
<发烧> & <寒战>       both somewhere in the message, each of them meant
@G20 & <胸疼> | <咯血>   another concept; either of two words
#tonsil:0-21 & <带血>    a fact, here a tonsil operation at most 21 days ago
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field

from bot.language.red_flags.words import Found, Span

_TOUCHING, _NEAR, _EITHER, _FAR = 0, 4, 6, 14
_TOKEN = re.compile(r"<[^<>]+>|\s*[…~]\s*|\s+|[^<>…~\s]+")
_FACT = re.compile(r"#(\w+)(?::(-?\d+)-(-?\d+))?")


class PatternError(ValueError):
    """The rule cannot be read."""


@dataclass(frozen=True, slots=True)
class Sequence:
    """Word classes in this order; `gaps[i]` characters at most before `classes[i]`."""

    classes: tuple[str, ...]
    gaps: tuple[int, ...]
    needs: frozenset[str] = field(init=False, compare=False)  # the classes, as a set

    def __post_init__(self) -> None:
        object.__setattr__(self, "needs", frozenset(self.classes))

    def matches(self, found: Found, breaks: Breaks) -> Iterator[tuple[Span, ...]]:
        """Where the sequence stands. Every start gives at most one match: the nearest."""
        for first in found.of(self.classes[0]):
            spans = self._follow(found, breaks, (first,))
            if spans:
                yield spans

    def _follow(self, found: Found, breaks: Breaks, spans: tuple[Span, ...]) -> tuple[Span, ...] | None:
        depth = len(spans)
        if depth == len(self.classes):
            return spans
        gap, end = self.gaps[depth], spans[-1][1]
        candidates = found.of(self.classes[depth])
        for i in range(bisect_left(candidates, (end, 0)), len(candidates)):
            start = candidates[i][0]
            if start > end + gap:
                return None
            if gap and breaks.between(end, start, sentence=gap > _NEAR):
                return None
            longer = self._follow(found, breaks, (*spans, candidates[i]))
            if longer:
                return longer
        return None


@dataclass(frozen=True, slots=True)
class Fact:
    """Something known of the patient, from the record or from the text."""

    name: str
    first_day: int | None = None
    last_day: int | None = None


@dataclass(frozen=True, slots=True)
class ConceptReference:
    """Another concept, meant in the same message."""

    concept: str


Alternative = Sequence | Fact | ConceptReference


@dataclass(frozen=True, slots=True)
class Pattern:
    """All parts must hold; of a part, one alternative."""

    source: str
    parts: tuple[tuple[Alternative, ...], ...]


@dataclass(frozen=True, slots=True)
class Breaks:
    """Where clauses and sentences end, as sorted positions."""

    clauses: tuple[int, ...]
    sentences: tuple[int, ...]

    def between(self, start: int, end: int, *, sentence: bool) -> bool:
        marks = self.sentences if sentence else self.clauses
        i = bisect_left(marks, start)
        return i < len(marks) and marks[i] < end

    def clause_of(self, at: int) -> Span:
        return _segment(self.clauses, at)

    def sentence_of(self, at: int) -> Span:
        return _segment(self.sentences, at)


def _segment(marks: tuple[int, ...], at: int) -> Span:
    i = bisect_left(marks, at)
    return (marks[i - 1] + 1 if i else 0, marks[i] if i < len(marks) else 1 << 30)


def parse(source: str) -> Pattern:
    """Read one rule. Raises `PatternError` for a rule that makes no sense."""
    parts = []
    for part in source.split("&"):
        alternatives: list[Alternative] = []
        for text in part.split("|"):
            alternatives.extend(_alternatives(text.strip(), source))
        parts.append(tuple(alternatives))
    return Pattern(source, tuple(parts))


def _alternatives(text: str, source: str) -> Iterator[Alternative]:
    if not text:
        raise PatternError(f"empty part in {source!r}")
    if text.startswith("@"):
        yield ConceptReference(text[1:])
    elif text.startswith("#"):
        match = _FACT.fullmatch(text)
        if not match:
            raise PatternError(f"no such fact form {text!r}")
        days = (int(match[2]), int(match[3])) if match[2] else (None, None)
        yield Fact(match[1], *days)
    else:
        yield from _sequences(text)


def _sequences(text: str) -> Iterator[Sequence]:
    classes: list[str] = []
    gaps: list[int] = []
    gap = _TOUCHING
    either = False
    for token in _TOKEN.findall(text):
        mark = token.strip()
        if mark in ("", "…", "~"):
            gap = {"": _NEAR, "…": _FAR, "~": _EITHER}[mark]
            either = either or mark == "~"
            continue
        classes.append(token[1:-1] if token.startswith("<") else "=" + token.replace("_", " "))
        gaps.append(gap)
        gap = _TOUCHING
    if not classes or gap != _TOUCHING:
        raise PatternError(f"a rule begins and ends with a word: {text!r}")
    yield Sequence(tuple(classes), tuple(gaps))
    if either:
        if len(classes) != 2:
            raise PatternError(f"'~' joins exactly two words: {text!r}")
        yield Sequence((classes[1], classes[0]), tuple(gaps))
