"""添加家人: speak for a child, a parent, a spouse; with their proof or their word, for at most a year (PRV-22)."""

from __future__ import annotations

import re
from datetime import timedelta

import msgspec

from bot.conversation import offers
from bot.conversation.form import Form, step
from bot.conversation.people import language_of
from bot.conversation.talk import Talk
from bot.conversation.turn import Again, Ask, Choice, Done, Stop, Turn
from bot.domain.letter import Letter, Purpose
from bot.domain.words import Say, say
from bot.handlers.proof import Proof, ProofForm, papers_in, send_code, tell_by_sms
from bot.hospital import identity
from bot.outbox import letters
from storage.queries import identity as rows
from storage.rows import Row

RELATIONS = ("child", "parent", "spouse", "other")
BOOKING_ONLY = frozenset({"3", "三", "只同意预约", "只同意代为预约", "只预约", "booking only"})
CODE_SENT = "family/code_sent"
PATIENCE = timedelta(hours=48)  # how long the family member is waited for

_OPENS = re.compile(
    r"^(?:你好|您好|请|帮我|给我|我要|我想|想|要|怎么|如何|怎样|麻烦|[,，。 ])*(?:添加|绑定|关联|加)(?:一下|一个|个|上)?"
    r"(?:我的?|家里的?|其他)?(?:家人|家属|家庭成员|孩子|小孩|儿子|女儿|宝宝|妈|爸|父母|母亲|父亲|老公|老婆|爱人|丈夫|妻子|爷爷|奶奶|外公|外婆|老人)"
    r"|^add (?:a |my )?(?:family|child|son|daughter|mother|father|wife|husband)\b",
    re.IGNORECASE,
)


class Family(ProofForm):
    """Link the writer and somebody of the family."""

    name = "family"
    words = frozenset({"添加家人", "添加家属", "绑定家人", "关联家人", "add family", "add a family member"})

    def opens(self, talk: Talk) -> bool:
        return bool(_OPENS.search(talk.said.meaning.text))

    def begin(self, talk: Talk, draft: Proof) -> Turn:
        relation = draft.relation or talk.said.meaning.relation or ""
        return self.take(talk, msgspec.structs.replace(draft, relation=relation), papers_in(talk))

    def go_on(self, talk: Talk, draft: Proof) -> Turn:
        if not talk.sms:
            return Stop(say("binding/at_the_desk"))
        if not draft.relation and not self.locked(talk, draft):
            choices = [Choice(key, talk.text(say(f"family/{key}"))) for key in RELATIONS]
            return Ask("relation", draft, say("family/ask_relation"), choices)
        return super().go_on(talk, draft)

    @step("relation")
    def relation(self, talk: Talk, draft: Proof) -> Turn:
        relation = talk.said.choice or talk.said.meaning.relation
        papers = papers_in(talk)
        if not relation:
            return self.take(talk, draft, papers) if papers else Again()
        return self.take(talk, msgspec.structs.replace(draft, relation=relation), papers)

    def send(self, talk: Talk, draft: Proof) -> Say:
        words = send_code(talk, draft.phone, CODE_SENT)
        if words.template == CODE_SENT:
            self._ask_in_chat(talk, draft)
        return words

    # Proven by their papers

    def found(self, talk: Talk, draft: Proof, patient: Row, level: int) -> Turn:
        bound = rows.binding_of(talk.db, talk.contact.id, patient.code)
        if bound is not None and bound.relation == "self":
            return Stop(say("family/that_is_you"))
        link(talk, talk.contact.id, patient, draft.relation, proven=draft.proven)
        notify(talk, patient)
        name = identity.person(patient).masked_name
        until = identity.expiry(draft.relation, patient.birth_date, talk.now, talk.zone)
        return Done(say("family/linked", name=name, until=until, scope="all"))

    # Proven by their word

    def _ask_in_chat(self, talk: Talk, draft: Proof) -> None:
        """An adult who uses this chat is asked there too. The writer sees no difference."""
        if not any(one.relation == "self" and one.level >= 2 for one in talk.bindings):
            return
        known = identity.living_with_phone(talk.db, draft.phone)
        if len(known) != 1 or (identity.person(known[0]).age(talk.today) or 0) < identity.MINOR_UNTIL:
            return
        for one in rows.spoken_for_by(talk.db, known[0].code):
            if one.relation == "self" and one.contact_id != talk.contact.id:
                self._put_question(talk, draft, known[0], one)

    @staticmethod
    def _put_question(talk: Talk, draft: Proof, patient: Row, member: Row) -> None:
        question = say("family/request", name=_writer(talk))
        letter = Letter(
            key=f"family-request:{talk.contact.id}:{member.contact_id}:{talk.today}",
            purpose=Purpose.TRANSACTION,
            text=talk.wording.text(question, language_of(member.language)),
            not_before=talk.now,
            useful_until=talk.now + PATIENCE,
            contact_id=member.contact_id,
            patient_code=patient.code,
        )
        if letters.put(talk.db, letter, talk.now) is None:
            return  # asked today already
        offers.put_question(
            talk.db,
            member.contact_id,
            form=FamilyRequest.name,
            step="agree",
            draft=Request(contact=talk.contact.id, patient=patient.code, relation=draft.relation),
            question=question,
            until=talk.now + PATIENCE,
        )


class Request(msgspec.Struct, frozen=True):
    """Who asks to speak for whom."""

    contact: int = 0
    patient: str = ""
    relation: str = "other"


class FamilyRequest(Form[Request]):
    """Somebody asks to speak for the writer, who agrees or not. `Family` leaves the question open."""

    name = "family_request"
    draft = Request

    @step("agree")
    def agree(self, talk: Talk, draft: Request) -> Turn:
        patient = rows.patient(talk.db, draft.patient)
        asked = any(one.relation == "self" and one.patient.code == draft.patient for one in talk.bindings)
        if patient is None or not asked or talk.said.no:
            self._refuse(talk, draft)
            return Done(say("family/refused"))
        scope = "booking" if talk.said.plain in BOOKING_ONLY else "all" if talk.said.yes else ""
        if not scope:
            return Again()
        link(talk, draft.contact, patient, draft.relation, proven=False, scope=scope)
        until = identity.expiry(draft.relation, patient.birth_date, talk.now, talk.zone)
        name = identity.person(patient).masked_name
        talk.owe(
            f"family-agreed:{draft.contact}:{draft.patient}:{talk.message_id}",
            say("family/linked", name=name, until=until, scope=scope),
            contact_id=draft.contact,
            language=talk.language,
            patient_code=draft.patient,
        )
        return Done(say("family/agreed", until=until, scope=scope))

    @staticmethod
    def _refuse(talk: Talk, draft: Request) -> None:
        """A code read out over the phone does not outweigh the patient's own no."""
        for row in rows.bindings_of_contacts(talk.db, [draft.contact], draft.patient):
            identity.end(talk.db, row.id, "patient_refused", talk.now)


def link(
    talk: Talk, contact_id: int, patient: Row, relation: str, *, proven: bool, scope: str | None = None
) -> None:
    """Let a user speak for somebody of the family."""
    identity.bind(
        talk.db,
        contact_id,
        patient,
        relation=relation,
        level=2,
        now=talk.now,
        zone=talk.zone,
        proven=proven,
        scope=scope,
    )


def notify(talk: Talk, patient: Row) -> None:
    """The patient learns who speaks for them now: by SMS on a phone of their own, and in chat."""
    reason = f"family:{talk.contact.id}:{patient.code}:{talk.message_id}"
    if patient.phone and patient.phone_index not in _own_phones(talk):
        words = say("family/notice", name=_writer(talk))
        tell_by_sms(talk, reason, patient.phone, words, language_of(patient.language))
    for one in rows.spoken_for_by(talk.db, patient.code):
        if one.relation == "self" and one.contact_id != talk.contact.id:
            talk.owe(
                f"{reason}:{one.contact_id}",
                say("family/notice_in_chat", name=_writer(talk)),
                contact_id=one.contact_id,
                language=language_of(one.language),
                patient_code=patient.code,
            )


def _own_phones(talk: Talk) -> set[str]:
    own = [rows.patient(talk.db, one.patient.code) for one in talk.bindings if one.relation == "self"]
    return {row.phone_index for row in own if row is not None and row.phone_index}


def _writer(talk: Talk) -> str:
    """The writer, as the family knows them; empty when they are not a patient."""
    own = next((one for one in talk.bindings if one.relation == "self"), None)
    return own.patient.masked_name if own else ""
