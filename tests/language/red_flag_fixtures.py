"""The sentences of `fixtures/red_flags`, written before the rules that read them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from bot.language.meaning import Context, Procedure, RedFlags, Urgency
from bot.language.red_flags import Lexicon

FOLDER = Path(__file__).parent / "fixtures" / "red_flags"
GRAVITY = {None: 0, Urgency.SAME_DAY: 1, Urgency.URGENT: 2, Urgency.EMERGENCY: 3}


@dataclass(frozen=True)
class Sentence:
    """One line of a fixture: what is typed and what must be read from it."""

    text: str
    expect: str | None  # E, U, S; S+ (at least S), alarm (U or E); None: nothing
    kind: str
    concept: str | None = None
    only: str | None = None  # the one concept that may be flagged
    ask: bool = False
    other_person: bool = False
    context: Context = field(default_factory=Context)

    @classmethod
    def of(cls, row: dict[str, Any]) -> Sentence:
        facts = dict(row.pop("context", {}))
        facts["procedures"] = tuple(Procedure(*entry) for entry in facts.pop("procedures", ()))
        return cls(**row, context=Context(**facts))


def sentences(name: str) -> list[Sentence]:
    lines = (FOLDER / f"{name}.jsonl").read_text("utf-8").splitlines()
    return [Sentence.of(json.loads(line)) for line in lines]


@cache
def lexicon() -> Lexicon:
    return Lexicon.load()


def read(sentence: Sentence) -> RedFlags:
    return lexicon().read(sentence.text, sentence.context)
