"""Yes-or-no questions about a text, answered by logistic regression over its pieces.

One model answers several questions about the same pieces. Its weights are whole numbers, kept by `model_file.py`.
"""

from __future__ import annotations

import math
import random
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

from bot.language.model_file import Rows, numbers, read_model, save_model

READ_AT_MOST: Final = 200  # characters of a text
SCALE: Final = 1000  # weights are kept to 1/1000
_EPOCHS: Final = 10
_HIDDEN: Final = 0.4  # share of the pieces hidden at each look
_RATE: Final = 0.5
_SETTLED: Final = 0.02  # an error this small teaches nothing more
_SEED: Final = 20_260_301
_NEGLIGIBLE: Final = 400  # a piece whose weights are all smaller is dropped
_NOISE: Final = re.compile(r"[ ]+|\d{5,}")  # spaces; numbers of telephones and papers
_HAN: Final = re.compile(r"[\u4e00-\u9fff]")
_WORD: Final = re.compile(r"[a-z']+")

Answers = Sequence[bool | None]  # to each question; None: it is not put


def pieces(text: str) -> set[str]:
    """The pieces of *text* (lower case) that are weighed.

    Of Chinese, its 1- to 3-grams and pairs with a gap; of other writing, its words and pairs of words.
    """
    shown = _NOISE.sub("", text[:READ_AT_MOST])
    if _HAN.search(shown):
        raw: Sequence[str] = f"^{shown}$"
        seen = set(raw)
        seen.update(map("".join, zip(raw, raw[1:], raw[2:], strict=False)))
        seen.update(map("_".join, zip(raw, raw[2:], strict=False)))
    else:
        raw = [f" {word}" for word in _WORD.findall(text[:READ_AT_MOST])]
        seen = set(raw)
    seen.update(map("".join, pairwise(raw)))
    return seen


class Opinions:
    """A learnt model: the probability of a yes to each of its questions."""

    def __init__(self, bias: Sequence[int], rows: Rows) -> None:
        self._bias = tuple(bias)
        self._rows = rows
        self._first: dict[str, int] = {}  # weights for the first question that were asked for

    def known(self, seen: Collection[str]) -> set[str]:
        """The pieces among *seen* that it has weights for."""
        return self._rows.keys() & seen

    def first(self, known: Iterable[str]) -> float:
        """The probability of a yes to the first question, of a text of these *known* pieces."""
        return self._probability(0, [self._first.get(piece) or self._read(piece) for piece in known])

    def all(self, known: Iterable[str]) -> list[float]:
        """The probability of a yes to each question."""
        rows = [numbers(self._rows[piece]) for piece in known]
        return [self._probability(n, [row[n] for row in rows]) for n in range(len(self._bias))]

    def _read(self, piece: str) -> int:
        weight = self._first[piece] = int(self._rows[piece].rstrip("],").split(",", 1)[0])
        return weight

    def _probability(self, question: int, weights: Sequence[int]) -> float:
        return probability((self._bias[question] + sum(weights) * shrink(len(weights))) / SCALE)

    @classmethod
    def load(cls, path: Path) -> Opinions:
        """Read a model. Raises ValueError when the file is none."""
        head, rows = read_model(path)
        return cls(head["bias"], rows)


def shrink(count: int) -> float:
    """What each of *count* pieces weighs, so that a long text is not certain of everything."""
    return 1 / (math.sqrt(count) + 1)


def probability(score: float) -> float:
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, score))))


def learn(rows: Sequence[tuple[Answers, Collection[str]]], path: Path, learnt_from: str) -> None:
    """Learn from texts' answers and pieces, and write the model to *path*. The same rows, the same model."""
    count = Counter(piece for _, seen in rows for piece in seen)
    shown = [(answers, sorted(p for p in seen if count[p] > 1)) for answers, seen in rows]
    questions = len(rows[0][0])
    weights: dict[str, list[int]] = defaultdict(lambda: [0] * questions)
    bias = []
    for question in range(questions):
        asked = [(answer, seen) for answers, seen in shown if (answer := answers[question]) is not None]
        constant, learnt = _regression(asked)
        bias.append(round(SCALE * constant))
        for piece, weight in learnt.items():
            weights[piece][question] = round(SCALE * weight)
    kept = [(p, row) for p, row in sorted(weights.items()) if max(map(abs, row)) >= _NEGLIGIBLE]
    save_model(path, {"learnt_from": learnt_from, "bias": bias}, kept)


def _regression(rows: Sequence[tuple[bool, list[str]]]) -> tuple[float, dict[str, float]]:
    """One question, by stochastic steps (Adagrad), a random part of the pieces hidden at each."""
    chance = random.Random(_SEED)
    weights: dict[str, float] = defaultdict(float)
    moved: dict[str, float] = defaultdict(lambda: 1e-8)
    bias, order = 0.0, list(rows)
    for _ in range(_EPOCHS):
        chance.shuffle(order)
        for right, seen in order:
            shown = [piece for piece in seen if chance.random() >= _HIDDEN]
            size = shrink(len(shown))
            error = right - probability(bias + size * sum([weights[piece] for piece in shown]))
            bias += 0.02 * error
            if abs(error) >= _SETTLED:
                step = size * error
                for piece in shown:
                    moved[piece] += step * step
                    weights[piece] += _RATE * step / math.sqrt(moved[piece])
    return bias, weights
