"""What the bot can do, a greeting, thanks, and the answer when nothing fitted."""

from __future__ import annotations

import msgspec

from bot.conversation import danger
from bot.conversation.form import Form, NoDraft, step
from bot.conversation.talk import Talk
from bot.conversation.turn import Again, Ask, Done, Start, Turn
from bot.domain.words import say

# The numbers of menu/menu, and the forms they open.
TOPICS = {
    "1": "appointment_book",
    "2": "appointment_list",
    "3": "reports",
    "4": "points_balance",
    "5": "complaint",
    "6": "praise",
    "7": "triage",
    "8": "information",
}


class Menu(Form[NoDraft]):
    """Everything the bot can do, in a few lines."""

    name = "menu"
    words = frozenset({"菜单", "帮助", "menu", "help", "功能", "你能做什么", "選單", "主菜单"})
    anywhere = True
    gives_way = True

    def begin(self, talk: Talk, draft: NoDraft) -> Turn:
        return Ask("topic", draft, say("menu/menu"))

    @step("topic")
    def topic(self, talk: Talk, draft: NoDraft) -> Turn:
        form = TOPICS.get(talk.said.plain)
        return Start(form=form) if form else Again()


class Welcome(Form[NoDraft]):
    """The first words after somebody followed the account."""

    name = "welcome"

    def begin(self, talk: Talk, draft: NoDraft) -> Turn:
        return Done(say("welcome/welcome"))


class Hello(Form[NoDraft]):
    """A greeting gets one back."""

    name = "hello"
    intents = frozenset({"greeting.chitchat"})
    words = frozenset({"你好", "您好", "hello", "hi", "在吗", "在嗎"})

    def begin(self, talk: Talk, draft: NoDraft) -> Turn:
        return Done(say("welcome/hello"))


class Thanks(Form[NoDraft]):
    """谢谢, 好的, 收到: nothing more is asked."""

    name = "thanks"
    intents = frozenset({"thanks"})

    def begin(self, talk: Talk, draft: NoDraft) -> Turn:
        return Done(say("menu/thanks"))


class Guess(msgspec.Struct, frozen=True):
    """The two likeliest wants of a text that was not understood."""

    intents: tuple[str, ...] = ()


class Lost(Form[Guess]):
    """Nothing fitted: say what can be done, offer a person; never a dead end."""

    name = "lost"
    draft = Guess
    intents = frozenset({"unknown"})

    def begin(self, talk: Talk, draft: Guess) -> Turn:
        return Done(say("menu/lost"))


class Media(Form[NoDraft]):
    """Voice, pictures, stickers: a nurse looks at them."""

    name = "media"

    def begin(self, talk: Talk, draft: NoDraft) -> Turn:
        danger.media(talk)
        return Done(say("media/received"))
