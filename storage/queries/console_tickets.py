"""Tickets as the people who settle them see them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from storage.dialect import lock_row
from storage.rows import Row, Rows
from storage.tables import (
    contacts,
    departments,
    doctors,
    patients,
    ticket_actions,
    ticket_entries,
    tickets,
    visits,
)

DONE = ("accepted", "closed")


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Which tickets; empty: any."""

    kind: str = "complaint"
    state: str = ""  # a status, or open, late, paused, legal, quality
    severity: str = ""
    owner: str = ""
    department: str = ""
    cause: str = ""
    today: date | None = None  # for what is late

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """For a selection from tickets."""
        where = [tickets.c.kind == self.kind]
        special = {
            "open": tickets.c.status.not_in(DONE),
            "late": sa.and_(_waits(), tickets.c.due < self.today),
            "paused": tickets.c.paused_at.is_not(None),
            "legal": tickets.c.legal != "",
            "quality": tickets.c.quality == "sent",
        }
        if self.state:
            where.append(special.get(self.state, tickets.c.status == self.state))
        for column, wanted in (
            (tickets.c.severity, self.severity),
            (tickets.c.owner, self.owner),
            (tickets.c.department_code, self.department),
            (tickets.c.cause, self.cause),
        ):
            if wanted:
                where.append(column == wanted)
        return where


def _waits() -> sa.ColumnElement[bool]:
    """Whether the hospital owes an answer and its clock runs."""
    return sa.and_(
        tickets.c.kind == "complaint",
        tickets.c.status.not_in((*DONE, "replied")),
        tickets.c.paused_at.is_(None),
        tickets.c.legal == "",
    )


def listed(
    connection: sa.Connection,
    narrowing: Narrowing,
    scope: Sequence[sa.ColumnElement[bool]],
    limit: int = 200,
) -> Rows:
    """The earliest promised day first."""
    return connection.execute(
        sa.select(tickets, patients.c.name.label("patient_name"))
        .join(contacts, contacts.c.id == tickets.c.contact_id)
        .outerjoin(patients, patients.c.code == tickets.c.patient_code)
        .where(*narrowing.conditions(), *scope)
        .order_by(tickets.c.due.nulls_last(), tickets.c.severity, tickets.c.id.desc())
        .limit(limit)
    ).all()


def counts(connection: sa.Connection, today: date, scope: Sequence[sa.ColumnElement[bool]]) -> Row:
    """Open complaints, those past their day, those that stand still; suggestions and praise."""
    open_ = sa.and_(tickets.c.kind == "complaint", tickets.c.status.not_in(DONE))

    def number(condition: sa.ColumnElement[bool], name: str) -> sa.Label[int]:
        return sa.func.count(sa.case((condition, 1))).label(name)

    return connection.execute(
        sa.select(
            number(open_, "open"),
            number(sa.and_(_waits(), tickets.c.due < today), "late"),
            number(sa.and_(open_, tickets.c.severity == "C1"), "severe"),
            number(sa.and_(open_, tickets.c.paused_at.is_not(None)), "paused"),
            number(sa.and_(tickets.c.legal != "", tickets.c.status.not_in(DONE)), "legal"),
            number(tickets.c.quality == "sent", "quality"),
            number(tickets.c.kind == "suggestion", "suggestions"),
            number(tickets.c.kind == "praise", "praise"),
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
        sa.select(tickets, patients.c.name.label("patient_name"), contacts.c.language)
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


def visited(connection: sa.Connection, codes: Collection[str]) -> Rows:
    """Visits of these patients, the newest first: patient_code, date, department_code, doctor_code."""
    return connection.execute(
        sa.select(visits.c.patient_code, visits.c.date, visits.c.department_code, visits.c.doctor_code)
        .where(visits.c.patient_code.in_(list(codes)))
        .order_by(visits.c.patient_code, visits.c.date.desc())
    ).all()


def departments_and_doctors(connection: sa.Connection) -> tuple[dict[str, str], dict[str, str]]:
    """Codes and names of both."""
    return (
        {
            row.code: row.name
            for row in connection.execute(sa.select(departments).order_by(departments.c.code))
        },
        {row.code: row.name for row in connection.execute(sa.select(doctors).order_by(doctors.c.code))},
    )


def of_same_cause(connection: sa.Connection, cause: str, department: str, since: datetime) -> int:
    """How many complaints of one cause a department has had since then."""
    return int(
        connection.execute(
            sa.select(sa.func.count()).where(
                tickets.c.kind == "complaint",
                tickets.c.cause == cause,
                tickets.c.department_code == department,
                tickets.c.at >= since,
            )
        ).scalar_one()
    )


# Corrective actions


def actions(connection: sa.Connection, ticket_ids: Sequence[int]) -> Rows:
    """What is done so that it does not happen again, oldest first."""
    return connection.execute(
        sa.select(ticket_actions)
        .where(ticket_actions.c.ticket_id.in_(list(ticket_ids)))
        .order_by(ticket_actions.c.id)
    ).all()


def add_action(connection: sa.Connection, values: Mapping[str, Any]) -> None:
    """Somebody will do something by a day."""
    connection.execute(ticket_actions.insert().values(**values))


def change_action(connection: sa.Connection, ticket_id: int, action: int, **values: Any) -> bool:
    """It is done, or was checked; False: it is no action of this ticket."""
    done = connection.execute(
        ticket_actions.update()
        .where(ticket_actions.c.id == action, ticket_actions.c.ticket_id == ticket_id)
        .values(**values)
    )
    return done.rowcount > 0


# Reminders


def nearly_due(connection: sa.Connection, until: date) -> Rows:
    """Complaints whose answer is owed by then, with their owners: number, due, owner, contact_id, patient_code."""
    return connection.execute(
        sa.select(
            tickets.c.number, tickets.c.due, tickets.c.owner, tickets.c.contact_id, tickets.c.patient_code
        ).where(_waits(), tickets.c.due <= until)
    ).all()
