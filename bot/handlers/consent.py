"""退订, 停止随访, and taking it back; what was agreed to, to be read."""

from __future__ import annotations

import re

from bot.conversation.danger import SELF_HARM
from bot.conversation.form import Form, NoDraft, step
from bot.conversation.talk import Talk
from bot.conversation.turn import Again, Ask, Choice, Done, Start, Turn
from bot.domain.letter import Purpose
from bot.domain.words import say
from bot.hospital import consents
from bot.hospital.consents import CARE, NEWS
from storage.queries import alerts

_UNMISTAKABLE = frozenset({"退订", "td", "停止推送", "取消订阅", "unsubscribe"})
_CARE = re.compile("随访|回访|问卷|关怀|护理提醒|follow.?up|survey", re.IGNORECASE)
_STOPS_CARE = re.compile(
    "(?:停止|取消|退订|退掉|关闭|关掉|不要|不想|不用|不需要|别|拒绝|终止|结束).{0,6}(?:随访|回访)"
    "|(?:随访|回访).{0,4}(?:停掉|停了|取消|关掉|不要|别发|退订)|stop .{0,12}follow.?up",
    re.IGNORECASE,
)
_ASKS = re.compile("[?？吗]|什么|会不会|会怎|为何|谁")


class OptOut(Form[NoDraft]):
    """Marketing and greetings stop with the answer; care goes on."""

    name = "optout"
    intents = frozenset({"optout"})
    words = frozenset(
        {"退订", "td", "停止推送", "别发了", "停止", "停", "不要再发了", "别再发了", "取消订阅", "停止订阅"}
        | {"stop", "unsubscribe", "退订推送"}
    )
    anywhere = True
    silent = True

    def begin(self, talk: Talk, draft: NoDraft) -> Turn:
        if in_danger(talk) and talk.said.plain not in _UNMISTAKABLE:
            return Done(say("consent/still_with_you"))
        if _CARE.search(talk.said.meaning.text):
            return Start(form=StopCare.name)
        consents.withdraw(talk.db, talk.contact.id, own(talk), NEWS, talk.now)
        return Done(say("consent/news_stopped"))


class StopCare(Form[NoDraft]):
    """Care contacts and surveys stop; bookings and report notices go on."""

    name = "stop_care"
    words = frozenset({"停止随访", "退订随访", "取消随访", "不要随访", "停止回访", "stop follow-up"})
    anywhere = True
    silent = True

    def opens(self, talk: Talk) -> bool:
        text = talk.said.meaning.text
        return len(text) <= 30 and bool(_STOPS_CARE.search(text)) and not _ASKS.search(text)

    def begin(self, talk: Talk, draft: NoDraft) -> Turn:
        if in_danger(talk):
            return Done(say("consent/still_with_you"))
        consents.withdraw(talk.db, talk.contact.id, own(talk), CARE, talk.now)
        return Done(say("consent/care_stopped"))


class ResumeNews(Form[NoDraft]):
    """恢复推送: the words that 退订 was answered with, said back."""

    name = "resume_news"
    words = frozenset({"恢复推送", "恢复订阅", "重新订阅", "开启推送", "resume news"})
    anywhere = True
    silent = True

    def begin(self, talk: Talk, draft: NoDraft) -> Turn:
        agreed = say("consent/news_resumed")
        consents.grant(talk.db, talk.contact.id, own(talk), NEWS, talk.now, talk.text(agreed))
        return Done(agreed)


class ResumeCare(Form[NoDraft]):
    """恢复随访."""

    name = "resume_care"
    words = frozenset({"恢复随访", "继续随访", "开启随访", "恢复回访", "resume follow-up"})
    anywhere = True
    silent = True

    def begin(self, talk: Talk, draft: NoDraft) -> Turn:
        agreed = say("consent/care_resumed")
        consents.grant(talk.db, talk.contact.id, own(talk), CARE, talk.now, talk.text(agreed))
        return Done(agreed)


class Subscribe(Form[NoDraft]):
    """订阅: the question that marketing needs a yes to, with nothing chosen beforehand (safety.md §5.4)."""

    name = "subscribe"
    words = frozenset({"订阅", "subscribe"})

    def begin(self, talk: Talk, draft: NoDraft) -> Turn:
        choices = [Choice(key, talk.text(say(f"consent/choice_{key}"))) for key in ("willing", "unwilling")]
        return Ask("agree", draft, say("consent/ask_marketing"), choices)

    @step("agree")
    def agree(self, talk: Talk, draft: NoDraft) -> Turn:
        if talk.said.no or talk.said.choice == "unwilling":
            return Done(say("consent/marketing_refused"))
        if not talk.said.yes and talk.said.choice != "willing":
            return Again()
        text = talk.text(say("consent/ask_marketing"))
        consents.grant(talk.db, talk.contact.id, own(talk), NEWS, talk.now, text)
        return Done(say("consent/marketing_agreed"))


class MyConsents(Form[NoDraft]):
    """我的授权: what may be sent, and how to change it."""

    name = "my_consents"
    words = frozenset({"我的授权", "授权记录", "我的同意", "my consents"})

    def begin(self, talk: Talk, draft: NoDraft) -> Turn:
        def on(purpose: Purpose) -> bool:
            codes: list[str | None] = [*own(talk)] or [None]
            return all(consents.allows(talk.db, talk.contact.id, code, purpose, talk.now) for code in codes)

        return Done(
            say(
                "consent/mine",
                care=on(Purpose.CARE),
                greeting=on(Purpose.GREETING),
                marketing=on(Purpose.MARKETING),
            )
        )


def own(talk: Talk) -> list[str]:
    """The patients this user is."""
    return [one.patient.code for one in talk.bindings if one.relation == "self"]


def in_danger(talk: Talk) -> bool:
    """Whether a nurse is still worried about a life. "停止" is not an opt-out then (safety.md §1.2)."""
    return alerts.has_open_alert(talk.db, talk.contact.id, SELF_HARM)
