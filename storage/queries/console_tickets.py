"""Tickets as the people who settle them see them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import sqlalchemy as sa

from storage.dialect import lock_row
from storage.rows import Row, Rows
from storage.tables import contacts, departments, doctors, patients, ticket_entries, tickets, visits

DONE = ("accepted", "closed")


def _narrowed(
    kind: str, state: str, severity: str, scope: Sequence[sa.ColumnElement[bool]]
) -> list[sa.ColumnElement[bool]]:
    where = [tickets.c.kind == kind, *scope]
    if state == "open":
        where.append(tickets.c.status.not_in(DONE))
    elif state:
        where.append(tickets.c.status == state)
    if severity:
        where.append(tickets.c.severity == severity)
    return where


def listed(
    connection: sa.Connection,
    kind: str,
    state: str,
    severity: str,
    scope: Sequence[sa.ColumnElement[bool]],
    limit: int = 200,
) -> Rows:
    """The earliest promised day first."""
    return connection.execute(
        sa.select(tickets, patients.c.name.label("patient_name"))
        .join(contacts, contacts.c.id == tickets.c.contact_id)
        .outerjoin(patients, patients.c.code == tickets.c.patient_code)
        .where(*_narrowed(kind, state, severity, scope))
        .order_by(tickets.c.due.nulls_last(), tickets.c.severity, tickets.c.id.desc())
        .limit(limit)
    ).all()


def counts(connection: sa.Connection, today: date, scope: Sequence[sa.ColumnElement[bool]]) -> Row:
    """Open complaints, those past their day, and praise."""
    open_ = sa.and_(tickets.c.kind == "complaint", tickets.c.status.not_in(DONE))
    return connection.execute(
        sa.select(
            sa.func.count(sa.case((open_, 1))).label("open"),
            sa.func.count(
                sa.case((sa.and_(open_, tickets.c.due < today, tickets.c.status != "replied"), 1))
            ).label("late"),
            sa.func.count(sa.case((sa.and_(open_, tickets.c.severity == "C1"), 1))).label("severe"),
            sa.func.count(sa.case((tickets.c.kind == "praise", 1))).label("praise"),
        )
        .select_from(tickets)
        .join(contacts, contacts.c.id == tickets.c.contact_id)
        .where(*scope)
    ).one()


def one(
    connection: sa.Connection, number: str, scope: Sequence[sa.ColumnElement[bool]], *, lock: bool = False
) -> Row | None:
    """A ticket with its patient, if one may see it. With `lock` nobody else changes it meanwhile."""
    if lock:
        lock_row(connection, sa.select(tickets.c.id).where(tickets.c.number == number))
    return connection.execute(
        sa.select(tickets, patients.c.name.label("patient_name"))
        .join(contacts, contacts.c.id == tickets.c.contact_id)
        .outerjoin(patients, patients.c.code == tickets.c.patient_code)
        .where(tickets.c.number == number, *scope)
    ).first()


def entries(connection: sa.Connection, ticket_ids: Sequence[int]) -> Rows:
    """What was added to these tickets, oldest first."""
    return connection.execute(
        sa.select(ticket_entries)
        .where(ticket_entries.c.ticket_id.in_(list(ticket_ids)))
        .order_by(ticket_entries.c.id)
    ).all()


def whereabouts(connection: sa.Connection, code: str, until: datetime) -> Row | None:
    """Department and doctor of the patient's last visit before the complaint: whom it is probably about."""
    return connection.execute(
        sa.select(departments.c.name.label("department"), doctors.c.name.label("doctor"))
        .select_from(visits)
        .outerjoin(departments, departments.c.code == visits.c.department_code)
        .outerjoin(doctors, doctors.c.code == visits.c.doctor_code)
        .where(visits.c.patient_code == code, visits.c.date <= until.date())
        .order_by(visits.c.date.desc())
        .limit(1)
    ).first()
