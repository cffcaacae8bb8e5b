"""Learning the classifier from example sentences: `python -m bot.language.intents.training`.

Run it after a change of the sentences, the words or the rules; it takes some seconds and always writes the
same model for the same files.
"""

from __future__ import annotations

import hashlib
import random
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final

from bot.language.classifier import Classifier, learn
from bot.language.complaints import wordly_complaints
from bot.language.intents.names import known
from bot.language.intents.reader import evidence, is_foreign, testimony
from bot.language.intents.rules import Rule, standard_rules
from bot.language.normalise import normalise
from bot.language.vocabulary import EXAMPLES, standard_departments, standard_words

SENTENCES: Final = EXAMPLES / "sentences.toml"
MODEL: Final = EXAMPLES / "intents.model.json"
OWN_WEIGHT: Final = 3  # how often a hospital's own sentence is learnt for each time of ours
FILLED: Final = 6  # sentences made of one template
_SEED: Final = 7


def read_sentences(path: Path) -> Iterator[tuple[str, str]]:
    """The (intent, sentence) pairs of a TOML file: its `[sentences]`, and its `[templates]` filled.

    Raises ValueError when a table names an intent or a slot that does not exist.
    """
    content = tomllib.loads(path.read_text("utf-8"))
    for intent, lines in content.get("sentences", {}).items():
        yield from ((known(intent), line) for line in _lines(lines))
    fillings = _fillings(content.get("slots", {}))
    draw = random.Random(_SEED)
    for intent, lines in content.get("templates", {}).items():
        for line in _lines(lines):
            yield from ((known(intent), filled(line, fillings, draw)) for _ in range(FILLED))


def filled(template: str, fillings: Mapping[str, Sequence[str]], draw: random.Random) -> str:
    """*template* with a drawn word for each {slot}. Raises ValueError when a slot has no words."""
    if unknown := set(re.findall(r"\{(\w+)\}", template)) - fillings.keys():
        raise ValueError(f'"{template}": no words for {", ".join(sorted(unknown))}')
    return re.sub(r"\{(\w+)\}", lambda slot: draw.choice(fillings[slot[1]]), template)


def _fillings(slots: Mapping[str, str]) -> Mapping[str, Sequence[str]]:
    words = {name: lines.split() for name, lines in slots.items()}
    for table in standard_departments().values():
        for kind, lines in table.items():
            words.setdefault(kind, []).extend(lines.split())
    words["other"] = tomllib.loads((EXAMPLES / "trades.toml").read_text("utf-8"))["other"].split()
    return words


def _lines(text: str) -> Iterator[str]:
    return (line.strip() for line in text.split("\n") if line.strip())


def train(sentences: Iterable[tuple[str, str]], rules: Sequence[Rule]) -> Classifier:
    """The classifier these sentences teach, beside these rules."""
    return learn([(intent, _evidence(sentence, rules)) for intent, sentence in sentences])


def own_classifier(examples: Path, rules: Sequence[Rule]) -> Classifier:
    """The classifier that a hospital's *examples* teach beside ours, each of theirs counting several times.

    Learning takes some seconds, so the model is kept beside the file and learnt anew only when the file or
    ours have changed.
    """
    kept = examples.with_suffix(".model.json")
    learnt_from = hashlib.sha256(examples.read_bytes() + MODEL.read_bytes()).hexdigest()
    try:
        return Classifier.load(kept, learnt_from)
    except (OSError, ValueError, KeyError):
        own = OWN_WEIGHT * tuple(read_sentences(examples))
        classifier = train((*read_sentences(SENTENCES), *own), rules)
    with suppress(OSError):  # a folder that cannot be written to only costs the seconds again
        classifier.save(kept, learnt_from)
    return classifier


@cache
def standard_classifier() -> Classifier:
    """The classifier shipped with the house."""
    return Classifier.load(MODEL)


def _evidence(sentence: str, rules: Sequence[Rule]) -> list[str]:
    text = normalise(sentence).lower()
    words = list(standard_words().find(text))
    foreign = is_foreign(words)
    said = testimony(rules, text, wordly_complaints().read(text), foreign)
    return evidence(text, words, said, foreign)


if __name__ == "__main__":
    train(read_sentences(SENTENCES), standard_rules()).save(MODEL)
