"""A danger sign that may not be happening now: one question (safety.md §1.3)."""

from __future__ import annotations

import msgspec

from bot.conversation import danger
from bot.conversation.form import Form, step
from bot.conversation.talk import Talk
from bot.conversation.turn import Again, Ask, Choice, Done, Stop, Turn
from bot.domain.words import say

ANSWERS = ("self", "family", "over", "question")
HAPPENING = ("self", "family")


class Doubt(msgspec.Struct, frozen=True):
    """The danger sign that is being asked about."""

    alert: int | None = None  # the alarm it is already, or becomes when nobody answers
    urgency: str = "U"
    concept: str = ""
    text: str = ""
    alarmed: bool = False  # the nurses know already; the answer tells them more


class SafetyCheck(Form[Doubt]):
    """Is it happening now? The conversation begins it; patients do not."""

    name = "safety_check"
    draft = Doubt

    def begin(self, talk: Talk, draft: Doubt) -> Turn:
        choices = tuple(Choice(key, talk.text(say(f"red_flag/choice_{key}"))) for key in ANSWERS)
        return Ask("happening", draft, say("red_flag/ask"), choices)

    @step("happening")
    def happening(self, talk: Talk, draft: Doubt) -> Turn:
        if talk.said.choice is None:
            return Again()
        if talk.said.choice in HAPPENING and draft.alarmed:
            return Stop(say("red_flag/known"), everything=True)
        if talk.said.choice in HAPPENING:
            return Stop(
                danger.confirm(talk, draft.alert, draft.urgency, draft.concept, draft.text), everything=True
            )
        danger.stand_down(talk, draft.alert, talk.said.choice)
        return Done(say("red_flag/no_danger"))
