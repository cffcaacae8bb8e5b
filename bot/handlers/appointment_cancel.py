"""Giving a booking back, or leaving a waiting list."""

from __future__ import annotations

import re

import msgspec

from bot.conversation.form import Form, NoDraft, step
from bot.conversation.life import CANCEL
from bot.conversation.talk import Talk
from bot.conversation.turn import Again, Ask, Done, Start, Turn
from bot.domain.words import Say, say
from bot.handlers import appointment_pick as pick
from bot.handlers import appointment_words as texts
from bot.handlers.appointment_wish import Heard, booking_number, hear
from bot.handlers.waiting_offer import freed
from bot.hospital import appointments
from bot.hospital.appointments import Booking, Refused

NOT_COMING = frozenset({"不去了", "去不了", "来不了", "不来了", "不看了", "不约了", "不挂了"})
EITHER = CANCEL | {"不要了", "不要", "退"}  # the booking, or this dialogue?
_KEEP = re.compile(r"保留|留着|不取消|别取消|不退|会去|会来|还去|要去|\bkeep\b|don't cancel")
_SURELY = re.compile(
    r"^(?:确认|确定|对|是的?|好的?|嗯|还是|就|帮我|我?要|那就?|请|[,，\s])+(?:取消|退)(?:预约|掉|号|吧|了)*$"
    r"|^取消(?:预约|掉|吧|了|这个).*$|^(?:yes,? )?cancel it"
)
_CANCEL = re.compile(r"取消|退|不去|不来|不看了|cancel")


class Cancelling(msgspec.Struct, frozen=True):
    """What was said of the booking, and which it is once that is settled."""

    heard: Heard = Heard()
    appointment: int = 0


class AppointmentCancel(Form[Cancelling]):
    """取消预约: which one, are you sure; the place goes to the next in line."""

    name = "appointment_cancel"
    draft = Cancelling
    intents = frozenset({"appointment.cancel"})
    words = frozenset({"取消预约", "取消挂号", "退号", "cancel appointment", "cancel my appointment"})
    personal = True
    level = 1

    def opens(self, talk: Talk) -> bool:
        """取消YY000012: the number tells what."""
        return bool(booking_number(talk)) and _CANCEL.search(talk.said.meaning.text.lower()) is not None

    def read(self, talk: Talk, draft: Cancelling) -> Cancelling:
        return Cancelling(hear(talk))

    def keeps(self, name: str, word: str) -> bool:
        """取消 in answer to "cancel it?" is an answer."""
        return name == "confirm"

    def begin(self, talk: Talk, draft: Cancelling) -> Turn:
        assert talk.patient is not None
        open_bookings = appointments.open_bookings(talk.db, talk.now, talk.patient.code)
        if not open_bookings:
            return Done(say("appointment/list_empty", patient=talk.patient.masked_name))
        found = pick.meant(talk, open_bookings, draft.heard)
        if len(found) == 1:
            return self._confirm(talk, found[0])
        return Ask("which", draft, say("appointment/cancel_which"), pick.choices(talk, found))

    @step("which")
    def which(self, talk: Talk, draft: Cancelling) -> Turn:
        assert talk.patient is not None
        if talk.said.choice is not None:
            return self._confirm(talk, appointments.booking(talk.db, int(talk.said.choice)))
        open_bookings = appointments.open_bookings(talk.db, talk.now, talk.patient.code)
        found = pick.meant(talk, open_bookings, hear(talk))
        return self._confirm(talk, found[0]) if len(found) == 1 else Again()

    def _confirm(self, talk: Talk, booking: Booking) -> Turn:
        return Ask(
            "confirm", Cancelling(appointment=booking.id), _say(talk, "appointment/cancel_confirm", booking)
        )

    @step("confirm")
    def confirmed(self, talk: Talk, draft: Cancelling) -> Turn:
        assert talk.patient is not None
        booking = appointments.booking(talk.db, draft.appointment)
        said = talk.said
        if said.plain in EITHER:
            asked = (say("appointment/cancel_or_keep"), _say(talk, "appointment/cancel_confirm", booking))
            return Ask("confirm", draft, asked)
        sure = said.yes or said.plain in NOT_COMING or _SURELY.search(said.plain)
        if _KEEP.search(said.plain) or (said.no and not sure):
            return Done(_say(talk, "appointment/kept", booking))
        if not sure:
            return Again()
        try:
            before = appointments.cancel(talk.db, talk.now, booking.id, talk.patient.code)
        except Refused as refused:
            return Done(say(f"appointment/refused_{refused.reason}"))
        return freed(talk, before.slot_code, _say(talk, "appointment/cancelled", before))


class CancelNothing(Form[NoDraft]):
    """取消 when nothing is being asked: the bookings of whom we know, else a kind word."""

    name = "cancel_nothing"
    words = frozenset({"取消", "cancel"})

    def begin(self, talk: Talk, draft: NoDraft) -> Turn:
        if any(appointments.open_bookings(talk.db, talk.now, one.patient.code) for one in talk.bindings):
            return Start(AppointmentCancel.name)
        return Done(say("appointment/nothing_open"))


def _say(talk: Talk, template: str, booking: Booking) -> Say:
    assert talk.patient is not None
    return say(template, patient=talk.patient.masked_name, number=booking.number, **texts.facts(booking))
