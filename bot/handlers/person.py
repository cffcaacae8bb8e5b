"""A person, please."""

from __future__ import annotations

from bot.conversation.form import Form, NoDraft
from bot.conversation.talk import Talk
from bot.conversation.turn import HandOver, Turn


class Person(Form[NoDraft]):
    """Hand the conversation to a nurse, with everything that is settled so far."""

    name = "person"
    intents = frozenset({"human.handoff"})
    words = frozenset(
        {
            "人工",
            "转人工",
            "人工客服",
            "人工服务",
            "找护士",
            "找人工",
            "nurse",
            "person",
            "human",
            "轉人工",
            "真人",
        }
    )
    anywhere = True

    def begin(self, talk: Talk, draft: NoDraft) -> Turn:
        return HandOver("患者要求人工")
