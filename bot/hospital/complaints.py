"""Complaints and praise: a number, a promised day, and answers that can be accepted or disputed.

The promised day is the fifth working day after the day of receipt (医疗机构投诉管理办法, safety.md §4.1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from bot.domain.calendar import add_workdays
from storage.queries import alerts, tickets
from storage.rows import Row

WORKING_DAYS = 5


def register(
    db: sa.Connection,
    now: datetime,
    zone: ZoneInfo,
    *,
    kind: str,
    contact_id: int,
    patient_code: str | None,
    severity: str,
    emotion: str,
    account: Mapping[str, str],
    pictures: Sequence[str] = (),
) -> tuple[str, date | None]:
    """Register a complaint or praise; its number, and for a complaint the day of the answer."""
    due = add_workdays(now.astimezone(zone).date(), WORKING_DAYS) if kind == "complaint" else None
    row = tickets.add_ticket(
        db,
        {
            "at": now,
            "contact_id": contact_id,
            "patient_code": patient_code,
            "kind": kind,
            "severity": severity,
            "emotion": emotion,
            "status": "received",
            "due": due,
            "account_given": dict(account),
        },
    )
    number = f"TS{row:06d}"
    tickets.change_ticket(db, row, number=number)
    for picture in pictures:
        tickets.add_entry(db, row, now, "picture", "patient", picture)
    if kind == "complaint":
        alerts.add_task(
            db,
            {
                "at": now,
                "key": f"complaint:{number}",
                "contact_id": contact_id,
                "patient_code": patient_code,
                "kind": "complaint",
                "reason": f"{number} {severity}",
                "status": "open",
            },
        )
    return number, due


def reply(db: sa.Connection, now: datetime, number: str, text: str, by: str) -> Row | None:
    """The hospital answers; the ticket, or None when there is no such number."""
    ticket = tickets.by_number(db, number)
    if ticket is None:
        return None
    tickets.add_entry(db, ticket.id, now, "reply", by, text)
    tickets.change_ticket(db, ticket.id, status="replied")
    return ticket


def accept(db: sa.Connection, now: datetime, ticket: Row) -> None:
    """The patient is content with the answer."""
    tickets.add_entry(db, ticket.id, now, "state", "patient", "accepted")
    tickets.change_ticket(db, ticket.id, status="accepted")


def reopen(db: sa.Connection, now: datetime, ticket: Row) -> None:
    """The patient is not: somebody must look again."""
    tickets.add_entry(db, ticket.id, now, "state", "patient", "reopened")
    tickets.change_ticket(db, ticket.id, status="reopened")
    alerts.add_task(
        db,
        {
            "at": now,
            "key": f"complaint:{ticket.number}:{now.isoformat()}",
            "contact_id": ticket.contact_id,
            "patient_code": ticket.patient_code,
            "kind": "complaint",
            "reason": f"{ticket.number} 患者对答复不满意",
            "status": "open",
        },
    )
