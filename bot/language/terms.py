"""Finding the words of a large vocabulary in a text, in one pass.

A dictionary of some thousand words is looked up position by position; the work is bounded by the length of
the text times the number of word lengths that share a beginning, so no text can make it slow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """A word of the vocabulary in a text, with what the vocabulary says of it."""

    start: int
    end: int
    word: str
    value: T


class Terms(Generic[T]):
    """A vocabulary. Matches are the longest from the left and do not overlap; letter case is ignored."""

    def __init__(self, entries: Mapping[str, T]) -> None:
        self._values = {word.lower(): value for word, value in entries.items() if word}
        lengths: dict[str, set[int]] = {}
        for word in self._values:
            lengths.setdefault(word[:2], set()).add(len(word))
        self._lengths = {head: tuple(sorted(sizes, reverse=True)) for head, sizes in lengths.items()}

    def find(self, text: str) -> Iterator[Found[T]]:
        """Yield the words of *text* in order."""
        lower = text.lower()
        if len(lower) != len(text):  # a few letters grow when lowered: İ
            lower = text
        values, lengths = self._values, self._lengths
        at, end = 0, len(lower)
        while at < end:
            for size in lengths.get(lower[at : at + 2], ()) or lengths.get(lower[at], ()):
                value = values.get(word := lower[at : at + size])
                if value is not None:
                    yield Found(at, at + size, word, value)
                    at += size
                    break
            else:
                if (single := values.get(lower[at])) is not None:
                    yield Found(at, at + 1, lower[at], single)
                at += 1
