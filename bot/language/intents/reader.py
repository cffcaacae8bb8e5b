"""From a text to its wants, in order, with the two likeliest and how sure we are.

Two witnesses are heard: the rules, exact where they know a phrase, and the classifier, which has an opinion on
everything and also sees what the rules said. Their beliefs are joined as of independent witnesses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bot.language.classifier import Classifier, features
from bot.language.complaints import Reproach
from bot.language.intents.names import OPEN, TASKS
from bot.language.intents.rules import Rule, best
from bot.language.meaning import Want
from bot.language.vocabulary import DEPARTMENT, HOSPITAL, MEDICAL, OTHER, Word

DOUBT: Final = 0.9  # for a classifier alone, where the want has words of its own and they are missing
CONTRADICTED: Final = 0.95  # for a classifier alone, where rules say something else
THRESHOLD: Final = 0.4  # less sure than this is "unknown"
TOLD: Final = frozenset({"info.faq", "triage.recommend"})  # in a complaint, part of the story
EXPLICIT: Final = 0.98  # 投诉, 举报
SURE: Final = 0.85  # what a further want of the same message needs
COMPLAINT: Final = 0.6
WORDLESS_COMPLAINT: Final = 0.75  # no word of reproach stands in it
CLOSE: Final = 0.08  # two beliefs nearer than this are both held

_PIECES = re.compile(
    r"[。！？!?；;\n]+|[,，、 ](?=另外|顺便|顺带|还有|再|同时|也|并|然后|对了|以及|还想|还要|我还)"
    r"|另外|顺便|顺带|对了[,，]?|(?<=[吗么呢科])[,，]| and (?:also )?"
)
_OURS: Final = MEDICAL | {HOSPITAL, DEPARTMENT}


@dataclass(frozen=True, slots=True)
class Reading:
    """What a message wants."""

    intent: str
    confidence: float
    likeliest: tuple[tuple[str, float], ...]
    wants: tuple[Want, ...]
    complains: bool  # it complains, whatever else it wants


class Intents:
    """Reads wants with one set of rules and one classifier."""

    def __init__(self, rules: Sequence[Rule], classifier: Classifier) -> None:
        self._rules = tuple(rules)
        self._classifier = classifier

    def read(self, text: str, words: Sequence[Word], reproach: Reproach) -> Reading:
        """Read *text* (normalised, lower case) whose known *words* and *reproach* were found before."""
        foreign = is_foreign(words)
        beliefs = self._beliefs(text, words, reproach, foreign)
        ranked = sorted(beliefs.items(), key=lambda each: -each[1])[:2]
        top, confidence = ranked[0]
        if confidence < THRESHOLD:
            top = "unknown"
        wants = self._wants(text, top, confidence, foreign)
        if len(wants) > 1:
            top, confidence = wants[0].intent, wants[0].confidence
        complains = _complains(beliefs, reproach)
        return Reading(top, confidence, tuple(ranked), wants, complains)

    def _beliefs(
        self, text: str, words: Sequence[Word], reproach: Reproach, foreign: bool
    ) -> Mapping[str, float]:
        said = testimony(self._rules, text, reproach, foreign)
        believed = self._classifier.probabilities(evidence(text, words, said, foreign))
        beliefs = {intent: _joined(intent, each, said) for intent, each in believed.items()}
        if reproach.denied:
            beliefs["complaint"] = 0.0
        return beliefs

    def _wants(self, text: str, top: str, confidence: float, foreign: bool) -> tuple[Want, ...]:
        """*top*, or all that the pieces of *text* ask for clearly, in order, each thing once."""
        whole = () if top == "unknown" else (Want(top, confidence, text),)
        if top != "complaint" and top not in TASKS:
            return whole
        wants = {want.intent: want for want in whole if top == "complaint"}
        for piece in _PIECES.split(text):
            scores = {i: s for i, s in best(self._rules, piece, foreign).items() if i in TASKS}
            intent = max(scores, key=lambda each: scores[each], default="")
            if intent and scores[intent] >= SURE and not (wants.keys() & {"complaint"} and intent in TOLD):
                wants.setdefault(intent, Want(intent, scores[intent], piece.strip(" ,，")))
        return tuple(wants.values()) or whole


def _complains(beliefs: Mapping[str, float], reproach: Reproach) -> bool:
    belief, best_belief = beliefs["complaint"], max(beliefs.values())
    if reproach.complains:
        return belief >= max(COMPLAINT, best_belief - CLOSE)
    return belief >= max(WORDLESS_COMPLAINT, best_belief)


def _joined(intent: str, believed: float, said: Mapping[str, float]) -> float:
    """What the classifier believes and the rules say, as of independent witnesses."""
    if intent in said:
        return 1 - (1 - believed) * (1 - said[intent])
    if intent not in OPEN:
        return DOUBT * believed
    return CONTRADICTED * believed if said else believed


def testimony(rules: Sequence[Rule], text: str, reproach: Reproach, foreign: bool) -> dict[str, float]:
    """What the rules and the complaint reader say the text wants."""
    said = best(rules, text, foreign)
    if reproach.complains:
        said["complaint"] = EXPLICIT if reproach.explicit else 0.93
    return said


def evidence(text: str, words: Sequence[Word], said: Mapping[str, float], foreign: bool) -> list[str]:
    """All the classifier is shown: the text's characters, its kinds of words, what the rules said."""
    grams = features(text, words)
    grams += [f"!{intent}" for intent in said]
    grams.append(f"!!{max(said, key=lambda each: said[each], default='')}")
    grams += sorted({f"%{word.value.sign}" for word in words})
    if foreign:
        grams.append("%foreign")
    return grams


def is_foreign(words: Sequence[Word]) -> bool:
    """Whether a text with these words is clearly another trade's business."""
    signs = {word.value.sign for word in words if len(word.word) > 1}
    return OTHER in signs and not signs & _OURS
