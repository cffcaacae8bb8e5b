"""A second reader of danger, learnt from sentences, that may only add alarms (safety.md §1.2).

Rules know the pictures of danger that somebody thought of. This model over characters has an opinion on every
message. It is heard when the rules found no emergency, and takes nothing back. It is learnt by
`python -m bot.language.red_flags.training`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from bot.language.logistic import READ_AT_MOST, Opinions, pieces
from bot.language.meaning import RedFlag, Urgency

MODEL: Final = Path(__file__).parent.parent / "examples" / "danger.model.json"
QUESTIONS: Final = ("danger", "emergency", "self_harm", "threat")
ENOUGH: Final = 0.85  # from this probability on it is an alarm
CERTAIN: Final = 0.9  # below it, it is also asked whether it is happening now
EMERGENCY: Final = 0.4  # of an alarm: errs upward
LIKELY: Final = 0.5  # of an alarm: that it is about self-harm, or a threat
UNNAMED: Final = "X00"  # no concept of the lexicon: what the model alone takes for dangerous
_SELF_HARM: Final = {Urgency.EMERGENCY: "M02", Urgency.URGENT: "M01"}
_THREAT: Final = "M06"
_UNIT: Final = re.compile(r"[\u4e00-\u9fff]|[a-z']+")
_LEAST: Final = 5  # characters or words on which it has an opinion: names and 我妈 are answers to questions


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the second reader thinks of a message."""

    danger: float  # probability that somebody must look within minutes
    urgency: Urgency
    concept: str
    graver: bool = False  # an emergency, even where the rules found something merely urgent


def shown(text: str, doubts: Iterable[str]) -> set[str]:
    """What the model sees: pieces of the folded *text*, and why rules held back."""
    return pieces(text) | {f"?{why}" for why in doubts}


class Witness:
    """The second reader."""

    def __init__(self, opinions: Opinions) -> None:
        self._opinions = opinions

    def hear(self, text: str, doubts: Iterable[str] = ()) -> Opinion | None:
        """What it thinks of the folded *text*, of which the rules had these *doubts*. None: too short to say."""
        if len(_UNIT.findall(text[:READ_AT_MOST])) < _LEAST:
            return None
        known = self._opinions.known(shown(text, doubts))
        danger = self._opinions.first(known)
        if danger < ENOUGH:
            return Opinion(danger, Urgency.URGENT, UNNAMED)
        _, emergency, self_harm, threat = self._opinions.all(known)
        if threat >= LIKELY and threat > self_harm:
            return Opinion(danger, Urgency.EMERGENCY, _THREAT, graver=True)
        urgency = Urgency.EMERGENCY if emergency >= EMERGENCY else Urgency.URGENT
        concept = _SELF_HARM[urgency] if self_harm >= LIKELY else UNNAMED
        return Opinion(danger, urgency, concept, graver=emergency >= LIKELY)


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
    return Witness(Opinions.load(MODEL))
