"""Who waits for a full time, and to whom a freed place is offered: the first in line, for 30 minutes.

A place falls free when somebody cancels or moves, when an offer lapses, or when an import raises the capacity.
`offer_freed` is called at once by whoever frees it; `tick` finds the rest. Both tell the patient through the
caller's `Tell`, because what patients read is written by the rooms above this one.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeAlias
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from bot.domain.patient import Patient
from bot.hospital.appointments import (
    LEAD,
    MOST_OPEN,
    Booking,
    Reason,
    Refused,
    booking,
    check_slot,
    confirm,
    lock_open_slot,
    may_act,
    open_bookings,
)
from storage.queries import appointments
from storage.rows import Row

HOLD = timedelta(minutes=30)  # how long a freed place is kept for one patient

# Tells a patient of the place that is kept for them; False when there is nobody to tell.
Tell: TypeAlias = Callable[[sa.Connection, Booking, datetime], bool]


def join(
    db: sa.Connection,
    now: datetime,
    zone: ZoneInfo,
    *,
    patient: Patient,
    relation: str,
    slot_code: str,
    contact_id: int,
) -> int:
    """Wait for a full time; the place in the line, counted from 1.

    Raises:
        Refused: a rule stands against it, or there is a free place and no need to wait.
    """
    may_act(db, now, zone, patient.code, relation)
    slot = lock_open_slot(db, now, slot_code)
    holders = appointments.holders(db, slot_code)
    if any(row.patient_code == patient.code for row in holders):
        raise Refused(Reason.WAITING)
    if len(holders) < slot.capacity:
        raise Refused(Reason.FREE)
    lines = [one for one in open_bookings(db, now, patient.code) if one.status == "waiting"]
    if len(lines) >= MOST_OPEN:
        raise Refused(Reason.LIMIT)
    check_slot(db, now, zone, patient.code, slot)
    place = appointments.place(db, slot_code)
    assert place is not None
    appointments.add(
        db,
        {
            "patient_code": patient.code,
            "contact_id": contact_id,
            "slot_code": slot_code,
            "doctor_code": place.doctor_code,
            "department_code": place.department_code,
            "start_at": slot.start_at,
            "status": "waiting",
            "created_at": now,
            "changed_at": now,
        },
    )
    return 1 + len([row for row in holders if row.status == "waiting"])


def position(db: sa.Connection, waiting: Booking) -> int:
    """How far back in the line somebody stands; 1 is next."""
    line = [row.id for row in appointments.holders(db, waiting.slot_code) if row.status == "waiting"]
    return line.index(waiting.id) + 1 if waiting.id in line else 1


def offer_freed(db: sa.Connection, now: datetime, slot_code: str, tell: Tell) -> int:
    """Keep every untaken place of a time for the next in line and tell them; how many were told."""
    slot = appointments.lock_slot(db, slot_code)
    if slot is None or slot.start_at <= now + LEAD:
        return 0
    holders = appointments.holders(db, slot_code)
    untaken = slot.capacity - sum(row.status in appointments.TAKING for row in holders)
    told = 0
    for row in holders:
        if told >= untaken:
            break
        if row.status == "waiting" and _offer(db, now, row, slot, tell):
            told += 1
    return told


def _offer(db: sa.Connection, now: datetime, row: Row, slot: Row, tell: Tell) -> bool:
    """Keep a place for one who waits; False, and off the list, when nobody is there to be told."""
    until = min(now + HOLD, slot.start_at - LEAD)
    appointments.change(db, row.id, status="held", held_until=until, changed_at=now)
    if tell(db, booking(db, row.id), now):
        return True
    appointments.change(db, row.id, status="cancelled", held_until=None, changed_at=now)
    return False


def accept(
    db: sa.Connection,
    now: datetime,
    zone: ZoneInfo,
    *,
    patient: Patient,
    relation: str,
    appointment_id: int,
) -> Booking:
    """Take the place that is kept for this patient.

    Raises:
        Refused: it is kept no longer (gone), or a rule stands against it; then it is still kept.
    """
    may_act(db, now, zone, patient.code, relation)
    slot = lock_open_slot(db, now, booking(db, appointment_id).slot_code)
    kept = booking(db, appointment_id)
    in_time = kept.held_until is not None and now < kept.held_until
    if kept.patient_code != patient.code or kept.status != "held" or not in_time:
        raise Refused(Reason.GONE)
    check_slot(db, now, zone, patient.code, slot, apart_from=kept.id)
    return confirm(db, now, kept.id)


def tick(db: sa.Connection, now: datetime, tell: Tell) -> int:
    """Let lapsed offers go, end waiting that came to nothing, offer what is free; how many were told."""
    expire_holds(db, now)
    for row in appointments.waited_for_in_vain(db, now + LEAD):
        appointments.change(db, row.id, status="cancelled", changed_at=now)
    return sum(offer_freed(db, now, code, tell) for code in appointments.freed_slots(db, now + LEAD))


def expire_holds(db: sa.Connection, now: datetime) -> list[str]:
    """Let go of the places whose 30 minutes are over; the times they belong to."""
    freed: list[str] = []
    for row in appointments.lapsed_offers(db, now):
        appointments.lock_slot(db, row.slot_code)
        kept = booking(db, row.id)
        if kept.status == "held" and kept.held_until is not None and kept.held_until <= now:
            appointments.change(db, row.id, status="cancelled", held_until=None, changed_at=now)
            freed.append(row.slot_code)
    return freed
