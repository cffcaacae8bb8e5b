"""Learning the second reader of danger: `python -m bot.language.red_flags.training FOLDER`.

It learns from `examples/danger.toml`, from the sentences of all other wants, which are routine, and from the
labelled sentences (`*.jsonl`: text, expect, concept) in FOLDER. The same files always give the same model.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bot.language.intents.training import SENTENCES, read_sentences
from bot.language.meaning import Urgency
from bot.language.model_file import save_model
from bot.language.normalise import normalise
from bot.language.red_flags.reader import Lexicon
from bot.language.red_flags.witness import MODEL, QUESTIONS, SCALE, grams, probability, shrink
from bot.language.vocabulary import EXAMPLES

DANGER: Final = EXAMPLES / "danger.toml"
DESCRIPTIONS: Final = EXAMPLES / "descriptions.toml"
_LABELLED: Final = ("emergency", "urgent", "routine", "traps")
_EPOCHS: Final = 10
_HIDDEN: Final = 0.4  # share of the features hidden at each look
_RATE: Final = 0.5
_SETTLED: Final = 0.02  # an error this small teaches nothing more
_SEED: Final = 20_260_301
_NEGLIGIBLE: Final = 400  # a gram whose weights are all smaller is dropped
_SELF_HARM: Final = frozenset({"M01", "M02", "M03", "M04"})


@dataclass(frozen=True, slots=True)
class Example:
    """A sentence and what is to be said of it."""

    text: str
    expect: str | None  # E, U; all else is routine
    concept: str | None = None

    def answer(self, question: str) -> bool | None:
        """The right answer, None when the question is not put: it is put of dangers alone, but for the first."""
        danger = self.expect in ("E", "U")
        if question == "danger":
            return danger
        if not danger:
            return None
        if question == "emergency":
            return self.expect == "E"
        return self.concept in _SELF_HARM if question == "self_harm" else self.concept == "M06"


def examples(folder: Path) -> Iterator[Example]:
    """Everything there is to learn from, once each sentence."""
    for label, lines in tomllib.loads(DANGER.read_text("utf-8"))["sentences"].items():
        expect, _, concept = label.partition(" ")
        yield from (Example(line.strip(), expect, concept) for line in lines.split("\n") if line.strip())
    for name in _LABELLED:
        for line in (folder / f"{name}.jsonl").read_text("utf-8").splitlines():
            row = json.loads(line)
            if not row.get("context"):
                yield Example(row["text"], row["expect"], row.get("concept"))
    for intent, sentence in read_sentences(SENTENCES):
        yield Example(sentence, "E" if intent == "emergency" else None)
    for lines in tomllib.loads(DESCRIPTIONS.read_text("utf-8")).values():
        # What brings people to a department is routine, unless a rule says otherwise.
        yield from (Example(line, None) for line in lines.split("\n") if line and not _flagged(line))


def learnt_from(folder: Path) -> str:
    """A fingerprint of the files the model is learnt from."""
    files = (DANGER, SENTENCES, DESCRIPTIONS, *(folder / f"{name}.jsonl" for name in _LABELLED))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def train(rows: Sequence[Example]) -> tuple[list[int], dict[str, list[int]]]:
    """The bias and the weights of every gram, one for each question."""
    seen = [_seen(row.text) for row in rows]
    count = Counter(gram for each in seen for gram in each)
    seen = [[gram for gram in each if count[gram] > 1] for each in seen]
    weights: dict[str, list[int]] = defaultdict(lambda: [0] * len(QUESTIONS))
    biases = []
    for number, question in enumerate(QUESTIONS):
        asked = [
            (answer, each)
            for row, each in zip(rows, seen, strict=True)
            if (answer := row.answer(question)) is not None
        ]
        bias, learnt = _logistic(asked)
        biases.append(round(SCALE * bias))
        for gram, weight in learnt.items():
            weights[gram][number] = round(SCALE * weight)
    kept = {g: w for g, w in sorted(weights.items()) if max(map(abs, w)) >= _NEGLIGIBLE}
    return biases, kept


def _flagged(text: str) -> bool:
    return _lexicon().read(text).urgency in (Urgency.EMERGENCY, Urgency.URGENT)


def _seen(text: str) -> list[str]:
    lexicon = _lexicon()
    flags = lexicon.read(text)
    return sorted(
        grams(lexicon.entries.spelling.fold(normalise(text)).text, (s.why for s in flags.suppressed))
    )


def _lexicon(loaded: list[Lexicon] = []) -> Lexicon:  # noqa: B006 - loaded once
    if not loaded:
        loaded.append(Lexicon.load())
    return loaded[0]


def _logistic(rows: Sequence[tuple[bool, list[str]]]) -> tuple[float, dict[str, float]]:
    """Logistic regression by stochastic steps (Adagrad), a random part of the features hidden each time."""
    chance = random.Random(_SEED)
    weights: dict[str, float] = defaultdict(float)
    moved: dict[str, float] = defaultdict(lambda: 1e-8)
    bias, order = 0.0, list(rows)
    for _ in range(_EPOCHS):
        chance.shuffle(order)
        for right, seen in order:
            shown = [gram for gram in seen if chance.random() >= _HIDDEN]
            size = shrink(len(shown))
            error = right - probability(bias + size * sum([weights[gram] for gram in shown]))
            bias += 0.02 * error
            if abs(error) >= _SETTLED:
                step = size * error
                for gram in shown:
                    moved[gram] += step * step
                    weights[gram] += _RATE * step / math.sqrt(moved[gram])
    return bias, weights


def save(path: Path, folder: Path) -> None:
    """Learn, and write the model as JSON, a gram a line."""
    bias, weights = train(list(examples(folder)))
    save_model(path, {"learnt_from": learnt_from(folder), "bias": bias}, weights.items())


if __name__ == "__main__":
    save(MODEL, Path(sys.argv[1]))
