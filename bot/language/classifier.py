"""A small linear classifier over characters, for what no rule and no word list knows.

An averaged multi-class perceptron with a margin. Everything is whole numbers: the weights of all intents for one
feature are packed into a single integer, 64 bits an intent, so that scoring a sentence is one sum, training on
some thousand sentences takes seconds, and the same sentences always give the same model. The model is JSON.
"""

from __future__ import annotations

import math
import random
import struct
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from bot.language.model_file import Rows, numbers, read_model, save_model
from bot.language.vocabulary import Word, sketched

READ_AT_MOST: Final = 160  # characters of a message
_MARGIN: Final = 12
_EPOCHS: Final = 12
_ROUNDS: Final = 3
_HIDDEN: Final = 0.4  # share of the features hidden at each look
_SEED: Final = 20_260_301
_FIELD: Final = 64
_HALF: Final = 1 << (_FIELD - 1)
_SCALE: Final = 64  # averaged weights are kept to 1/64
_NEGLIGIBLE: Final = 64  # features of smaller weights are dropped from the model


def characters(text: str) -> set[str]:
    """The 1- to 3-grams of *text*, its beginning and end marked."""
    raw = f"^{text[:READ_AT_MOST]}$"
    return {raw[i : i + n] for n in (1, 2, 3) for i in range(len(raw) - n + 1)}


def features(text: str, words: Sequence[Word]) -> list[str]:
    """What the classifier sees of *text*: its 1- to 3-grams, and those of its sketch."""
    grams = characters(text)
    sketch = f"^{sketched(text, words)[:READ_AT_MOST]}$"
    grams |= {"~" + sketch[i : i + n] for n in (1, 2, 3, 4) for i in range(len(sketch) - n + 1)}
    grams.add("=" + sketch)
    grams.add(f"#{min(len(text).bit_length(), 7)}")
    return sorted(grams)


class Classifier:
    """Scores a sentence's features for every intent."""

    def __init__(self, labels: Sequence[str], weights: dict[str, int], unread: Rows | None = None) -> None:
        self.labels = tuple(labels)
        self._weights = weights
        self._unread = unread or {}  # of a model on disk, what no sentence has asked for yet
        self._unpack = struct.Struct(f"<{len(labels)}Q").unpack
        self._offset = packed([_HALF] * len(labels))

    def __iter__(self) -> Iterator[str]:
        """The features it knows."""
        self._read(list(self._unread))
        return iter(self._weights)

    def _read(self, grams: Iterable[str]) -> None:
        """Read the rows of *grams*. A row leaves `_unread` after it is in `_weights`: threads may race."""
        for gram in self._unread.keys() & grams:
            if (row := self._unread.get(gram)) is not None:
                self._weights[gram] = packed(numbers(row))
                self._unread.pop(gram, None)

    def scores(self, grams: Collection[str]) -> list[int]:
        """One whole number a label; only their differences mean anything."""
        if self._unread:
            self._read(grams)
        weights = self._weights
        total = sum([weights[gram] for gram in grams if gram in weights])
        return [
            field - _HALF
            for field in self._unpack((total + self._offset).to_bytes(8 * len(self.labels), "little"))
        ]

    def probabilities(self, grams: Collection[str]) -> dict[str, float]:
        """How likely each intent is, as far as the examples go."""
        scores = self.scores(grams)
        top = max(scores)
        odds = [math.exp((score - top) / (_SCALE * _MARGIN / 2)) for score in scores]
        whole = sum(odds)
        return {label: each / whole for label, each in zip(self.labels, odds, strict=True)}

    def save(self, path: Path, learnt_from: str = "") -> None:
        """Write the model as JSON, one feature a line, with a word on what it was *learnt_from*."""
        rows = sorted((gram, self.scores([gram])) for gram in self)
        save_model(path, {"learnt_from": learnt_from, "labels": self.labels}, rows)

    @classmethod
    def load(cls, path: Path, learnt_from: str = "") -> Classifier:
        """Read a model. Raises ValueError when it is none, or was learnt from something else."""
        head, rows = read_model(path)
        if head["learnt_from"] != learnt_from:
            raise ValueError(f"{path.name} was learnt from other files")
        return cls(head["labels"], {}, rows)


def packed(weights: Iterable[int]) -> int:
    """Whole numbers, negative ones too, as the 64-bit fields of one integer."""
    return sum(weight << (_FIELD * at) for at, weight in enumerate(weights) if weight)


def learn(examples: Sequence[tuple[str, Sequence[str]]], seen_at_least: int = 2) -> Classifier:
    """Train on (label, features). Features of fewer examples than *seen_at_least* are left out.

    Every look at an example hides a random part of its features (drop-out), so that no single one of them,
    a rule's word least of all, is relied on alone; several rounds of different chance are averaged.
    """
    labels = sorted({label for label, _ in examples})
    at = {label: number for number, label in enumerate(labels)}
    count = Counter(gram for _, grams in examples for gram in grams)
    known = [gram for gram, n in count.items() if n >= seen_at_least]
    rows = [
        (at[label], [gram for gram in grams if count[gram] >= seen_at_least]) for label, grams in examples
    ]
    total = dict.fromkeys(known, 0)
    for number in range(_ROUNDS):
        for gram, averaged in _round(labels, rows, known, random.Random(_SEED + number)).items():
            total[gram] += averaged
    return Classifier(labels, _shared(Classifier(labels, total)))


def _round(
    labels: Sequence[str], rows: list[tuple[int, list[str]]], known: Sequence[str], chance: random.Random
) -> dict[str, int]:
    """The weights of one training run, averaged over all its steps."""
    weights = dict.fromkeys(known, 0)
    drift = dict.fromkeys(known, 0)  # step-weighted changes, for the average
    learner = Classifier(labels, weights)
    order, step = list(rows), 1
    for _ in range(_EPOCHS):
        chance.shuffle(order)
        for right, grams in order:
            shown = [gram for gram in grams if chance.random() >= _HIDDEN]
            change = _correction(learner.scores(shown), right)
            if change:
                for gram in shown:
                    weights[gram] += change
                    drift[gram] += step * change
            step += 1
    return _averaged(labels, weights, drift, step)


def _correction(scores: list[int], right: int) -> int:
    """What to add to every feature so that the right label leads by the margin; 0 when it does."""
    mine, scores[right] = scores[right], min(scores) - 1
    rival = max(scores)
    if mine - rival >= _MARGIN:
        return 0
    return (1 << (_FIELD * right)) - (1 << (_FIELD * scores.index(rival)))


def _averaged(
    labels: Sequence[str], weights: dict[str, int], drift: dict[str, int], steps: int
) -> dict[str, int]:
    now, moved = Classifier(labels, weights), Classifier(labels, drift)
    averaged = {}
    for gram in weights:
        pairs = zip(now.scores([gram]), moved.scores([gram]), strict=True)
        averaged[gram] = packed(round(_SCALE * (weight - change / steps)) for weight, change in pairs)
    return averaged


def _shared(total: Classifier) -> dict[str, int]:
    """The mean of the rounds, without the features that hardly matter."""
    shared = {}
    for gram in total:
        mean = [weight // _ROUNDS for weight in total.scores([gram])]
        if max(map(abs, mean)) >= _NEGLIGIBLE:
            shared[gram] = packed(mean)
    return shared
