"""The subjects people ask hospitals about, found in any wording: Chinese, English, Chinese in Latin letters."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bot.handlers.english_stems import EnglishStems
from bot.language.pinyin import syllables

_FILE = Path(__file__).with_name("answer_concepts.toml")
_SHORTEST_SPELT = 2  # characters; one syllable alone may be anything


@dataclass(frozen=True, slots=True)
class Subjects:
    """What a text is about, and what is left of it."""

    names: frozenset[str]
    rest: str


@dataclass(frozen=True, slots=True)
class _Words:
    """Which word tells which subject."""

    chinese: dict[str, str]
    latin: EnglishStems  # English words, and Chinese ones as they sound


def subjects(text: str) -> Subjects:
    """What a normalised, lower-case text is about."""
    found = sorted(_words().latin.spans(text) if text.isascii() else _chinese(text))
    rest, upto = [], 0
    for start, end, _ in found:
        rest.append(text[upto:start])
        upto = max(upto, end)
    rest.append(text[upto:])
    return Subjects(frozenset(name for _, _, name in found), " ".join(rest))


def _chinese(text: str) -> Iterator[tuple[int, int, str]]:
    words = _words().chinese
    longest = max(map(len, words))
    for start in range(len(text)):
        for end in range(min(len(text), start + longest), start, -1):
            name = words.get(text[start:end])
            if name and _whole(text, start, end):
                yield start, end, name
                break


def _whole(text: str, start: int, end: int) -> bool:
    """No piece of a longer Latin word: the ct of doctor."""
    if not text[start:end].isascii():
        return True
    before, after = text[start - 1 : start], text[end : end + 1]
    return not (before.isascii() and before.isalpha()) and not (after.isascii() and after.isalpha())


@cache
def _words() -> _Words:
    lines: dict[str, str] = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    chinese, latin = {}, {}
    for name, line in lines.items():
        characters, _, english = line.partition("|")
        for word in characters.split():
            chinese[word] = name
            latin.update(dict.fromkeys(_spelt(word), name))
        latin.update(dict.fromkeys(english.split(), name))
    return _Words(chinese, EnglishStems(latin))


def _spelt(word: str) -> tuple[str, ...]:
    """停车 as tingche and ting-che; nothing for words that hold anything else than characters."""
    read = [syllables(char) for char in word]
    if len(word) < _SHORTEST_SPELT or not all(read):
        return ()
    return tuple(mark.join(one[0] for one in read) for mark in ("", "-"))
