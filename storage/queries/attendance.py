"""Bookings whose time is over, and the visits that tell how they ended."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime

import sqlalchemy as sa

from storage.rows import Rows
from storage.tables import appointments, visits


def booked_until(connection: sa.Connection, until: datetime, after: int, limit: int) -> Rows:
    """The bookings still open that begin before then, by their number."""
    return connection.execute(
        sa.select(
            appointments.c.id,
            appointments.c.patient_code,
            appointments.c.department_code,
            appointments.c.doctor_code,
            appointments.c.start_at,
        )
        .where(appointments.c.status == "booked", appointments.c.start_at < until, appointments.c.id > after)
        .order_by(appointments.c.id)
        .limit(limit)
    ).all()


def visits_on(connection: sa.Connection, patients: Collection[str], first: date, last: date) -> Rows:
    """The outpatient visits and examinations of these patients in a span of days, both included."""
    return connection.execute(
        sa.select(
            visits.c.patient_code,
            visits.c.department_code,
            visits.c.doctor_code,
            visits.c.date,
            visits.c.status,
        ).where(
            visits.c.patient_code.in_(patients),
            visits.c.date.between(first, last),
            visits.c.kind.in_(("outpatient", "exam")),
        )
    ).all()


def told_days(connection: sa.Connection, since: date) -> Rows:
    """The departments and days from then on whose outpatient visits the hospital has told us of."""
    return connection.execute(
        sa.select(visits.c.department_code, visits.c.date)
        .where(
            visits.c.date >= since,
            visits.c.kind.in_(("outpatient", "exam")),
            visits.c.status.in_(("done", "loss", "noshow", "")),
        )
        .distinct()
    ).all()


def close(connection: sa.Connection, numbers: Collection[int], status: str, now: datetime) -> int:
    """Say how bookings ended; how many of them were still open."""
    if not numbers:
        return 0
    return connection.execute(
        appointments.update()
        .where(appointments.c.id.in_(numbers), appointments.c.status == "booked")
        .values(status=status, changed_at=now)
    ).rowcount
