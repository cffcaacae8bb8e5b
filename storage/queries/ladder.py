"""Alarms nobody has taken, and whoever must hear of them next."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from storage.dialect import lock_row
from storage.rows import Rows
from storage.tables import alerts, contacts, roster, tickets, users

CLIMBING = ("E", "U")  # the levels that have a ladder


def beginning(connection: sa.Connection, most: int) -> Rows:
    """Alarms whose ladder has not been put up; nobody else does it until this transaction ends."""
    return connection.execute(
        sa.select(alerts)
        .where(
            alerts.c.status.in_(("open", "acknowledged")),
            alerts.c.rung == 0,
            alerts.c.level.in_(CLIMBING),
        )
        .order_by(alerts.c.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    ).all()


def due(connection: sa.Connection, now: datetime, most: int) -> Rows:
    """Alarms that nobody took in time for the next rung, the oldest first."""
    return connection.execute(
        sa.select(alerts)
        .where(alerts.c.status == "open", alerts.c.rung > 0, alerts.c.next_rung_at <= now)
        .order_by(alerts.c.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    ).all()


def has_leader(connection: sa.Connection, alert_id: int, contact_id: int, level: str) -> bool:
    """Whether an earlier or graver alarm of the same user is climbing: one of them wakes people, not each."""
    graver = alerts.c.level == "E" if level != "E" else sa.false()
    earlier = sa.and_(alerts.c.level == level, alerts.c.id < alert_id)
    found = sa.select(alerts.c.id).where(
        alerts.c.contact_id == contact_id,
        alerts.c.status == "open",
        alerts.c.next_rung_at.is_not(None),
        sa.or_(graver, earlier),
    )
    return connection.execute(found.limit(1)).first() is not None


def rostered(connection: sa.Connection, now: datetime, post: str) -> Rows:
    """Who holds a post now: name, wecom_userid, phone."""
    return connection.execute(
        sa.select(users.c.name, users.c.wecom_userid, users.c.phone)
        .distinct()
        .join(roster, roster.c.user_name == users.c.name)
        .where(users.c.active, roster.c.post == post, roster.c.start_at <= now, roster.c.end_at > now)
        .order_by(users.c.name)
    ).all()


def of_roles(connection: sa.Connection, roles: Sequence[str]) -> Rows:
    """Everybody with one of the roles, on duty or not: name, wecom_userid, phone."""
    return connection.execute(
        sa.select(users.c.name, users.c.wecom_userid, users.c.phone)
        .where(users.c.active, users.c.role.in_(list(roles)))
        .order_by(users.c.name)
    ).all()


def language_of(connection: sa.Connection, contact_id: int) -> str:
    """What the user last read; empty: not known."""
    found: str | None = connection.execute(
        sa.select(contacts.c.language).where(contacts.c.id == contact_id)
    ).scalar()
    return found or ""


def file_incident(
    connection: sa.Connection,
    now: datetime,
    alert_id: int,
    contact_id: int,
    patient_code: str | None,
    severity: str,
) -> None:
    """Open the safety incident of an alarm, or raise the severity of the one that is open."""
    number = f"AQ{alert_id:06d}"
    known = lock_row(connection, sa.select(tickets.c.id).where(tickets.c.number == number))
    if known is not None:
        connection.execute(tickets.update().where(tickets.c.id == known.id).values(severity=severity))
        return
    connection.execute(
        tickets.insert().values(
            number=number,
            at=now,
            contact_id=contact_id,
            patient_code=patient_code,
            kind="incident",
            severity=severity,
            status="received",
        )
    )
