"""Moving a booking to another time under the same number: the old time is free only when the new one is taken."""

from __future__ import annotations

import re
from datetime import timedelta

import msgspec

from bot.conversation.form import step
from bot.conversation.talk import Talk
from bot.conversation.turn import Again, Ask, Done, Turn
from bot.domain.words import Say, say
from bot.handlers import appointment_pick as pick
from bot.handlers import appointment_words as texts
from bot.handlers.appointment_search import PlaceSearch, Search
from bot.handlers.appointment_wish import Heard, booking_number, hear, hear_in
from bot.handlers.waiting_offer import freed
from bot.hospital import appointments
from bot.hospital.appointments import Booking, Place
from bot.language.when import read_when

# 把周三的改到周四: what stands before tells which booking, what follows tells the new time.
_TO = re.compile(
    r"(?:改约?|换|挪|移|推迟|提前|延期|推后|调整?)(?:到|成|为|至)"
    r"|(?:改|换|挪|推迟|提前)(?:约|期)?(?=[下这本]?(?:周|星期|礼拜)|明天|后天|大后天|上午|下午|\d)"
    r"|\b(?:to|until)\b"
)


class AppointmentMove(PlaceSearch):
    """改约."""

    name = "appointment_move"
    intents = frozenset({"appointment.reschedule"})
    words = frozenset({"改约", "改期", "改预约", "改时间", "reschedule", "move my appointment"})
    confirm_words = "appointment/confirm_move"
    stop_label = "appointment/change_no_move"
    stopped_words = "appointment/not_moved"

    def opens(self, talk: Talk) -> bool:
        """YY000012改到周四: the number tells what."""
        return bool(booking_number(talk)) and _TO.search(talk.said.meaning.text.lower()) is not None

    def read(self, talk: Talk, draft: Search) -> Search:
        text = talk.said.meaning.text
        turn = _TO.search(text.lower())
        before, after = (text[: turn.start()], text[turn.end() :]) if turn else (text, "")
        draft = msgspec.structs.replace(draft, old=_part(talk, before))
        settled = self.settle(talk, draft, _part(talk, after))
        if settled.suggested:  # what hurts tells which booking, not where to go instead
            return msgspec.structs.replace(settled, departments=(), suggested=False)
        return settled

    def begin(self, talk: Talk, draft: Search) -> Turn:
        assert talk.patient is not None
        booked = _booked(talk, talk.patient.code)
        if not booked:
            return Done(say("appointment/list_empty", patient=talk.patient.masked_name))
        found = pick.meant(talk, booked, draft.old)
        if len(found) == 1:
            return self._towards(talk, draft, found[0])
        return Ask("which", draft, say("appointment/move_which"), pick.choices(talk, found))

    @step("which")
    def which(self, talk: Talk, draft: Search) -> Turn:
        assert talk.patient is not None
        booked = _booked(talk, talk.patient.code)
        if talk.said.choice is not None:
            found = [one for one in booked if str(one.id) == talk.said.choice]
        else:
            found = pick.meant(talk, booked, hear(talk))
        return self._towards(talk, draft, found[0]) if len(found) == 1 else Again()

    def correct(self, talk: Talk, name: str, draft: Search) -> Turn | None:
        return None if name == "which" else super().correct(talk, name, draft)

    def _towards(self, talk: Talk, draft: Search, booking: Booking) -> Turn:
        """The booking is known; unless something else was said its doctor stays, and its day for a new hour."""
        changes: dict[str, object] = {"moving": booking.id, "moving_from": booking.slot_code}
        if not draft.doctors and not draft.departments:
            changes["departments"] = (booking.department_code,)
            if draft.old.other_doctor:
                changes["avoid"] = booking.doctor_code
            else:
                changes["doctors"] = (booking.doctor_code,)
        if not draft.days and (draft.half or draft.time):
            local = booking.start.astimezone(talk.zone).date()
            changes["days"] = ((local.isoformat(), (local + timedelta(days=1)).isoformat()),)
        settled = msgspec.structs.replace(draft, **changes)
        notes = () if settled.days else (_say("appointment/move_when", booking),)
        return self.go_on(talk, settled, notes)

    def confirm_facts(self, talk: Talk, draft: Search, place: Place) -> dict[str, object]:
        assert draft.moving is not None
        old = appointments.booking(talk.db, draft.moving)
        facts = super().confirm_facts(talk, draft, place)
        return facts | {"number": old.number, "old_start": old.start, "old_doctor": old.doctor}

    def carry_out(self, talk: Talk, draft: Search) -> Turn:
        assert talk.patient is not None
        assert draft.moving is not None
        moved, old = appointments.move(
            talk.db,
            talk.now,
            talk.zone,
            patient=talk.patient,
            relation=texts.relation(talk),
            appointment_id=draft.moving,
            slot_code=draft.slot,
        )
        facts = texts.facts(moved) | {"number": moved.number, "patient": talk.patient.masked_name}
        return freed(talk, old, say("appointment/moved", **facts))


def _part(talk: Talk, text: str) -> Heard:
    return hear_in(talk, text, read_when(text, talk.local_now)) if text else Heard()


def _booked(talk: Talk, patient_code: str) -> list[Booking]:
    found = appointments.open_bookings(talk.db, talk.now, patient_code)
    return [one for one in found if one.status == "booked"]


def _say(template: str, booking: Booking) -> Say:
    return say(template, number=booking.number, **texts.facts(booking))
