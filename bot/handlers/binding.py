"""绑定: the writer's own record; and the fresh code before a report."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from bot.conversation.form import Form, step
from bot.conversation.talk import Talk
from bot.conversation.turn import Again, Ask, Choice, Done, Start, Stop, Turn
from bot.domain.patient import Binding as Bound
from bot.domain.words import say
from bot.handlers.family import RELATIONS, notify
from bot.handlers.proof import RESEND, Proof, ProofForm, failed, masked_phone, papers_in, send_code
from bot.hospital import identity
from bot.hospital.identity import CodeCheck
from storage.queries import identity as rows
from storage.rows import Row

_GUARDIAN = {"yes": ("是", "是的", "对", "确认", "好的", "yes"), "no": ("否", "不", "不是", "no")}

_OPENS = re.compile(
    r"^(?:你好|您好|请|帮我|给我|我要|我想|想|要|怎么|如何|怎样|在哪|麻烦|重新|[,，。 ])*(?:绑定(?!.{0,4}(?:医保|社保|银行|支付))|绑卡|关联就诊)"
    r"|^(?:bind|link) (?:me|my|account|record)\b",
    re.IGNORECASE,
)
_FAMILY = re.compile(
    "家人|家属|孩子|小孩|儿子|女儿|我妈|我爸|妈妈|爸爸|父母|母亲|父亲|老公|老婆|爱人|老人|别人|family"
)


class Binding(ProofForm):
    """Link a WeChat user and the patient he is."""

    name = "binding"
    words = frozenset(
        {"绑定", "绑卡", "绑定就诊卡", "绑定就诊人", "绑定手机", "绑定手机号", "我要绑定", "bind", "link"}
    )

    def opens(self, talk: Talk) -> bool:
        text = talk.said.meaning.text
        if _OPENS.search(text):
            return not _FAMILY.search(text)
        if talk.bindings or not (talk.said.meaning.phone or "+" in text):
            return False
        papers = papers_in(talk)
        return bool(papers.phone and papers.alone)

    def needed(self, draft: Proof) -> int:
        return 1 if draft.need == 1 else 2

    def begin(self, talk: Talk, draft: Proof) -> Turn:
        if draft.need:  # the message belongs to the form that waits for this one
            return self.go_on(talk, draft)
        papers = papers_in(talk)
        half = next((one for one in talk.bindings if one.relation == "self" and one.level < 2), None)
        if half is not None and not papers.phone:
            return self.take(talk, msgspec.structs.replace(draft, patient=half.patient.code), papers)
        if papers:
            return self.take(talk, draft, papers)
        if own := [one for one in talk.bindings if one.relation == "self"]:
            return self._already(talk, draft, own[0])
        return self.go_on(talk, draft)

    # Linked already

    def _already(self, talk: Talk, draft: Proof, own: Bound) -> Turn:
        choices = [
            Choice(key, talk.text(say(f"binding/choice_{key}"))) for key in ("family", "other_phone", "end")
        ]
        return Ask("already", draft, say("binding/already", name=own.patient.masked_name), choices)

    @step("already")
    def already(self, talk: Talk, draft: Proof) -> Turn:
        match talk.said.choice:
            case "family":
                return Start(form="family")
            case "end":
                return Start(form="unbinding")
            case "other_phone":
                return self.go_on(talk, draft)
        return self.answered(talk, draft, "already")

    # Proven

    def code_alone(self, talk: Talk, draft: Proof, known: Sequence[Row]) -> Proof:
        """The code alone makes level 1, until something that is said next contradicts it."""
        if len(known) != 1 or draft.provisional or not draft.proven or self._is_child(talk, known[0]):
            return draft
        before = rows.binding_of(talk.db, talk.contact.id, known[0].code)
        if before is not None or self._own_other(talk, known[0]):
            return draft
        number = self._bind(talk, draft, known[0], "self", 1)
        return msgspec.structs.replace(draft, provisional=number)

    def found(self, talk: Talk, draft: Proof, patient: Row, level: int) -> Turn:
        draft = msgspec.structs.replace(draft, fits=patient.code)
        bound = rows.binding_of(talk.db, talk.contact.id, patient.code)
        relation = bound.relation if bound is not None else "self"
        if relation == "self" and self._is_child(talk, patient):
            choices = [Choice(key, talk.text(say(f"family/{key}")), word) for key, word in _GUARDIAN.items()]
            return Ask("guardian", draft, say("binding/ask_guardian"), choices)
        if bound is None and self._own_other(talk, patient):
            choices = [Choice(key, talk.text(say(f"family/{key}"))) for key in RELATIONS]
            return Ask("relation", draft, say("binding/ask_relation"), choices)
        return self._done(talk, draft, patient, relation, level)

    @step("guardian")
    def guardian(self, talk: Talk, draft: Proof) -> Turn:
        if talk.said.choice is None:
            return Again()
        if talk.said.choice == "no":
            return Stop(say("about/guardian_needed"))
        return self._related(talk, draft, "child")

    @step("relation")
    def relation(self, talk: Talk, draft: Proof) -> Turn:
        relation = talk.said.choice or talk.said.meaning.relation
        return self._related(talk, draft, relation) if relation else Again()

    def _related(self, talk: Talk, draft: Proof, relation: str) -> Turn:
        patient = rows.patient(talk.db, draft.fits)
        assert patient is not None
        level = 2 if draft.name and draft.ending else 1
        notify(talk, patient)
        return self._done(talk, draft, patient, relation, level)

    def _done(self, talk: Talk, draft: Proof, patient: Row, relation: str, level: int) -> Turn:
        self._bind(talk, draft, patient, relation, level)
        return Done(say("binding/linked", name=identity.person(patient).masked_name, level=level))

    def _bind(self, talk: Talk, draft: Proof, patient: Row, relation: str, level: int) -> int:
        return identity.bind(
            talk.db,
            talk.contact.id,
            patient,
            relation=relation,
            level=level,
            now=talk.now,
            zone=talk.zone,
            proven=draft.proven,
        )

    @staticmethod
    def _is_child(talk: Talk, patient: Row) -> bool:
        age = identity.person(patient).age(talk.today)
        return age is not None and age < identity.CHILD_UNTIL

    @staticmethod
    def _own_other(talk: Talk, patient: Row) -> bool:
        """Whether this user is somebody else already."""
        return any(one.relation == "self" and one.patient.code != patient.code for one in talk.bindings)


class Fresh(msgspec.Struct, frozen=True):
    """Whose phone is asked."""

    patient: str = ""


class FreshCode(Form[Fresh]):
    """Level 3: one more code, just now, before something that only the patient may see.

    Other forms begin it; `bot.hospital.identity.is_fresh` is true after it, or everything that waited is over.
    """

    name = "fresh_code"
    draft = Fresh

    def begin(self, talk: Talk, draft: Fresh) -> Turn:
        binding = next((one for one in talk.bindings if one.patient.code == draft.patient), None)
        phone = self._phone(talk, draft)
        if not talk.sms or not phone or binding is None:
            return Stop(say("binding/at_the_desk"))
        if identity.is_fresh(binding, talk.now):
            return Done()
        if self._locked(talk, phone):
            return Stop(say("binding/locked"))
        if identity.has_open_code(talk.db, talk.contact.id, phone, talk.now):
            return Ask("code", draft, say("binding/fresh_code_sent", phone=masked_phone(phone)))
        return self._send(talk, draft, phone)

    @step("code")
    def code(self, talk: Talk, draft: Fresh) -> Turn:
        phone = self._phone(talk, draft)
        if self._locked(talk, phone):
            return Stop(say("binding/locked"))
        if talk.said.plain in RESEND:
            return self._send(talk, draft, phone)
        papers = papers_in(talk)
        if not papers.code:
            return (
                Ask("code", draft, say("binding/shape_code")) if papers.digits or papers.ending else Again()
            )
        match identity.check_code(talk.db, talk.contact.id, phone, papers.code, talk.now):
            case CodeCheck.RIGHT:
                return self._proven(talk, draft)
            case CodeCheck.NONE_OPEN:
                words = (say("binding/code_too_old"), send_code(talk, phone))
                return Ask("code", draft, words)
        if failed(talk, "code", phone, identity.phone_index(phone)):
            return Stop(say("binding/locked"))
        return Ask("code", draft, say("binding/wrong_code"))

    def _proven(self, talk: Talk, draft: Fresh) -> Turn:
        for one in talk.bindings:
            if one.patient.code == draft.patient:
                rows.change_binding(talk.db, one.id, proven_at=talk.now)
        return Done(say("binding/code_right"))

    def _send(self, talk: Talk, draft: Fresh, phone: str) -> Turn:
        return Ask("code", draft, send_code(talk, phone))

    @staticmethod
    def _locked(talk: Talk, phone: str) -> bool:
        return identity.is_locked(talk.db, talk.contact.id, identity.phone_index(phone), talk.now)

    @staticmethod
    def _phone(talk: Talk, draft: Fresh) -> str:
        patient = rows.patient(talk.db, draft.patient)
        return (patient.phone or "") if patient is not None else ""
