"""A danger sign in its place: the words before, after and around it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.language.red_flags.patterns import Breaks
from bot.language.red_flags.words import Found

_CLAUSE_END = re.compile(r"[,。;!?~…\n]|\.(?!\d)|(?<![a-z]) | (?![a-z])")
_SENTENCE_END = re.compile(r"[。;!?\n]|\.(?!\d)")


@dataclass(frozen=True, slots=True)
class Text:
    """A folded text with all its known words and its breaks."""

    text: str
    found: Found
    breaks: Breaks

    @classmethod
    def of(cls, text: str, found: Found) -> Text:
        clauses = tuple(m.start() for m in _CLAUSE_END.finditer(text))
        sentences = tuple(m.start() for m in _SENTENCE_END.finditer(text))
        return cls(text, found, Breaks(clauses, sentences))


class Sign:
    """The stretch of a text that a rule matched, from `start` to `end`."""

    __slots__ = (
        "clause_end",
        "clause_start",
        "end",
        "found",
        "sentence_end",
        "sentence_start",
        "start",
        "text",
    )

    def __init__(self, text: Text, start: int, end: int) -> None:
        self.text = text.text
        self.found = text.found
        self.start = start
        self.end = end
        length = len(text.text)
        self.clause_start, clause_end = text.breaks.clause_of(start)
        self.sentence_start, sentence_end = text.breaks.sentence_of(start)
        self.clause_end, self.sentence_end = min(clause_end, length), min(sentence_end, length)

    def stands(self, name: str, start: int, end: int) -> bool:
        """A word of class *name* lies wholly in [start, end)."""
        return self.found.first(name, start, end) is not None

    def before(self, name: str) -> bool:
        """In the clause, before the sign."""
        return self.found.first(name, self.clause_start, self.start) is not None

    def up_to_end(self, name: str) -> bool:
        """In the clause, before the sign or inside it."""
        return self.found.first(name, self.clause_start, self.end) is not None

    def after(self, name: str) -> bool:
        """In the clause, after the sign; its closing mark included."""
        return self.found.first(name, self.end, self.clause_end + 1) is not None

    def later(self, name: str) -> bool:
        """Anywhere after the sign."""
        return self.found.first(name, self.end, len(self.text)) is not None

    def in_sentence(self, name: str) -> bool:
        return self.found.first(name, self.sentence_start, self.sentence_end) is not None

    def followed_by(self, words: str | tuple[str, ...]) -> bool:
        return self.text.startswith(words, self.end)
