"""A freed place is offered to the first on the waiting list: by letter, answered in chat within its time."""

from __future__ import annotations

from datetime import datetime

import msgspec
import sqlalchemy as sa

from bot.conversation import offers
from bot.conversation.form import Form, step
from bot.conversation.talk import Talk
from bot.conversation.turn import Again, Ask, Choice, Done, Start, Turn
from bot.domain.language import Language
from bot.domain.letter import Letter, Purpose
from bot.domain.patient import Patient
from bot.domain.words import Say, say
from bot.handlers import appointment_words as texts
from bot.hospital import appointments, waiting_list
from bot.hospital.appointments import Booking, Reason, Refused
from bot.outbox import letters
from bot.outbox.wording import Wording
from storage.queries import appointments as bookings
from storage.queries import people

ACCEPT = frozenset({"接受", "接受候补", "接受名额", "accept"})
DECLINE = frozenset({"放弃", "放弃候补", "放弃名额", "拒绝", "decline"})


class Offer(msgspec.Struct, frozen=True):
    """The place that is kept for the patient."""

    appointment: int = 0
    wanted: bool | None = None  # said already, before it was clear which of several places


class WaitingOffer(Form[Offer]):
    """Take the place, or let the next in line have it."""

    name = "waiting_offer"
    draft = Offer
    words = ACCEPT | DECLINE
    anywhere = True

    def begin(self, talk: Talk, draft: Offer) -> Turn:
        if draft.appointment:
            return self._answered(talk, draft, None)
        kept = appointments.offered(talk.db, talk.now, [one.patient.code for one in talk.bindings])
        said = talk.said.plain
        wanted = True if said in ACCEPT else False if said in DECLINE else None
        if not kept:
            return Done(say("waiting_list/none"))
        if len(kept) > 1:
            choices = [Choice(str(one.id), texts.booking_label(talk, one)) for one in kept]
            return Ask("which", Offer(wanted=wanted), say("waiting_list/which_offer"), choices)
        return self._answered(talk, Offer(kept[0].id), wanted)

    @step("which")
    def which(self, talk: Talk, draft: Offer) -> Turn:
        if talk.said.choice is None:
            return Again()
        return self._answered(talk, Offer(int(talk.said.choice)), draft.wanted)

    @step("answer")
    def answered(self, talk: Talk, draft: Offer) -> Turn:
        said = talk.said
        if said.yes or said.plain in ACCEPT:
            return self._answered(talk, draft, True)
        if said.no or said.plain in DECLINE:
            return self._answered(talk, draft, False)
        return Again()

    def _answered(self, talk: Talk, draft: Offer, wanted: bool | None) -> Turn:
        kept = appointments.booking(talk.db, draft.appointment)
        talk.patient = next(
            (one.patient for one in talk.bindings if one.patient.code == kept.patient_code), None
        )
        if talk.patient is None:
            return Done(say("waiting_list/none"))
        if wanted is None:
            return Ask("answer", draft, question(kept, talk.patient))
        return self._accept(talk, kept, talk.patient) if wanted else self._decline(talk, kept)

    def _accept(self, talk: Talk, kept: Booking, patient: Patient) -> Turn:
        try:
            booked = waiting_list.accept(
                talk.db,
                talk.now,
                talk.zone,
                patient=patient,
                relation=texts.relation(talk),
                appointment_id=kept.id,
            )
        except Refused as refused:
            if refused.reason in (Reason.GONE, Reason.LATE):
                return Done(say("waiting_list/lapsed"))
            return Done(say(f"appointment/refused_{refused.reason}"))
        return Done(
            say(
                "appointment/booked",
                number=booked.number,
                patient=patient.masked_name,
                **texts.facts(booked),
            )
        )

    def _decline(self, talk: Talk, kept: Booking) -> Turn:
        try:
            appointments.cancel(talk.db, talk.now, kept.id, kept.patient_code)
        except Refused:
            return Done(say("waiting_list/lapsed"))
        return freed(talk, kept.slot_code, say("waiting_list/declined"))


def freed(talk: Talk, slot_code: str, words: Say) -> Turn:
    """The end of a dialogue that gave a place back: it is offered to the next in line at once.

    When that is somebody the writer speaks for, the question follows in the same answer.
    """
    own: list[int] = []

    def tell(db: sa.Connection, kept: Booking, now: datetime) -> bool:
        if kept.contact_id == talk.contact.id and kept.patient_code in {
            one.patient.code for one in talk.bindings
        }:
            own.append(kept.id)
            return True
        return _tell(db, kept, now, talk.wording)

    waiting_list.offer_freed(talk.db, talk.now, slot_code, tell)
    return Start(WaitingOffer.name, {"appointment": own[0]}, words=words) if own else Done(words)


def tick(db: sa.Connection, now: datetime, wording: Wording) -> int:
    """Offer what fell free, and let lapsed offers go to the next; for the clock. How many were told."""
    return waiting_list.tick(db, now, lambda db, kept, now: _tell(db, kept, now, wording))


def question(kept: Booking, patient: Patient) -> Say:
    """The offer, as its letter and the chat put it."""
    return say(
        "waiting_list/offer",
        patient=patient.masked_name,
        held_until=kept.held_until,
        **texts.facts(kept),
    )


def _tell(db: sa.Connection, kept: Booking, now: datetime, wording: Wording) -> bool:
    """Write to whoever put the patient on the list, or else to somebody who speaks for them now."""
    assert kept.held_until is not None
    patient = bookings.living(db, kept.patient_code)
    speakers = people.bound_to(db, kept.patient_code, now)
    if patient is None or not speakers:
        return False
    reader = next((row for row in speakers if row.contact_id == kept.contact_id), speakers[0])
    words = question(kept, Patient(patient.code, patient.name))
    text = wording.text(words, Language(reader.language or Language.SIMPLIFIED))
    letter = Letter(
        key=f"waiting_offer:{kept.id}",
        purpose=Purpose.TRANSACTION,
        text=text,
        not_before=now,
        useful_until=kept.held_until,
        contact_id=reader.contact_id,
        patient_code=kept.patient_code,
        template="reminder",
        facts={
            "subject": "候补名额",
            "when": kept.start.isoformat(),
            "place": f"{kept.department} {kept.location}".strip(),
            "note": f"{kept.doctor} 回复1接受",
        },
    )
    letters.put(db, letter, now)
    offers.put_question(
        db,
        reader.contact_id,
        form=WaitingOffer.name,
        step="answer",
        draft=Offer(kept.id),
        question=words,
        patient=kept.patient_code,
        until=kept.held_until,
    )
    return True
