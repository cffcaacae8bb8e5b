"""Learning which descriptions belong to which department: `python -m bot.language.triage.training`.

Run it after a change of the word lists or the descriptions; the same files always give the same model.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from functools import cache
from typing import Final

from bot.language.classifier import Classifier, characters, learn
from bot.language.normalise import normalise
from bot.language.vocabulary import EXAMPLES, standard_departments

MODEL: Final = EXAMPLES / "triage.model.json"


def read_descriptions() -> Iterator[tuple[str, str]]:
    """The (department, description) pairs of our files: every word of its lists, and whole sentences."""
    for department, kinds in standard_departments().items():
        for kind, words in kinds.items():
            if kind != "hint":
                yield from ((department, word) for word in words.split())
    for department, lines in tomllib.loads((EXAMPLES / "descriptions.toml").read_text("utf-8")).items():
        yield from ((department, line) for line in lines.split("\n") if line)


def train() -> Classifier:
    """The classifier our files teach."""
    return learn([(name, sorted(characters(normalise(text).lower()))) for name, text in read_descriptions()])


@cache
def standard_model() -> Classifier:
    """The classifier shipped with the house."""
    return Classifier.load(MODEL)


if __name__ == "__main__":
    train().save(MODEL)
