"""Finding English words by their stems: park finds parking; a phrase is written with hyphens, sore-throat."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

_WORD = re.compile(r"[a-z0-9]+")
_LONGEST = 4  # words of a phrase
_SHORTEST = 2  # letters of a stem


class EnglishStems:
    """Which stem means what."""

    def __init__(self, meanings: Mapping[str, str]) -> None:
        self._meanings = meanings

    def spans(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Where a lower-case text speaks of something, and of what; the longest phrase at each word."""
        words = [(match.start(), match.end(), match[0]) for match in _WORD.finditer(text)]
        for place, (start, _, _) in enumerate(words):
            phrase = words[place : place + _LONGEST]
            for count in range(len(phrase), 0, -1):
                meaning = self._meaning([word for _, _, word in phrase[:count]])
                if meaning:
                    yield start, phrase[count - 1][1], meaning
                    break

    def found_in(self, text: str) -> tuple[str, ...]:
        """What a text speaks of, each once, in its order."""
        return tuple(dict.fromkeys(meaning for _, _, meaning in self.spans(text)))

    def _meaning(self, words: list[str]) -> str | None:
        before, last = "-".join((*words[:-1], "")), words[-1]
        stems = (before + last[:length] for length in range(len(last), _SHORTEST - 1, -1))
        return next((self._meanings[stem] for stem in stems if stem in self._meanings), None)
