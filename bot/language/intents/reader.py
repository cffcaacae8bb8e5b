"""From a text to its wants, in order, with the two likeliest and how sure we are."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from bot.language.complaints import Temper
from bot.language.intents.rules import Rule, best
from bot.language.meaning import Want
from bot.language.terms import Found, Terms
from bot.language.triage.departments import Votes

EXAMPLES: Final = Path(__file__).parent.parent / "examples"
ACTIONABLE: Final = frozenset(
    {
        "appointment.book",
        "appointment.cancel",
        "appointment.reschedule",
        "appointment.query",
        "report.query",
        "triage.recommend",
        "points.balance",
        "points.redeem",
        "membership.coupon",
        "human.handoff",
        "optout",
        "info.faq",
    }
)
THRESHOLD: Final = 0.45
SURE: Final = 0.85

_PIECES = re.compile(
    r"[。！？!?；;\n]+|[,，、 ](?=另外|顺便|顺带|还有|再|同时|也|并|然后|对了|以及|还想|还要|我还)"
    r"|另外|顺便|顺带|对了[,，]?"
)
_CLAUSES = re.compile(r"[,，]")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a message wants."""

    intent: str
    confidence: float
    likeliest: tuple[tuple[str, float], ...]
    wants: tuple[Want, ...]


@cache
def trade_words() -> Terms[str]:
    """Words that place a message: `hospital` or `other`."""
    content = tomllib.loads((EXAMPLES / "trades.toml").read_text("utf-8"))
    return Terms({word: trade for trade, words in content.items() for word in words.split()})


class Intents:
    """Reads wants with one set of rules."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = tuple(rules)
        self._trades = trade_words()

    def read(self, text: str, medical: Sequence[Found[Votes]], temper: Temper) -> Reading:
        """Read *text* (normalised, lower case) whose *medical* words and *temper* are known."""
        foreign = self._is_foreign(text, medical)
        scores = best(self._rules, text, foreign)
        self._weigh_illness(scores, text, medical, foreign)
        if temper.is_complaint:
            scores["complaint"] = 0.98 if temper.explicit else 0.93
        ranked = sorted(scores.items(), key=lambda each: -each[1])
        top, confidence = ranked[0] if ranked else ("unknown", 0.5)
        wants = self._wants(text, foreign) if top in ACTIONABLE else ()
        if not wants and confidence >= THRESHOLD and top != "unknown":
            wants = (Want(top, confidence, text),)
        if len(wants) > 1:
            top, confidence = wants[0].intent, wants[0].confidence
        if confidence < THRESHOLD:
            top = "unknown"
        return Reading(top, confidence, tuple(ranked[:2]), wants)

    def _is_foreign(self, text: str, medical: Sequence[Found[Votes]]) -> bool:
        other = ours = 0
        for word in self._trades.find(text):
            if word.value == "other":
                other += 1
            else:
                ours += 1
        if not other or ours:
            return False
        return not any(_is_clear(word) for word in medical)

    @staticmethod
    def _weigh_illness(
        scores: dict[str, float], text: str, medical: Sequence[Found[Votes]], foreign: bool
    ) -> None:
        if foreign:
            return
        kinds = {kind for word in medical for _, kind, _ in word.value}
        if "drug" in kinds:
            scores["medication.postop"] = max(scores.get("medication.postop", 0.0), 0.8)
        if kinds & {"disease", "symptom", "exam"}:
            scores["health.consult"] = 0.78
        elif "hint" in kinds:
            scores["health.consult"] = 0.5

    def _wants(self, text: str, foreign: bool) -> tuple[Want, ...]:
        wants: list[Want] = []
        for piece in _pieces(text):
            scores = {i: s for i, s in best(self._rules, piece, foreign).items() if i in ACTIONABLE}
            if not scores:
                continue
            intent = max(scores, key=lambda each: scores[each])
            if intent not in {want.intent for want in wants}:
                wants.append(Want(intent, scores[intent], piece.strip(" ,，")))
        return tuple(wants)


def _pieces(text: str) -> list[str]:
    return [piece for piece in _PIECES.split(text) if piece and piece.strip()]


def _is_clear(word: Found[Votes]) -> bool:
    return len(word.word) > 1 and any(
        kind in ("disease", "symptom", "drug", "exam") for _, kind, _ in word.value
    )
