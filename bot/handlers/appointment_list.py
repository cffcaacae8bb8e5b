"""What is booked, offered and waited for."""

from __future__ import annotations

from bot.conversation.form import Form, NoDraft
from bot.conversation.talk import Talk
from bot.conversation.turn import Done, Turn
from bot.domain.words import Say, say
from bot.handlers import appointment_words as texts
from bot.handlers.appointment_wish import booking_number
from bot.hospital import appointments, waiting_list
from bot.hospital.appointments import Booking


class AppointmentList(Form[NoDraft]):
    """我的预约: every open booking with its number, time, doctor and place."""

    name = "appointment_list"
    intents = frozenset({"appointment.query"})
    words = frozenset(
        {
            "我的预约",
            "查询预约",
            "预约查询",
            "预约记录",
            "查预约",
            "我嘅预约",
            "睇预约",
            "my appointments",
            "my bookings",
        }
    )
    personal = True
    level = 1

    def opens(self, talk: Talk) -> bool:
        """A booking's number and nothing else."""
        return booking_number(talk) == talk.said.plain.upper() != ""

    def begin(self, talk: Talk, draft: NoDraft) -> Turn:
        assert talk.patient is not None
        name = talk.patient.masked_name
        open_bookings = appointments.open_bookings(talk.db, talk.now, talk.patient.code)
        if not open_bookings:
            return Done(say("appointment/list_empty", patient=name))
        lines = [_line(talk, one) for one in open_bookings]
        return Done((say("appointment/list", patient=name), *lines, say("appointment/list_end")))


def _line(talk: Talk, booking: Booking) -> Say:
    position = waiting_list.position(talk.db, booking) if booking.status == "waiting" else 0
    return say(
        "appointment/list_line",
        number=booking.number,
        status=booking.status,
        held_until=booking.held_until,
        position=position,
        **texts.facts(booking),
    )
