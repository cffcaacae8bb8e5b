"""A second reader of danger, learnt from sentences, that may only add alarms (safety.md §1.2).

Rules know the pictures of danger that somebody thought of. This small linear model over characters has an
opinion on every message, and is heard only when the rules found nothing urgent: it takes nothing back.
It is JSON of whole numbers, learnt by `python -m bot.language.red_flags.training`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Final

from bot.language.meaning import RedFlag, Urgency
from bot.language.model_file import Rows, numbers, read_model

MODEL: Final = Path(__file__).parent.parent / "examples" / "danger.model.json"
READ_AT_MOST: Final = 200  # characters of a message
SCALE: Final = 1000  # weights are kept to 1/1000
ENOUGH: Final = 0.8  # from this probability on it is an alarm
CERTAIN: Final = 0.9  # below it, it is also asked whether it is happening now
EMERGENCY: Final = 0.4  # of an alarm: errs upward
LIKELY: Final = 0.5  # of an alarm: that it is about self-harm, or a threat
QUESTIONS: Final = ("danger", "emergency", "self_harm", "threat")
UNNAMED: Final = "X00"  # no concept of the lexicon: what the model alone takes for dangerous
_NOISE: Final = re.compile(r"[ ]+|\d{5,}")  # spaces; numbers of telephones and papers
_HAN: Final = re.compile(r"[\u4e00-\u9fff]")
_WORD: Final = re.compile(r"[a-z']+")
_UNIT: Final = re.compile(r"[\u4e00-\u9fff]|[a-z']+")
_LEAST: Final = 5  # characters or words on which it has an opinion: names and 我妈 are answers to questions
_SELF_HARM: Final = {Urgency.EMERGENCY: "M02", Urgency.URGENT: "M01"}
_THREAT: Final = "M06"


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the second reader thinks of a message."""

    danger: float  # probability that somebody must look within minutes
    urgency: Urgency
    concept: str


def grams(text: str, doubts: Iterable[str]) -> set[str]:
    """What the model sees of *text* (folded), and why rules held back.

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
    seen.update(f"?{why}" for why in doubts)
    return seen


class Witness:
    """Weighs a message by learnt weights, one for each of the `QUESTIONS`."""

    def __init__(self, bias: Sequence[int], rows: Rows) -> None:
        self._bias = tuple(bias)
        self._rows = rows
        self._danger: dict[str, int] = {}  # the first weight of the grams that were asked for

    def hear(self, text: str, doubts: Iterable[str] = ()) -> Opinion | None:
        """What it thinks of the folded *text*, of which the rules had these *doubts*. None: too short to say."""
        if len(_UNIT.findall(text[:READ_AT_MOST])) < _LEAST:
            return None
        known = self._rows.keys() & grams(text, doubts)
        danger = self._probability(0, [self._danger.get(gram) or self._first(gram) for gram in known])
        if danger < ENOUGH:
            return Opinion(danger, Urgency.URGENT, UNNAMED)
        columns = zip(*[numbers(self._rows[gram]) for gram in known], strict=True)
        _, emergency, self_harm, threat = (self._probability(n, each) for n, each in enumerate(columns))
        if threat >= LIKELY and threat > self_harm:
            return Opinion(danger, Urgency.EMERGENCY, _THREAT)
        urgency = Urgency.EMERGENCY if emergency >= EMERGENCY else Urgency.URGENT
        return Opinion(danger, urgency, _SELF_HARM[urgency] if self_harm >= LIKELY else UNNAMED)

    def _first(self, gram: str) -> int:
        """The weight for danger of a gram not met before."""
        weight = self._danger[gram] = int(self._rows[gram].split(",", 1)[0])
        return weight

    def _probability(self, question: int, weights: Sequence[int]) -> float:
        return probability((self._bias[question] + sum(weights) * shrink(len(weights))) / SCALE)

    @classmethod
    def load(cls, path: Path = MODEL) -> Witness:
        """Read a model."""
        head, rows = read_model(path)
        return cls(head["bias"], rows)


def shrink(count: int) -> float:
    """What *count* grams weigh each, so that a long message is not certain of everything."""
    return 1 / (math.sqrt(count) + 1)


def probability(score: float) -> float:
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, score))))


def as_flag(opinion: Opinion, text: str, other_person: bool) -> RedFlag | None:
    """The alarm an opinion is worth, if it is worth one."""
    if opinion.danger < ENOUGH:
        return None
    return RedFlag(
        concept=opinion.concept,
        urgency=opinion.urgency,
        text=text,
        rule=f"second reader {opinion.danger:.2f}",
        ask=opinion.danger < CERTAIN,
        other_person=other_person,
    )


@cache
def standard_witness() -> Witness:
    """The model shipped with the house."""
    return Witness.load()
