"""Complaints and praise: a number, a promised day, and answers that can be accepted or disputed.

The promised day is the fifth working day after the day of receipt, the tenth when several departments are
concerned (医疗机构投诉管理办法, safety.md §4.1). While a complaint is paused its clock stands still.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from bot.domain.calendar import add_workdays, is_workday
from storage.queries import alerts, console_tickets, tickets
from storage.rows import Row

WORKING_DAYS: Final = 5
WORKING_DAYS_OF_SEVERAL: Final = 10
CALL_BACK_AT: Final = time(10)
CALL_BACK_DAYS: Final = (7,)
CALL_BACK_DAYS_GRAVE: Final = (7, 30)  # C1
CHECK_AFTER: Final = timedelta(days=90)  # whether a corrective action helped
SAME_CAUSE: Final = 3  # complaints within thirty days that ask for a corrective action
SAME_CAUSE_WITHIN: Final = timedelta(days=30)
CALL_BACK_KEY: Final = "ticket"
REMINDERS: Final = {2: "还有2天到答复期限", 1: "明天到答复期限", 0: "今天到答复期限"}


class Frozen(Exception):
    """A court, a mediator or the police has it: the record takes no more answers."""


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
    """The hospital answers; the ticket, or None when there is no such number.

    Raises:
        Frozen: others settle it.
    """
    ticket = tickets.by_number(db, number)
    if ticket is None:
        return None
    if ticket.legal:
        raise Frozen(number)
    tickets.add_entry(db, ticket.id, now, "reply", by, text)
    tickets.change_ticket(db, ticket.id, status="replied", paused_at=None)
    return ticket


def close(db: sa.Connection, now: datetime, zone: ZoneInfo, ticket: Row, by: str, why: str) -> None:
    """It is settled. Somebody calls after a week whether it stayed so, after a grave one once more."""
    tickets.add_entry(db, ticket.id, now, "state", by, f"closed {why}".strip())
    tickets.change_ticket(db, ticket.id, status="closed", closed_at=now, closed_as="settled", paused_at=None)
    days = CALL_BACK_DAYS_GRAVE if ticket.severity == "C1" else CALL_BACK_DAYS
    for day in days if ticket.kind == "complaint" else ():
        due = datetime.combine(now.astimezone(zone).date() + timedelta(days=day), CALL_BACK_AT, zone)
        values = {
            "at": now,
            "key": f"{CALL_BACK_KEY}:{ticket.number}:{day}:{now:%Y%m%d}",
            "contact_id": ticket.contact_id,
            "patient_code": ticket.patient_code,
            "kind": "callback",
            "reason": f"投诉 {ticket.number} 办结第{day}天回访：问题解决了吗，对处理满意吗",
            "status": "open",
            "due_at": due,
            "assigned_to": "",
        }
        alerts.add_task(db, values)


def refuse(db: sa.Connection, now: datetime, ticket: Row, by: str, why: str) -> None:
    """Not ours to handle (a court, a mediator or the police has it): over, with the reason kept."""
    tickets.add_entry(db, ticket.id, now, "state", by, f"closed 不予受理：{why}")
    tickets.change_ticket(
        db, ticket.id, status="closed", closed_at=now, closed_as="not_accepted", paused_at=None
    )


def open_again(db: sa.Connection, now: datetime, ticket: Row, by: str, why: str) -> None:
    """A colleague sees that it is not over."""
    tickets.add_entry(db, ticket.id, now, "state", by, f"reopened {why}".strip())
    tickets.change_ticket(db, ticket.id, status="reopened", closed_at=None, closed_as="")


def pause(db: sa.Connection, now: datetime, ticket: Row, by: str, why: str) -> None:
    """The clock stands still until it is resumed."""
    tickets.add_entry(db, ticket.id, now, "pause", by, why)
    tickets.change_ticket(db, ticket.id, paused_at=now)


def resume(db: sa.Connection, now: datetime, zone: ZoneInfo, ticket: Row, by: str) -> date | None:
    """The clock goes on; the promised day, later by the working days that passed meanwhile."""
    paused_on, today = ticket.paused_at.astimezone(zone).date(), now.astimezone(zone).date()
    days = (paused_on + timedelta(days=step) for step in range(1, (today - paused_on).days + 1))
    passed = sum(is_workday(day) for day in days)
    due = add_workdays(ticket.due, passed) if ticket.due and passed else ticket.due
    tickets.add_entry(db, ticket.id, now, "pause", by, f"恢复，期限顺延{passed}个工作日")
    tickets.change_ticket(db, ticket.id, paused_at=None, due=due)
    return due


def latest_day(received: date) -> date:
    """The last day the law leaves for an answer when several departments are concerned."""
    return add_workdays(received, WORKING_DAYS_OF_SEVERAL)


def extend(db: sa.Connection, now: datetime, zone: ZoneInfo, ticket: Row, by: str, why: str) -> date | None:
    """Several departments are concerned: the tenth working day. None: it had that already."""
    due = latest_day(ticket.at.astimezone(zone).date())
    if ticket.due is not None and due <= ticket.due:
        return None
    tickets.add_entry(db, ticket.id, now, "extend", by, why)
    tickets.change_ticket(db, ticket.id, due=due)
    return due


def give_to_law(db: sa.Connection, now: datetime, ticket: Row, by: str, where: str, why: str) -> None:
    """Others settle it: the record is kept as it is, and nobody answers any more. Empty `where`: they gave it back."""
    tickets.add_entry(db, ticket.id, now, "legal", by, f"{where or 'none'} {why}".strip())
    tickets.change_ticket(db, ticket.id, legal=where)


def remind(db: sa.Connection, now: datetime, zone: ZoneInfo) -> int:
    """Two days before the promised day, the day before and on the day its owner has a task; how many are new."""
    today = now.astimezone(zone).date()
    added = 0
    for row in console_tickets.nearly_due(db, today + timedelta(days=max(REMINDERS))):
        words = REMINDERS.get((row.due - today).days)
        if words is None:
            continue
        values = {
            "at": now,
            "key": f"complaint:{row.number}:due:{row.due.isoformat()}:{(row.due - today).days}",
            "contact_id": row.contact_id,
            "patient_code": row.patient_code,
            "kind": "complaint",
            "reason": f"{row.number} {words}",
            "status": "open",
            "due_at": datetime.combine(row.due, time(17), zone),
            "assigned_to": row.owner,
        }
        added += alerts.add_task(db, values) is not None
    return added


def accept(db: sa.Connection, now: datetime, ticket: Row) -> None:
    """The patient is content with the answer."""
    tickets.add_entry(db, ticket.id, now, "state", "patient", "accepted")
    tickets.change_ticket(db, ticket.id, status="accepted")


def reopen(db: sa.Connection, now: datetime, ticket: Row) -> None:
    """The patient is not: somebody must look again."""
    tickets.add_entry(db, ticket.id, now, "state", "patient", "reopened")
    tickets.change_ticket(db, ticket.id, status="reopened", closed_at=None, closed_as="")
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
