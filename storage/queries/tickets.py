"""Complaints and praise: given, added to, answered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from storage.dialect import lock_row
from storage.rows import Row, Rows
from storage.tables import contacts, ticket_entries, tickets

OPEN = ("received", "acknowledged", "assigned", "investigating", "replied", "disputed", "reopened")


def add_ticket(connection: sa.Connection, values: Mapping[str, Any]) -> int:
    """A new ticket; its row number, from which its public number is made."""
    number: int = connection.execute(tickets.insert().values(**values).returning(tickets.c.id)).scalar_one()
    return number


def change_ticket(connection: sa.Connection, ticket_id: int, **values: Any) -> None:
    """Its state, owner or severity changed."""
    connection.execute(tickets.update().where(tickets.c.id == ticket_id).values(**values))


def add_entry(
    connection: sa.Connection, ticket_id: int, at: datetime, kind: str, author: str, text: str
) -> None:
    """Something was added: more from the patient, a note, an answer, a change of state."""
    connection.execute(
        ticket_entries.insert().values(ticket_id=ticket_id, at=at, kind=kind, author=author, text=text)
    )


def open_complaints(connection: sa.Connection, contact_id: int) -> Rows:
    """The complaints of a user that are not over, newest first."""
    return connection.execute(
        sa.select(tickets)
        .where(tickets.c.contact_id == contact_id, tickets.c.kind == "complaint", tickets.c.status.in_(OPEN))
        .order_by(tickets.c.id.desc())
    ).all()


def settled_since(since: datetime, whose: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """*whose* (a column) of complaints that were settled since a moment, or about which something was said since."""
    said = sa.select(ticket_entries.c.ticket_id).where(ticket_entries.c.at > since)
    return sa.select(whose).where(
        tickets.c.kind == "complaint",
        tickets.c.status.not_in(OPEN),
        whose.is_not(None),
        sa.or_(tickets.c.closed_at > since, tickets.c.id.in_(said)),
    )


def latest_complaint(connection: sa.Connection, contact_id: int) -> Row | None:
    """The newest complaint, whatever became of it."""
    return connection.execute(
        sa.select(tickets)
        .where(tickets.c.contact_id == contact_id, tickets.c.kind == "complaint")
        .order_by(tickets.c.id.desc())
        .limit(1)
    ).first()


def by_number(connection: sa.Connection, number: str) -> Row | None:
    """A ticket and whom to write to about it; nobody else changes it until this transaction ends."""
    return lock_row(
        connection,
        sa.select(tickets, contacts.c.openid, contacts.c.account, contacts.c.language)
        .join(contacts, contacts.c.id == tickets.c.contact_id)
        .where(tickets.c.number == number),
    )


def entries(connection: sa.Connection, ticket_id: int) -> Rows:
    """Everything that was added, oldest first."""
    return connection.execute(
        sa.select(ticket_entries).where(ticket_entries.c.ticket_id == ticket_id).order_by(ticket_entries.c.id)
    ).all()
