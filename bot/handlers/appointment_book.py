"""Booking a visit: said in one sentence or found step by step, confirmed, then written down at once."""

from __future__ import annotations

from bot.conversation.talk import Talk
from bot.conversation.turn import Done, Turn
from bot.domain.words import say
from bot.handlers import appointment_words as texts
from bot.handlers.appointment_search import PlaceSearch, Search
from bot.handlers.appointment_wish import names_a_time
from bot.hospital import appointments
from bot.hospital.appointments import Refused


class AppointmentBook(PlaceSearch):
    """预约挂号."""

    name = "appointment_book"
    intents = frozenset({"appointment.book"})
    words = frozenset({"预约挂号", "挂号", "预约", "我要挂号", "我要预约", "book", "book a visit"})

    def opens(self, talk: Talk) -> bool:
        """张建国 周五上午: who and when is enough."""
        return talk.said.type == "text" and names_a_time(talk)

    def begin(self, talk: Talk, draft: Search) -> Turn:
        assert talk.patient is not None
        try:
            appointments.may_act(talk.db, talk.now, talk.zone, talk.patient.code, texts.relation(talk))
            appointments.check_open(talk.db, talk.now, talk.patient.code)
        except Refused as refused:
            return Done(say(f"appointment/refused_{refused.reason}"))
        return self.go_on(talk, draft)

    def carry_out(self, talk: Talk, draft: Search) -> Done:
        assert talk.patient is not None
        booked = appointments.book(
            talk.db,
            talk.now,
            talk.zone,
            patient=talk.patient,
            relation=texts.relation(talk),
            slot_code=draft.slot,
            contact_id=talk.contact.id,
        )
        facts = texts.facts(booked) | {"number": booked.number, "patient": talk.patient.masked_name}
        return Done(say("appointment/booked", **facts))
