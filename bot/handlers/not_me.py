"""不是本人: whoever it is, nothing more about that patient goes to this WeChat."""

from __future__ import annotations

from bot.conversation import about
from bot.conversation.form import Form, NoDraft, step
from bot.conversation.talk import Talk
from bot.conversation.turn import Again, Ask, Choice, Done, Stop, Turn
from bot.domain.patient import Binding
from bot.domain.words import say
from bot.hospital import identity
from storage.queries import alerts, consents, conversations

ALL = "all"
_INVITATIONS = ("回复9", "回覆9", "reply 9")  # the care texts that end with it


class NotMe(Form[NoDraft]):
    """Stops everything for this user and patient at once, and somebody looks why (PRV-23)."""

    name = "not_me"
    words = frozenset({"不是本人", "非本人", "发错人了", "认错人了", "不是我本人", "not me", "wrong person"})
    anywhere = True
    silent = True

    def opens(self, talk: Talk) -> bool:
        """ "9" alone, when the last thing this user read offered it."""
        if talk.said.plain != "9":
            return False
        read = conversations.last_sent_text(talk.db, talk.contact.id).lower()
        return any(words in read for words in _INVITATIONS)

    def begin(self, talk: Talk, draft: NoDraft) -> Turn:
        if not talk.bindings:
            _tell_staff(talk, None)
            return Done(say("consent/not_me_unknown"))
        if len(talk.bindings) == 1:
            return self._stop(talk, talk.bindings)
        everybody = Choice(ALL, talk.text(say("consent/choice_all")), ("全部", "都不是", "all", "none"))
        return Ask("who", draft, say("consent/not_whom"), (*about.choices(talk, talk.bindings), everybody))

    @step("who")
    def who(self, talk: Talk, draft: NoDraft) -> Turn:
        meant = [one for one in talk.bindings if talk.said.choice in (ALL, one.patient.code)]
        return self._stop(talk, meant) if meant else Again()

    def _stop(self, talk: Talk, bindings: list[Binding] | tuple[Binding, ...]) -> Turn:
        for one in bindings:
            identity.end(talk.db, one.id, "wrong_person", talk.now)
            for contact_id in {one.contact_id, talk.contact.id}:
                consents.stop_letters_about(talk.db, contact_id, one.patient.code, "wrong_person")
            _tell_staff(talk, one.patient.code)
        return Stop(say("consent/not_me"), everything=True)


def _tell_staff(talk: Talk, patient_code: str | None) -> None:
    alerts.add_task(
        talk.db,
        {
            "at": talk.now,
            "key": f"not-me:{talk.message_id}:{patient_code}",
            "contact_id": talk.contact.id,
            "patient_code": patient_code,
            "kind": "callback",
            "reason": "隐私事件：微信用户表示不是本人或家属。已停止发送并解除关联，请核对登记的手机号和关联经过。",
            "status": "open",
            "due_at": talk.now,
        },
    )
