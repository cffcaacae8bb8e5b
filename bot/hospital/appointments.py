"""Booking a doctor's time: what is free, who may have it, and the rules every booking keeps (contract §5).

Whatever changes bookings locks first the patient, then the doctors' times in the order of their codes. So the
limits of a patient and the places of a time hold however many ask at once, and nobody waits in a circle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from bot.domain.patient import Patient
from storage.queries import appointments
from storage.rows import Row

LEAD = timedelta(minutes=30)  # a time can be booked until so long before it begins
MOST_OPEN = 3  # bookings of one patient
GUARDED_UNTIL = 14  # years; below it a child cannot book for itself
NOON = 12


class Reason(StrEnum):
    """Why a booking was refused."""

    FULL = "full"
    LATE = "late"  # begins too soon, or has begun
    GONE = "gone"  # there is no such time or booking any more
    LIMIT = "limit"  # too many open bookings
    SAME_HALF_DAY = "same_half_day"  # that doctor is booked for that half-day already
    WAITING = "waiting"  # on that waiting list already
    FREE = "free"  # nothing to wait for: there is a place
    NOBODY = "nobody"  # the patient has died, or is not known
    GUARDIAN = "guardian"  # a child needs somebody to book for it


class Refused(Exception):
    """The booking breaks a rule; nothing was changed."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Place:
    """A time of a doctor."""

    code: str
    doctor_code: str
    doctor: str
    title: str
    fee_cents: int | None
    department_code: str
    department: str
    location: str
    start: datetime
    end: datetime
    free: int  # places nobody has, is offered or waits for; never below 0


@dataclass(frozen=True, slots=True)
class Booking:
    """What a patient has booked, is offered (held) or waits for."""

    id: int
    number: str  # YY…; empty before it is booked
    status: str
    slot_code: str
    doctor_code: str
    doctor: str
    title: str
    department_code: str
    department: str
    location: str
    start: datetime
    end: datetime
    fee_cents: int | None
    held_until: datetime | None
    patient_code: str
    contact_id: int | None


def open_places(
    db: sa.Connection,
    now: datetime,
    *,
    department: str = "",
    doctor: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    only_free: bool = False,
    limit: int = 500,
) -> list[Place]:
    """The times that may still be booked, full ones too unless `only_free`, earliest first."""
    earliest = now + LEAD
    rows = appointments.places(
        db,
        max(since, earliest) if since else earliest,
        until,
        department=department,
        doctor=doctor,
        only_free=only_free,
        limit=limit,
    )
    return [_place(row) for row in rows]


def place(db: sa.Connection, slot_code: str) -> Place | None:
    """One time by its code."""
    row = appointments.place(db, slot_code)
    return _place(row) if row is not None else None


def open_bookings(db: sa.Connection, now: datetime, patient_code: str) -> list[Booking]:
    """What the patient has booked, is offered or waits for and has not begun, earliest first."""
    return [_booking(row) for row in appointments.open_bookings(db, patient_code, now)]


def booking(db: sa.Connection, appointment_id: int) -> Booking:
    """One booking, whatever became of it."""
    row = appointments.booking(db, appointment_id)
    if row is None:
        raise Refused(Reason.GONE)
    return _booking(row)


def offered(db: sa.Connection, now: datetime, patient_codes: Sequence[str]) -> list[Booking]:
    """The freed places kept for these patients now, the latest offer first."""
    return [_booking(row) for row in appointments.offers(db, patient_codes, now)] if patient_codes else []


def book(
    db: sa.Connection,
    now: datetime,
    zone: ZoneInfo,
    *,
    patient: Patient,
    relation: str,
    slot_code: str,
    contact_id: int,
) -> Booking:
    """Book one place. `relation`: what the patient is to the one who asks.

    Raises:
        Refused: a rule stands against it.
    """
    may_act(db, now, zone, patient.code, relation)
    slot = lock_open_slot(db, now, slot_code)
    check_slot(db, now, zone, patient.code, slot)
    holders = appointments.holders(db, slot_code)
    own = [row for row in holders if row.patient_code == patient.code]
    if len(holders) - len(own) >= slot.capacity:
        raise Refused(Reason.FULL)
    if own:
        return confirm(db, now, own[0].id)
    appointment_id = appointments.add(
        db,
        {
            "patient_code": patient.code,
            "contact_id": contact_id,
            **_where(db, slot),
            "status": "booked",
            "created_at": now,
            "changed_at": now,
        },
    )
    return confirm(db, now, appointment_id)


def confirm(db: sa.Connection, now: datetime, appointment_id: int) -> Booking:
    """Write a place down as booked, under its number."""
    number = f"YY{appointment_id:06d}"
    appointments.change(db, appointment_id, number=number, status="booked", held_until=None, changed_at=now)
    return booking(db, appointment_id)


def cancel(db: sa.Connection, now: datetime, appointment_id: int, patient_code: str) -> Booking:
    """Give a place back, or leave a waiting list; what it was before.

    The caller offers the freed place to those who wait (`waiting_list.offer_freed`).

    Raises:
        Refused: it is not open any more.
    """
    before = _locked(db, now, appointment_id, patient_code)
    appointments.change(db, before.id, status="cancelled", held_until=None, changed_at=now)
    return before


def move(
    db: sa.Connection,
    now: datetime,
    zone: ZoneInfo,
    *,
    patient: Patient,
    relation: str,
    appointment_id: int,
    slot_code: str,
) -> tuple[Booking, str]:
    """Take another time under the same number, and only then free the old one; the booking and the old time.

    Raises:
        Refused: a rule stands against the new time; the old one is kept.
    """
    may_act(db, now, zone, patient.code, relation)
    old = booking(db, appointment_id).slot_code
    for code in sorted({old, slot_code}):
        appointments.lock_slot(db, code)
    before = _locked(db, now, appointment_id, patient.code)
    slot = lock_open_slot(db, now, slot_code)
    if before.status != "booked" or before.slot_code != old:
        raise Refused(Reason.GONE)
    check_slot(db, now, zone, patient.code, slot, apart_from=before.id)
    others = [row for row in appointments.holders(db, slot_code) if row.patient_code != patient.code]
    if len(others) >= slot.capacity:
        raise Refused(Reason.FULL)
    for row in appointments.holders(db, slot_code):
        if row.patient_code == patient.code and row.id != before.id:  # waited for what is booked now
            appointments.change(db, row.id, status="cancelled", held_until=None, changed_at=now)
    appointments.change(db, before.id, **_where(db, slot), changed_at=now)
    return booking(db, before.id), old


def may_act(db: sa.Connection, now: datetime, zone: ZoneInfo, patient_code: str, relation: str) -> None:
    """Refuse who has died, and a child that acts for itself. The patient stays locked."""
    row = appointments.lock_patient(db, patient_code)
    if row is None or row.deceased_on is not None:
        raise Refused(Reason.NOBODY)
    today = now.astimezone(zone).date()
    age = Patient(row.code, row.name, birth_date=row.birth_date).age(today)
    if relation == "self" and age is not None and age < GUARDED_UNTIL:
        raise Refused(Reason.GUARDIAN)


def check_limits(
    db: sa.Connection,
    now: datetime,
    zone: ZoneInfo,
    *,
    patient_code: str,
    doctor_code: str,
    start: datetime,
    apart_from: int | None = None,
) -> None:
    """Refuse a fourth open booking, and a second one with the same doctor in the same half-day.

    `apart_from`: the booking that is being moved and does not count.
    """
    booked = [
        one for one in open_bookings(db, now, patient_code) if one.status == "booked" and one.id != apart_from
    ]
    wanted = (doctor_code, half_day(start, zone))
    if any((one.doctor_code, half_day(one.start, zone)) == wanted for one in booked):
        raise Refused(Reason.SAME_HALF_DAY)
    if len(booked) >= MOST_OPEN:
        raise Refused(Reason.LIMIT)


def check_open(db: sa.Connection, now: datetime, patient_code: str) -> None:
    """Refuse whoever has as many open bookings as one may have."""
    if sum(one.status == "booked" for one in open_bookings(db, now, patient_code)) >= MOST_OPEN:
        raise Refused(Reason.LIMIT)


def check_slot(
    db: sa.Connection,
    now: datetime,
    zone: ZoneInfo,
    patient_code: str,
    slot: Row,
    apart_from: int | None = None,
) -> None:
    """`check_limits` for a time as it stands in its row."""
    check_limits(
        db,
        now,
        zone,
        patient_code=patient_code,
        doctor_code=slot.doctor_code,
        start=slot.start_at,
        apart_from=apart_from,
    )


def lock_open_slot(db: sa.Connection, now: datetime, slot_code: str) -> Row:
    """A time that can still be booked, locked."""
    slot = appointments.lock_slot(db, slot_code)
    if slot is None:
        raise Refused(Reason.GONE)
    if slot.start_at < now + LEAD:
        raise Refused(Reason.LATE)
    return slot


def half_day(moment: datetime, zone: ZoneInfo) -> tuple[str, bool]:
    """The day, and whether it is the afternoon of it."""
    local = moment.astimezone(zone)
    return local.date().isoformat(), local.hour >= NOON


def _locked(db: sa.Connection, now: datetime, appointment_id: int, patient_code: str) -> Booking:
    appointments.lock_slot(db, booking(db, appointment_id).slot_code)
    found = booking(db, appointment_id)
    if found.patient_code != patient_code or found.status not in appointments.OPEN or found.start <= now:
        raise Refused(Reason.GONE)
    return found


def _where(db: sa.Connection, slot: Row) -> dict[str, object]:
    found = place(db, slot.code)
    assert found is not None
    return {
        "slot_code": found.code,
        "doctor_code": found.doctor_code,
        "department_code": found.department_code,
        "start_at": found.start,
    }


def _place(row: Row) -> Place:
    return Place(
        code=row.code,
        doctor_code=row.doctor_code,
        doctor=row.doctor,
        title=row.title,
        fee_cents=row.fee_cents,
        department_code=row.department_code,
        department=row.department,
        location=row.location,
        start=row.start_at,
        end=row.end_at,
        free=max(0, row.free),
    )


def _booking(row: Row) -> Booking:
    return Booking(
        id=row.id,
        number=row.number or "",
        status=row.status,
        slot_code=row.slot_code,
        doctor_code=row.doctor_code,
        doctor=row.doctor,
        title=row.title,
        department_code=row.department_code,
        department=row.department,
        location=row.location,
        start=row.start_at,
        end=row.end_at,
        fee_cents=row.fee_cents,
        held_until=row.held_until,
        patient_code=row.patient_code,
        contact_id=row.contact_id,
    )
