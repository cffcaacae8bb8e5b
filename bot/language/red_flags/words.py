"""Finding every known word of a text in one pass."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, KeysView, Mapping

Span = tuple[int, int]  # start, end in characters of the folded text


_NONE: list[Span] = []
# Of one class, this many occurrences at the beginning and at the end are read: no human needs more.
_FIRST, _LAST = 120, 40


class WordIndex:
    """All words of the lexicon by their first two characters.

    A pass costs one dictionary look-up a character plus the words that really stand there: linear in the
    text, whatever it says.
    """

    def __init__(self, classes: Mapping[str, Iterable[str]]) -> None:
        words: dict[str, list[str]] = {}
        for name, members in classes.items():
            for word in members:
                words.setdefault(word, []).append(name)
        self._single: dict[str, tuple[str, ...]] = {}
        self._pairs: dict[str, list[tuple[str, bool, tuple[str, ...]]]] = {}
        for word, names in words.items():
            if len(word) == 1:
                self._single[word] = tuple(names)
            else:
                latin = word[0].isascii() and word[0].isalpha()
                self._pairs.setdefault(word[:2], []).append((word, latin, tuple(names)))
        for longest_first in self._pairs.values():
            longest_first.sort(key=lambda entry: -len(entry[0]))

    def scan(self, text: str) -> Found:
        """Every occurrence of every word, overlapping ones included."""
        found: dict[str, list[Span]] = {}
        single, pairs = self._single, self._pairs
        for i, character in enumerate(text):
            for word, latin, names in pairs.get(text[i : i + 2], ()):
                if not text.startswith(word, i):
                    continue
                end = i + len(word)
                if latin and (_letter(text, i - 1) or _letter(text, end)):
                    continue
                for name in names:
                    found.setdefault(name, []).append((i, end))
            for name in single.get(character, ()):
                found.setdefault(name, []).append((i, i + 1))
        for name, spans in found.items():
            if len(spans) > _FIRST + _LAST:
                found[name] = spans[:_FIRST] + spans[-_LAST:]
        return Found(found)


def _letter(text: str, at: int) -> bool:
    return 0 <= at < len(text) and text[at].isascii() and text[at].isalpha()


class Found:
    """The words of one text by class, each list in the order of the text."""

    def __init__(self, spans: dict[str, list[Span]]) -> None:
        self.spans = spans

    def __contains__(self, name: str) -> bool:
        return name in self.spans

    def keys(self) -> KeysView[str]:
        return self.spans.keys()

    def add(self, name: str, span: Span) -> None:
        """Add what is not a dictionary word, a measured value for example."""
        spans = self.spans.setdefault(name, [])
        spans.insert(bisect_left(spans, span), span)

    def drop_covered(self, name: str, longer: str) -> None:
        """Forget the occurrences of *name* that lie inside one of *longer*."""
        if name in self.spans and longer in self.spans:
            kept = [span for span in self.spans[name] if not self.covered(longer, span)]
            if kept:
                self.spans[name] = kept
            else:
                del self.spans[name]

    def of(self, name: str) -> list[Span]:
        return self.spans.get(name, [])

    def within(self, name: str, start: int, end: int) -> list[Span]:
        """Occurrences that lie wholly in [start, end)."""
        spans = self.spans.get(name)
        if not spans:
            return _NONE
        inside = []
        for i in range(bisect_left(spans, (start, 0)), len(spans)):
            if spans[i][0] >= end:
                break
            if spans[i][1] <= end:
                inside.append(spans[i])
        return inside

    def first(self, name: str, start: int, end: int) -> Span | None:
        """The first occurrence that lies wholly in [start, end)."""
        spans = self.spans.get(name)
        if not spans:
            return None
        for i in range(bisect_left(spans, (start, 0)), len(spans)):
            if spans[i][0] >= end:
                return None
            if spans[i][1] <= end:
                return spans[i]
        return None

    def last(self, name: str, start: int, end: int) -> Span | None:
        """The last occurrence that lies wholly in [start, end)."""
        spans = self.spans.get(name)
        if not spans:
            return None
        for i in range(bisect_left(spans, (end, 0)) - 1, -1, -1):
            if spans[i][0] < start:
                return None
            if spans[i][1] <= end:
                return spans[i]
        return None

    def covered(self, name: str, span: Span, reach: int = 12) -> Span | None:
        """The occurrence that covers *span* wholly, if there is one (words are at most *reach* long)."""
        for candidate in self.within(name, max(0, span[0] - reach), span[1] + reach):
            if candidate[0] <= span[0] and span[1] <= candidate[1]:
                return candidate
        return None
