"""Which of somebody's bookings a message means: by its number, doctor, department, day."""

from __future__ import annotations

from collections.abc import Sequence

from bot.conversation.talk import Talk
from bot.conversation.turn import Choice
from bot.handlers import appointment_words as texts
from bot.handlers.appointment_wish import AFTERNOON, NOON, Heard
from bot.hospital.appointments import Booking


def meant(talk: Talk, bookings: Sequence[Booking], heard: Heard) -> list[Booking]:
    """Those that fit everything that was said; all of them when none does or nothing was said."""
    if heard.number:
        found = [one for one in bookings if one.number == heard.number]
    else:
        found = [one for one in bookings if _fits(talk, one, heard)]
    return found or list(bookings)


def choices(talk: Talk, bookings: Sequence[Booking]) -> list[Choice]:
    """The bookings to choose from."""
    return [
        Choice(str(one.id), texts.booking_label(talk, one), tuple(filter(None, (one.number, one.doctor))))
        for one in bookings
    ]


def _fits(talk: Talk, booking: Booking, heard: Heard) -> bool:
    local = booking.start.astimezone(talk.zone)
    day = local.date().isoformat()
    return (
        (not heard.doctors or booking.doctor_code in heard.doctors)
        and (not heard.departments or booking.department_code in heard.departments)
        and (not heard.days or any(first <= day < last for first, last in heard.days))
        and (not heard.half or (local.hour >= NOON) == (heard.half == AFTERNOON))
    )
