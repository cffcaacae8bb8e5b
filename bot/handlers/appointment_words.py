"""The words about appointments: labels to choose from, the facts of a confirmation, the reason of a refusal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from bot.conversation.talk import Talk
from bot.conversation.turn import Choice
from bot.domain.words import Say, say
from bot.handlers.appointment_wish import Wish
from bot.hospital.appointments import Booking, Place, Reason
from bot.language.meaning import DoctorName

LONG = timedelta(hours=1)  # a time that lasts longer is shown with its end


def facts(place: Place | Booking) -> dict[str, Any]:
    """A time of a doctor, as the texts name its parts."""
    return {
        "start": place.start,
        "end": place.end if place.end - place.start > LONG else None,
        "doctor": place.doctor,
        "title": place.title,
        "department": place.department,
        "location": place.location,
        "fee": yuan(place.fee_cents),
    }


def yuan(cents: int | None) -> str:
    """50, 12.5; empty when there is no fee."""
    if cents is None:
        return ""
    return f"{Decimal(cents) / 100:f}".rstrip("0").rstrip(".") if cents % 100 else str(cents // 100)


def time_label(talk: Talk, place: Place) -> str:
    """One line of the times to choose from."""
    return talk.text(say("appointment/label_time", free=place.free, **facts(place)))


def place_label(talk: Talk, place: Place) -> str:
    """One line of other times that would do."""
    return talk.text(say("appointment/label_place", **facts(place)))


def half_day_label(talk: Talk, day: str, afternoon: bool, free: int) -> str:
    """11月19日 周四 上午."""
    return talk.text(say("appointment/label_half_day", day=day, afternoon=afternoon, free=free))


def doctor_label(talk: Talk, place: Place, free: int) -> str:
    """One line of the doctors who are there that day."""
    return talk.text(say("appointment/label_doctor", free=free, **facts(place)))


def named_doctor(talk: Talk, doctor: DoctorName) -> str:
    """张建国 主任医师 骨科: to tell namesakes apart."""
    return " ".join(
        part for part in (doctor.name, doctor.title, department_name(talk, doctor.department_code)) if part
    )


def waiting_label(talk: Talk, place: Place) -> str:
    """The line that puts a name on the waiting list."""
    return talk.text(say("waiting_list/label_join", **facts(place)))


def span(talk: Talk, first: str, last: str) -> str:
    """A day, or the first and last of several; `last` is exclusive."""
    until = (date.fromisoformat(last) - timedelta(days=1)).isoformat()
    return talk.text(
        say("appointment/label_span", first=first, last=until, today=first == talk.today.isoformat())
    )


def booking_label(talk: Talk, booking: Booking) -> str:
    """One line of somebody's bookings."""
    return talk.text(
        say(
            "appointment/label_booking",
            number=booking.number,
            status=booking.status,
            **facts(booking),
        )
    )


def changes(talk: Talk, stop: str) -> tuple[Choice, ...]:
    """What somebody may want who did not say yes."""
    return (
        Choice("time", talk.text(say("appointment/change_time")), ("换时间", "时间", "another time")),
        Choice("doctor", talk.text(say("appointment/change_doctor")), ("换医生", "医生", "another doctor")),
        Choice("stop", talk.text(say(stop)), ("不约了", "不挂了", "不改了", "stop")),
    )


def subject(talk: Talk, places: Sequence[Place]) -> dict[str, Any]:
    """Whose times these are: a doctor's when they are all one doctor's, else the department's."""
    doctors = {place.doctor for place in places}
    return {
        "department": places[0].department,
        "doctor": places[0].doctor if len(doctors) == 1 else "",
    }


def wished(talk: Talk, wish: Wish) -> dict[str, Any]:
    """What was asked for, in names."""
    by_code = {one.code: one for one in talk.knowledge.vocabulary.doctors}
    doctor = by_code.get(wish.doctors[0]) if wish.doctors else None
    code = doctor.department_code if doctor else wish.departments[0] if wish.departments else ""
    first, last = wish.days[0] if wish.days else ("", "")
    one_day = first != "" and date.fromisoformat(first) + timedelta(days=1) == date.fromisoformat(last)
    return {
        "department": department_name(talk, code),
        "doctor": doctor.name if doctor else "",
        "day": first if one_day else "",
        "half": wish.half,
        "time": wish.time,
    }


def refusal(reason: Reason, place: Place) -> Say:
    """Why a rule stands against it."""
    return say(f"appointment/refused_{reason}", **facts(place))


def relation(talk: Talk) -> str:
    """What the patient is to the writer."""
    return talk.binding.relation if talk.binding else "self"


def department_of(talk: Talk, doctor_code: str) -> str:
    """The code of a doctor's department."""
    doctors = talk.knowledge.vocabulary.doctors
    return next((one.department_code for one in doctors if one.code == doctor_code), "")


def department_name(talk: Talk, code: str) -> str:
    """A department by its code."""
    departments = talk.knowledge.vocabulary.departments
    return next((one.name for one in departments if one.code == code), "")


def moment_of(talk: Talk, day: str, hour: str = "00:00") -> datetime:
    """A moment of the hospital's day."""
    return datetime.combine(date.fromisoformat(day), time.fromisoformat(hour), talk.zone)
