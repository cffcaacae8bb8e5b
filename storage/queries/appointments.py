"""Doctors' times, who has them, and who waits for them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from storage.dialect import lock_row
from storage.rows import Row, Rows
from storage.tables import appointments, departments, doctors, patients, slots

TAKING = ("booked", "held")  # who is in one of these takes a place
OPEN = ("booked", "held", "waiting")


def _how_many(*statuses: str) -> sa.ScalarSelect[int]:
    return (
        sa.select(sa.func.count())
        .select_from(appointments)
        .where(appointments.c.slot_code == slots.c.code, appointments.c.status.in_(statuses))
        .correlate(slots)
        .scalar_subquery()
    )


# Who waits comes before who asks now, so a place that was freed is not free to everybody.
_free = slots.c.capacity - _how_many(*OPEN)
_places = (
    sa.select(
        slots,
        doctors.c.name.label("doctor"),
        doctors.c.title,
        doctors.c.fee_cents,
        doctors.c.department_code,
        departments.c.name.label("department"),
        departments.c.location,
        _free.label("free"),
    )
    .join(doctors, doctors.c.code == slots.c.doctor_code)
    .join(departments, departments.c.code == doctors.c.department_code)
)


def places(
    connection: sa.Connection,
    since: datetime,
    until: datetime | None = None,
    *,
    department: str = "",
    doctor: str = "",
    only_free: bool = False,
    limit: int = 500,
) -> Rows:
    """Doctors' times that begin in a span, full ones too, earliest first."""
    statement = _places.where(slots.c.start_at >= since)
    if until is not None:
        statement = statement.where(slots.c.start_at < until)
    if doctor:
        statement = statement.where(slots.c.doctor_code == doctor)
    elif department:
        statement = statement.where(doctors.c.department_code == department)
    if only_free:
        statement = statement.where(_free > 0)
    return connection.execute(statement.order_by(slots.c.start_at, slots.c.code).limit(limit)).all()


def place(connection: sa.Connection, slot_code: str) -> Row | None:
    """One doctor's time."""
    return connection.execute(_places.where(slots.c.code == slot_code)).first()


def bookable_departments(connection: sa.Connection, since: datetime) -> Rows:
    """The departments whose doctors have times from then on."""
    has_times = (
        sa.select(slots.c.code)
        .join(doctors, doctors.c.code == slots.c.doctor_code)
        .where(doctors.c.department_code == departments.c.code, slots.c.start_at >= since)
    )
    return connection.execute(
        sa.select(departments).where(has_times.exists()).order_by(departments.c.code)
    ).all()


def lock_slot(connection: sa.Connection, slot_code: str) -> Row | None:
    """One doctor's time; nobody else gives its places away until this transaction ends."""
    return lock_row(connection, sa.select(slots).where(slots.c.code == slot_code))


def lock_patient(connection: sa.Connection, patient_code: str) -> Row | None:
    """The patient; nobody else books for the same one until this transaction ends."""
    columns = (patients.c.code, patients.c.name, patients.c.birth_date, patients.c.deceased_on)
    return lock_row(connection, sa.select(*columns).where(patients.c.code == patient_code))


def living(connection: sa.Connection, patient_code: str) -> Row | None:
    """The patient's code and name, unless they have died."""
    return connection.execute(
        sa.select(patients.c.code, patients.c.name).where(
            patients.c.code == patient_code, patients.c.deceased_on.is_(None)
        )
    ).first()


def holders(connection: sa.Connection, slot_code: str) -> Rows:
    """Everybody who has, is offered or waits for a place at that time, in the order they came."""
    return connection.execute(
        sa.select(appointments)
        .where(appointments.c.slot_code == slot_code, appointments.c.status.in_(OPEN))
        .order_by(appointments.c.created_at, appointments.c.id)
    ).all()


_bookings = (
    sa.select(
        appointments,
        slots.c.end_at,
        doctors.c.name.label("doctor"),
        doctors.c.title,
        doctors.c.fee_cents,
        departments.c.name.label("department"),
        departments.c.location,
    )
    .join(slots, slots.c.code == appointments.c.slot_code)
    .join(doctors, doctors.c.code == appointments.c.doctor_code)
    .join(departments, departments.c.code == appointments.c.department_code)
)


def open_bookings(connection: sa.Connection, patient_code: str, since: datetime) -> Rows:
    """What a patient has booked, is offered or waits for from then on, earliest first."""
    return connection.execute(
        _bookings.where(
            appointments.c.patient_code == patient_code,
            appointments.c.status.in_(OPEN),
            appointments.c.start_at >= since,
        ).order_by(appointments.c.start_at, appointments.c.id)
    ).all()


def booking(connection: sa.Connection, appointment_id: int) -> Row | None:
    """One booking with its doctor and place, whatever became of it."""
    return connection.execute(_bookings.where(appointments.c.id == appointment_id)).first()


def offers(connection: sa.Connection, patient_codes: Collection[str], now: datetime) -> Rows:
    """The freed places that are kept for these patients now, the latest offer first."""
    return connection.execute(
        _bookings.where(
            appointments.c.patient_code.in_(list(patient_codes)),
            appointments.c.status == "held",
            appointments.c.held_until > now,
        ).order_by(appointments.c.changed_at.desc(), appointments.c.id.desc())
    ).all()


def add(connection: sa.Connection, values: Mapping[str, Any]) -> int:
    """A new booking or a new name on a waiting list; its id."""
    number: int = connection.execute(
        appointments.insert().values(**values).returning(appointments.c.id)
    ).scalar_one()
    return number


def change(connection: sa.Connection, appointment_id: int, **values: Any) -> None:
    """A booking was made, moved, cancelled, offered."""
    connection.execute(appointments.update().where(appointments.c.id == appointment_id).values(**values))


def lapsed_offers(connection: sa.Connection, now: datetime) -> Rows:
    """The held places whose time is up."""
    return connection.execute(
        sa.select(appointments.c.id, appointments.c.slot_code)
        .where(appointments.c.status == "held", appointments.c.held_until <= now)
        .order_by(appointments.c.slot_code, appointments.c.id)
    ).all()


def waited_for_in_vain(connection: sa.Connection, until: datetime) -> Rows:
    """Who still waits for a time that begins by then."""
    return connection.execute(
        sa.select(appointments.c.id, appointments.c.slot_code)
        .where(appointments.c.status == "waiting", appointments.c.start_at < until)
        .order_by(appointments.c.slot_code, appointments.c.id)
    ).all()


def freed_slots(connection: sa.Connection, since: datetime) -> list[str]:
    """The times from then on that have both an untaken place and somebody waiting for it."""
    waited_for = (
        sa.select(appointments.c.slot_code)
        .where(appointments.c.status == "waiting", appointments.c.start_at >= since)
        .distinct()
    )
    statement = (
        sa.select(slots.c.code)
        .where(slots.c.code.in_(waited_for), slots.c.capacity > _how_many(*TAKING))
        .order_by(slots.c.code)
    )
    return list(connection.execute(statement).scalars())
