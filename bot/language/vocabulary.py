"""The shared word list: one pass over a text finds illnesses, medicines, examinations and other trades' words.

What a word stands for is folded into a single `sign`, so that rules and the classifier can treat "阿莫西林" and
"布洛芬" alike; medical words also carry their votes for departments.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from bot.language.terms import Found, Terms

EXAMPLES: Final = Path(__file__).parent / "examples"

DISEASE: Final = "Ⓓ"
SYMPTOM: Final = "Ⓢ"
DRUG: Final = "Ⓡ"
EXAM: Final = "Ⓔ"
HINT: Final = "ⓗ"  # a part of the body, a fragment of a medical word
HOSPITAL: Final = "Ⓗ"  # a word of hospital business
DEPARTMENT: Final = "Ⓚ"
OTHER: Final = "Ⓧ"  # a word of another trade
_TRADES: Final[Mapping[str, str]] = {
    "medicine": DRUG,
    "hospital": HOSPITAL,
    "department": DEPARTMENT,
    "other": OTHER,
    "place": "Ⓟ",
    "food": "Ⓕ",
    "person": "Ⓦ",
    "time": "Ⓣ",
}
MEDICAL: Final = frozenset({DISEASE, SYMPTOM, DRUG, EXAM})

_SIGNS: Final[Mapping[str, str]] = {
    "disease": DISEASE,
    "symptom": SYMPTOM,
    "drug": DRUG,
    "exam": EXAM,
    "hint": HINT,
}
_ENTITIES: Final[Mapping[str, str]] = {
    DISEASE: "diseases",
    SYMPTOM: "symptoms",
    DRUG: "drugs",
    EXAM: "examinations",
}
WEIGHTS: Final[Mapping[str, float]] = {
    "disease": 4.0,
    "symptom": 2.0,
    "drug": 2.0,
    "exam": 2.0,
    "hint": 0.6,
}


@dataclass(frozen=True, slots=True)
class Sense:
    """What a word of the list stands for."""

    sign: str
    votes: tuple[tuple[str, float], ...] = ()  # departments


Word = Found[Sense]


@cache
def standard_departments() -> Mapping[str, Mapping[str, str]]:
    """The standard departments and the words of each, by kind."""
    return tomllib.loads((EXAMPLES / "departments.toml").read_text("utf-8"))


@cache
def standard_words() -> Terms[Sense]:
    """The words shipped with the house."""
    senses = _medical_senses(standard_departments())
    trades = tomllib.loads((EXAMPLES / "trades.toml").read_text("utf-8"))
    for trade, sign in _TRADES.items():
        for word in trades[trade].split():
            senses.setdefault(word.lower(), Sense(sign))
    return Terms(senses)


def _medical_senses(departments: Mapping[str, Mapping[str, str]]) -> dict[str, Sense]:
    kinds: dict[str, set[str]] = {}
    votes: dict[str, dict[str, float]] = {}
    for department, table in departments.items():
        for kind, words in table.items():
            for word in words.lower().split():
                kinds.setdefault(word, set()).add(kind)
                cast = votes.setdefault(word, {})
                cast[department] = max(cast.get(department, 0.0), WEIGHTS[kind])
    return {word: Sense(_sign(kinds[word]), _shared(votes[word])) for word in kinds}


def _sign(kinds: set[str]) -> str:
    return next(sign for kind, sign in _SIGNS.items() if kind in kinds)


def _shared(votes: Mapping[str, float]) -> tuple[tuple[str, float], ...]:
    """A word of several departments says less for each of them."""
    return tuple((department, weight / len(votes) ** 0.5) for department, weight in votes.items())


def medical_terms(words: Sequence[Word]) -> Mapping[str, tuple[str, ...]]:
    """The illnesses, symptoms, medicines and examinations named, each once, in order."""
    named: dict[str, dict[str, None]] = {}
    for word in words:
        if kind := _ENTITIES.get(word.value.sign):
            named.setdefault(kind, {})[word.word] = None
    return {kind: tuple(terms) for kind, terms in named.items()}


def sketched(text: str, words: Sequence[Word]) -> str:
    """*text* with every known word replaced by its sign: "阿莫西林能治咳嗽吗" → "Ⓡ能治Ⓢ吗"."""
    parts: list[str] = []
    at = 0
    for word in words:
        parts += text[at : word.start], word.value.sign
        at = word.end
    parts.append(text[at:])
    return "".join(parts)
