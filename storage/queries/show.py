"""What `xiaohu show` lists: the contract's fields, in its order (contract.md §1), newest last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from storage.rows import Rows
from storage.tables import (
    alerts,
    appointments,
    consents,
    contacts,
    letters,
    messages,
    points_entries,
    tasks,
    tickets,
)


@dataclass(frozen=True, slots=True)
class Listing:
    """One question: its fields, and by which columns it is narrowed and ordered."""

    select: sa.Select[Any]
    at: sa.ColumnElement[Any]
    number: sa.ColumnElement[Any]  # breaks ties: what was written later
    patient: sa.ColumnElement[Any]


def _maybe(column: sa.ColumnElement[str]) -> sa.Label[Any]:
    """An empty text says nothing: null."""
    return sa.func.nullif(column, "").label(column.name)


_letter_at = sa.func.coalesce(letters.c.sent_at, letters.c.created_at)
_ledger = sa.select(
    points_entries.c.id,
    points_entries.c.patient_code.label("patient"),
    points_entries.c.at,
    points_entries.c.change,
    sa.cast(
        sa.func.sum(points_entries.c.change).over(
            partition_by=points_entries.c.patient_code, order_by=(points_entries.c.at, points_entries.c.id)
        ),
        sa.BigInteger,
    ).label("balance"),
    points_entries.c.reason,
).subquery()

LISTINGS: Mapping[str, Listing] = {
    "alerts": Listing(
        sa.select(
            alerts.c.id,
            alerts.c.at,
            alerts.c.patient_code.label("patient"),
            contacts.c.openid,
            alerts.c.level,
            alerts.c.concept,
            alerts.c.text_span,
            alerts.c.status,
        ).join_from(alerts, contacts, contacts.c.id == alerts.c.contact_id),
        alerts.c.at,
        alerts.c.id,
        alerts.c.patient_code,
    ),
    "tasks": Listing(
        sa.select(
            tasks.c.id,
            tasks.c.at,
            tasks.c.patient_code.label("patient"),
            tasks.c.kind,
            tasks.c.reason,
            tasks.c.status,
        ),
        tasks.c.at,
        tasks.c.id,
        tasks.c.patient_code,
    ),
    "tickets": Listing(
        sa.select(
            tickets.c.number,
            tickets.c.at,
            tickets.c.patient_code.label("patient"),
            _maybe(tickets.c.severity),
            tickets.c.status,
            tickets.c.due,
        ).where(tickets.c.number.is_not(None)),
        tickets.c.at,
        tickets.c.id,
        tickets.c.patient_code,
    ),
    "appointments": Listing(
        sa.select(
            appointments.c.number,
            appointments.c.patient_code.label("patient"),
            appointments.c.slot_code.label("slot"),
            appointments.c.start_at.label("start"),
            appointments.c.doctor_code,
            appointments.c.department_code,
            appointments.c.status,
        ),
        appointments.c.created_at,
        appointments.c.id,
        appointments.c.patient_code,
    ),
    "letters": Listing(
        sa.select(
            letters.c.id,
            _letter_at.label("at"),
            letters.c.patient_code.label("patient"),
            contacts.c.openid,
            letters.c.purpose,
            _maybe(letters.c.plan),
            _maybe(letters.c.step),
            _maybe(letters.c.channel),
            letters.c.state,
            _maybe(letters.c.reason),
        ).join_from(letters, contacts, contacts.c.id == letters.c.contact_id, isouter=True),
        _letter_at,
        letters.c.id,
        letters.c.patient_code,
    ),
    "points": Listing(
        sa.select(_ledger.c.patient, _ledger.c.at, _ledger.c.change, _ledger.c.balance, _ledger.c.reason),
        _ledger.c.at,
        _ledger.c.id,
        _ledger.c.patient,
    ),
    "consents": Listing(
        sa.select(
            consents.c.patient_code.label("patient"),
            contacts.c.openid,
            consents.c.purpose,
            consents.c.granted,
            consents.c.at,
        ).join_from(consents, contacts, contacts.c.id == consents.c.contact_id, isouter=True),
        consents.c.at,
        consents.c.id,
        consents.c.patient_code,
    ),
    "messages": Listing(
        sa.select(
            messages.c.id,
            messages.c.at,
            contacts.c.openid,
            messages.c.patient_code.label("patient"),
            messages.c.dir,
            messages.c.channel,
            messages.c.type,
        ).join_from(messages, contacts, contacts.c.id == messages.c.contact_id),
        messages.c.at,
        messages.c.id,
        messages.c.patient_code,
    ),
}


def listing(connection: sa.Connection, what: str, patient: str | None, since: datetime | None) -> Rows:
    """The rows of one listing, newest last; of one patient, from a moment on."""
    asked = LISTINGS[what]
    select = asked.select.order_by(asked.at, asked.number)
    if patient is not None:
        select = select.where(asked.patient == patient)
    if since is not None:
        select = select.where(asked.at >= since)
    return connection.execute(select).all()
