"""How Chinese characters sound, without tones: enough to tell names that are heard alike."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Mapping
from functools import cache, lru_cache
from itertools import product

# Surnames whose usual reading as a surname the character table lacks.
_SURNAME_READINGS = {
    "区": "ou",
    "盖": "ge",
    "查": "zha",
    "仇": "qiu",
    "单": "shan",
    "解": "xie",
    "朴": "piao",
}

_MAX_READINGS = 3  # of one character; the rest are rare


@cache
def _readings() -> Mapping[int, str]:
    """The character table of pypinyin, read when the first name asks for it: it takes a tenth of a second."""
    # Characters are enough for names; the phrase table would cost 50 MB of memory.
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")
    from pypinyin.pinyin_dict import pinyin_dict

    return pinyin_dict


@lru_cache(maxsize=8192)
def syllables(char: str) -> tuple[str, ...]:
    """The readings of one character, commonest first: 单 → dan, chan, shan. Empty for anything else."""
    readings = [_toneless(reading) for reading in _readings().get(ord(char), "").split(",") if reading]
    kept = list(dict.fromkeys(readings))[:_MAX_READINGS]
    if (surname := _SURNAME_READINGS.get(char)) and surname not in kept:
        kept.append(surname)
    return tuple(kept)


def spellings(name: str) -> set[tuple[str, ...]]:
    """All ways to read a short name, syllable by syllable; empty when a character has no reading."""
    return set(product(*(syllables(char) for char in name))) if name else set()


@lru_cache(maxsize=8192)
def heard(char: str) -> tuple[str, ...]:
    """The readings of one character as many speakers hear them."""
    return tuple(dict.fromkeys(map(folded, syllables(char))))


def hearings(name: str) -> set[tuple[str, ...]]:
    """Like `spellings`, as many speakers hear them."""
    return set(product(*map(heard, name)))


@cache
def folded(syllable: str) -> str:
    """A syllable as many speakers hear it: zh ch sh as z c s, final ng as n, initial l and r as n… ."""
    for initial, heard in (("zh", "z"), ("ch", "c"), ("sh", "s"), ("l", "n"), ("hu", "fu")):
        if syllable.startswith(initial):
            syllable = heard + syllable[len(initial) :]
            break
    return syllable.removesuffix("g") if syllable.endswith("ng") else syllable


def _toneless(reading: str) -> str:
    letters = unicodedata.normalize("NFD", reading.replace("ü", "v"))
    plain = "".join(c for c in letters if not unicodedata.combining(c))
    return plain.replace("ü", "v")
