"""Proving who one is: phone, the code sent to it, name, end of the ID number; in any order, only what is missing."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from bot.conversation.dialogue import SMALL_TALK, SURE
from bot.conversation.form import Form, step
from bot.conversation.talk import Talk
from bot.conversation.turn import Again, Ask, Stop, Turn
from bot.domain.language import Language
from bot.domain.letter import Letter, Purpose
from bot.domain.words import Say, say
from bot.hospital import identity
from bot.hospital.identity import CodeCheck
from bot.language.normalise import normalise
from bot.language.papers import Papers, read_papers
from bot.outbox import letters
from storage.queries import identity as rows
from storage.rows import Row

RESEND = frozenset(
    {"重发", "再发", "重新发", "重新发送", "再发一次", "没收到", "收不到", "没有收到", "收不到验证码"}
    | {"没收到验证码", "重新获取", "resend", "again", "send again"}
)


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """What was said so far, and what of it is proven."""

    need: int = 0  # the level that another form asked for; 0: the patient brought it up
    patient: str = ""  # code of a patient this user speaks for already, whose name and ending are missing
    relation: str = ""
    phone: str = ""
    proven: bool = False  # the phone's code was right
    name: str = ""
    ending: str = ""
    name_before: str = ""  # it did not fit, perhaps because of the ending: an ending alone tries it again
    fits: str = ""  # code of the patient whom everything fits; the relation is all that is missing
    provisional: int = 0  # the level-1 binding that the code alone made, while name and ending are open


def send_code(talk: Talk, phone: str, words: str = "binding/code_sent") -> Say:
    """Have a code sent unless the limits forbid it; what to tell the patient, the same for every phone."""
    code = identity.new_code(talk.db, talk.contact.id, phone, talk.now)
    if code is None:
        return say("binding/code_later")
    letters.put(
        talk.db,
        Letter(
            key=f"code:{code.number}",
            purpose=Purpose.TRANSACTION,
            text=talk.text(say("binding/sms_code", code=code.digits)),
            not_before=talk.now,
            useful_until=talk.now + identity.CODE_LIFE,
            address=f"code:{phone}",
        ),
        talk.now,
    )
    return say(words, phone=masked_phone(phone))


def masked_phone(phone: str) -> str:
    """138****0001."""
    return f"{phone[:3]}****{phone[-4:]}"


def tell_by_sms(talk: Talk, key: str, phone: str, words: Say, language: Language) -> None:
    """Owe the owner of a phone a notice."""
    letter = Letter(
        key=key,
        purpose=Purpose.TRANSACTION,
        text=talk.wording.text(words, language),
        not_before=talk.now,
        address=f"sms:{phone}",
    )
    letters.put(talk.db, letter, talk.now)


def failed(talk: Talk, kind: str, phone: str, subject: str) -> bool:
    """Count a wrong code or name; True when that locked user and phone, of which the phone's owner is told."""
    lock = identity.failed(talk.db, talk.contact.id, subject, kind, talk.now)
    if lock is None:
        return False
    if phone:
        owners = identity.living_with_phone(talk.db, phone)
        language = Language(owners[0].language) if owners and owners[0].language else talk.language
        tell_by_sms(talk, f"identity-lock:{lock}", phone, say("binding/sms_locked"), language)
    return True


class ProofForm(Form[Proof]):
    """The questions that prove a person. Who ends up bound to whom is the subclass's."""

    draft = Proof
    # What a subclass says

    def found(self, talk: Talk, draft: Proof, patient: Row, level: int) -> Turn:
        """Everything fits this patient."""
        raise NotImplementedError

    def needed(self, draft: Proof) -> int:
        """How much must be proven: 1 phone, 2 name and ID ending too."""
        return 2

    def send(self, talk: Talk, draft: Proof) -> Say:
        """Have a code sent to the phone; what to tell the writer."""
        return send_code(talk, draft.phone)

    # The questions

    @step("phone")
    def phone(self, talk: Talk, draft: Proof) -> Turn:
        return self.answered(talk, draft, "phone")

    @step("code")
    def code(self, talk: Talk, draft: Proof) -> Turn:
        if talk.said.plain in RESEND:
            return Ask("code", draft, self.send(talk, draft))
        return self.answered(talk, draft, "code")

    @step("name")
    def name_said(self, talk: Talk, draft: Proof) -> Turn:
        return self.answered(talk, draft, "name")

    @step("ending")
    def ending(self, talk: Talk, draft: Proof) -> Turn:
        return self.answered(talk, draft, "ending")

    def answered(self, talk: Talk, draft: Proof, asked: str) -> Turn:
        """Take whatever of a person's papers the message holds, and go on to what is missing."""
        papers = papers_in(talk, asked)
        if papers:
            return self.take(talk, draft, papers)
        if papers.digits and papers.alone:
            return Ask(asked, draft, (say("binding/shape"), *self._question(draft, asked)))
        return Again()

    def take(self, talk: Talk, draft: Proof, papers: Papers) -> Turn:
        """Add what was said to the draft, check a code, and go on."""
        if papers.phone and papers.phone != draft.phone:
            draft = msgspec.structs.replace(draft, phone=papers.phone, proven=False, patient="")
        name = papers.name or draft.name or (draft.name_before if papers.ending else "")
        draft = msgspec.structs.replace(draft, name=name, ending=papers.ending or draft.ending)
        if self.locked(talk, draft):
            return Stop(say("binding/locked"))
        if papers.code and draft.phone and not draft.proven:
            match identity.check_code(talk.db, talk.contact.id, draft.phone, papers.code, talk.now):
                case CodeCheck.RIGHT:
                    draft = msgspec.structs.replace(draft, proven=True)
                case CodeCheck.WRONG:
                    return self._wrong_code(talk, draft)
                case CodeCheck.NONE_OPEN:
                    words = (say("binding/code_too_old"), self.send(talk, draft))
                    return Ask("code", draft, words)
        return self.go_on(talk, draft)

    def go_on(self, talk: Talk, draft: Proof) -> Turn:
        """Ask for the first thing that is missing, or finish."""
        if self.locked(talk, draft):
            return Stop(say("binding/locked"))
        if not draft.patient:
            if not talk.sms:
                return Stop(say("binding/at_the_desk"))
            if not draft.phone:
                return Ask("phone", draft, self._question(draft, "phone"))
            if not draft.proven:
                return self._ask_code(talk, draft)
        return self._identify(talk, draft)

    # Steps towards it

    def _ask_code(self, talk: Talk, draft: Proof) -> Turn:
        if identity.has_open_code(talk.db, talk.contact.id, draft.phone, talk.now):
            return Ask("code", draft, self._question(draft, "code"))
        return Ask("code", draft, self.send(talk, draft))

    def _question(self, draft: Proof, asked: str) -> Sequence[Say]:
        match asked:
            case "code":
                return (say("binding/code_sent", phone=masked_phone(draft.phone)),)
            case "phone":
                return (say("binding/ask_phone", whose=draft.relation),)
            case _:
                return (say(f"binding/ask_{asked}"),)

    def _wrong_code(self, talk: Talk, draft: Proof) -> Turn:
        if failed(talk, "code", draft.phone, self._subject(talk, draft)):
            return Stop(say("binding/locked"))
        return Ask("code", draft, say("binding/wrong_code"))

    def _identify(self, talk: Talk, draft: Proof) -> Turn:
        known = self._candidates(talk, draft)
        level = self.needed(draft)
        if level == 1 and len(known) == 1 and not draft.name:
            return self.found(talk, draft, known[0], 1)
        if level == 2 and not draft.name and not draft.ending:
            draft = self.code_alone(talk, draft, known)
        if not draft.name:
            return Ask("name", draft, self._question(draft, "name"))
        by_name = identity.matching(known, draft.name, None, normalise)
        if level == 1 and not draft.ending and len(by_name) == 1:
            return self.found(talk, draft, by_name[0], 1)
        if not draft.ending and (level == 2 or len(by_name) > 1):
            return Ask("ending", draft, self._question(draft, "ending"))
        fitting = identity.matching(known, draft.name, draft.ending or None, normalise)
        if len(fitting) == 1:
            return self.found(talk, draft, fitting[0], 2)
        return self._wrong_name(talk, draft)

    def code_alone(self, talk: Talk, draft: Proof, known: Sequence[Row]) -> Proof:
        """The phone is proven, name and ending are still open."""
        return draft

    def _wrong_name(self, talk: Talk, draft: Proof) -> Turn:
        if draft.provisional:
            identity.end(talk.db, draft.provisional, "name_did_not_fit", talk.now)
        phone = draft.phone or self._phone_of(talk, draft.patient)
        draft = msgspec.structs.replace(draft, name="", ending="", name_before=draft.name, provisional=0)
        if failed(talk, "name", phone, self._subject(talk, draft)):
            return Stop(say("binding/locked"))
        return Ask("name", draft, say("binding/wrong_name"))

    def _candidates(self, talk: Talk, draft: Proof) -> Sequence[Row]:
        if not draft.patient:
            return identity.living_with_phone(talk.db, draft.phone)
        patient = rows.patient(talk.db, draft.patient)
        return [patient] if patient is not None and patient.deceased_on is None else []

    def locked(self, talk: Talk, draft: Proof) -> bool:
        """Whether the writer or the phone has to wait."""
        return identity.is_locked(talk.db, talk.contact.id, self._subject(talk, draft), talk.now)

    def _subject(self, talk: Talk, draft: Proof) -> str:
        """What is locked beside the user: the phone, known or not; empty as long as nobody is spoken of."""
        phone = draft.phone or self._phone_of(talk, draft.patient)
        if phone:
            return identity.phone_index(phone)
        return identity.phone_index(f"patient {draft.patient}") if draft.patient else ""

    @staticmethod
    def _phone_of(talk: Talk, code: str) -> str:
        patient = rows.patient(talk.db, code) if code else None
        return (patient.phone or "") if patient is not None else ""

    def summary(self, draft: Proof) -> dict[str, str]:
        """A nurse needs to know how far it went, not the papers themselves."""
        return {"binding": "phone proven" if draft.proven else "phone open"}


def papers_in(talk: Talk, asked: str = "") -> Papers:
    """The papers in the message. A question about something else is not taken for a name."""
    meaning = talk.said.meaning
    text = meaning.text or talk.said.text
    papers = read_papers(text, name_asked=asked == "name", ending_asked=asked == "ending")
    other_topic = meaning.intent not in SMALL_TALK and meaning.confidence >= SURE
    only_name = papers.name and not (papers.phone or papers.code or papers.ending)
    return Papers() if only_name and other_topic else papers
