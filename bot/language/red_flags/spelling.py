"""What people type, turned into what the lexicon is written in, without losing the place.

Three steps, all data of the lexicon: characters of the same meaning become one (痛 and 疼), known
slips and pinyin fragments become the word that was meant (喘不上qi), letters become small.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_SPLIT_HAN = re.compile(
    r"(?<=[\u4e00-\u9fff]) (?=[\u4e00-\u9fff](?: |$))|(?<=(?<![^ ])[\u4e00-\u9fff]) (?=[\u4e00-\u9fff])"
)
_PINYIN = re.compile(r"(?<=[\u4e00-\u9fff])[a-z]{2,10}|[a-z]{2,10}(?=[\u4e00-\u9fff0-9])")


@dataclass(frozen=True, slots=True)
class Folded:
    """A text as the rules read it."""

    text: str
    original: str
    places: tuple[int, ...] | None  # place in `original` of every character; None: the same places

    def quote(self, start: int, end: int) -> str:
        """The writer's own characters for a stretch of the folded text."""
        if self.places is None:
            return self.original[start:end]
        return self.original[self.places[start] : self.places[end]]


class Spelling:
    """The tables of the lexicon for one way of writing."""

    def __init__(self, characters: Mapping[str, str], slips: Mapping[str, str], pinyin: Mapping[str, str]):
        self._characters = {ord(a): b for a, b in characters.items()}
        self._slips = {self.word(a): self.word(b) for a, b in slips.items()}
        self._pinyin = pinyin
        longest = sorted(self._slips, key=len, reverse=True)
        first = "".join({re.escape(s[0]) for s in longest})
        self._first = frozenset(s[0] for s in longest)
        self._slip = re.compile(
            f"(?=[{first}])(?:{'|'.join(map(re.escape, longest))})" if longest else "(?!)"
        )

    def word(self, text: str) -> str:
        """One word of the lexicon, folded as texts are. Same length."""
        return text.translate(self._characters).lower()

    def fold(self, text: str) -> Folded:
        """The normalised *text* as the rules read it."""
        lowered = text.lower()
        folded = (lowered if len(lowered) == len(text) else text).translate(self._characters)
        spelled = folded
        places: list[int] | None = None
        if " " in spelled:
            spelled, places = _replace(_SPLIT_HAN, spelled, places, lambda _: "")
        if _PINYIN.search(spelled):
            spelled, places = _replace(_PINYIN, spelled, places, lambda m: self._pinyin.get(m, m))
        if not self._first.isdisjoint(spelled):
            spelled, places = _replace(self._slip, spelled, places, self._slips.__getitem__)
        return Folded(spelled, text, tuple(places) if places is not None else None)


def _replace(
    pattern: re.Pattern[str], text: str, places: list[int] | None, meant: Callable[[str], str]
) -> tuple[str, list[int] | None]:
    """Replace what *pattern* finds, keeping for every character where it stood in the original."""
    pieces: list[str] = []
    moved: list[int] = []
    at = 0
    old = places if places is not None else range(len(text) + 1)
    for match in pattern.finditer(text):
        new = meant(match.group())
        if new == match.group():
            continue
        start, end = match.span()
        pieces += (text[at:start], new)
        moved += old[at:start]
        # A longer or shorter word: its characters share the places of the one it replaces.
        moved += [old[min(start + i, max(start, end - 1))] for i in range(len(new))]
        at = end
    if not pieces:
        return text, places
    moved += old[at:]
    return "".join((*pieces, text[at:])), moved
