"""Learning who complains, and how gravely: `python -m bot.language.grievances`.

Run it after a change of `sentences.toml` or `grievances.toml`; the same files always give the same model.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator
from typing import Final

from bot.language.complaints import EXAMPLES, MODEL
from bot.language.intents.training import SENTENCES, read_sentences
from bot.language.logistic import Answers, learn, pieces
from bot.language.normalise import normalise

GRIEVANCES: Final = EXAMPLES / "grievances.toml"
DANGER: Final = EXAMPLES / "danger.toml"


def examples() -> Iterator[tuple[Answers, str]]:
    """What is said, and whether it complains, of harm (C1), of waiting and building (C4)."""
    for level, lines in tomllib.loads(GRIEVANCES.read_text("utf-8"))["sentences"].items():
        for line in lines.split("\n"):
            if line.strip():
                yield _answers(level), line
    for intent, sentence in read_sentences(SENTENCES):
        yield (intent == "complaint", None, None), sentence
    for lines in tomllib.loads(DANGER.read_text("utf-8"))["sentences"].values():
        yield from (((False, None, None), line) for line in lines.split("\n") if line.strip())


def _answers(level: str) -> Answers:
    return (False, None, None) if level == "none" else (True, level == "C1", level == "C4")


def learnt_from() -> str:
    """A fingerprint of the files the model is learnt from."""
    return hashlib.sha256(b"".join(f.read_bytes() for f in (GRIEVANCES, SENTENCES, DANGER))).hexdigest()


if __name__ == "__main__":
    rows = [(answers, pieces(normalise(text).lower())) for answers, text in examples()]
    learn(rows, MODEL, learnt_from())
