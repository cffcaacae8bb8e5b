"""Conversations as the people who answer them see them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from storage.dialect import lock_row
from storage.rows import Row, Rows
from storage.tables import (
    alerts,
    bindings,
    contacts,
    conversations,
    desk_notes,
    letters,
    messages,
    patients,
    roster,
    snoozes,
    tasks,
)

_level = (
    sa.select(sa.func.min(alerts.c.level))
    .where(alerts.c.contact_id == contacts.c.id, alerts.c.status.in_(("open", "acknowledged")))
    .correlate(contacts)
    .scalar_subquery()
    .label("alert_level")  # E sorts before S before U: see _urgent_first
)
_urgent_first = sa.case((_level == "E", 0), (_level == "U", 1), (_level == "S", 2), else_=3)
_name = (
    sa.select(patients.c.name)
    .join(bindings, bindings.c.patient_code == patients.c.code)
    .where(bindings.c.contact_id == contacts.c.id, bindings.c.ended_at.is_(None))
    .order_by(bindings.c.id)
    .limit(1)
    .correlate(contacts)
    .scalar_subquery()
    .label("patient_name")
)

_list = sa.select(
    contacts.c.id,
    contacts.c.account,
    contacts.c.openid,
    contacts.c.followed,
    conversations.c.owner,
    conversations.c.nurse,
    conversations.c.waiting_since,
    conversations.c.spoke_at,
    conversations.c.handover,
    _level,
    _name,
).join(conversations, conversations.c.contact_id == contacts.c.id)


def waiting_before(connection: sa.Connection, contact_id: int) -> int:
    """How many wait for a person, and for longer than this contact; all of them when it does not wait yet."""
    own = sa.select(conversations.c.waiting_since).where(
        conversations.c.contact_id == contact_id, conversations.c.owner == "waiting"
    )
    since = connection.execute(own).scalar()
    others = (
        sa.select(sa.func.count())
        .select_from(conversations)
        .where(conversations.c.owner == "waiting", conversations.c.contact_id != contact_id)
    )
    if since is not None:
        others = others.where(conversations.c.waiting_since < since)
    return int(connection.execute(others).scalar_one())


def next_shift(connection: sa.Connection, now: datetime) -> datetime | None:
    """When the next duty of anybody begins; None: no roster knows."""
    return connection.execute(
        sa.select(sa.func.min(roster.c.start_at)).where(roster.c.start_at > now)
    ).scalar()


def in_state(connection: sa.Connection, owners: Sequence[str], limit: int = 200) -> Rows:
    """Conversations somebody (or the bot) holds: urgent first, then longest waiting."""
    return connection.execute(
        _list.where(conversations.c.owner.in_(list(owners)))
        .order_by(_urgent_first, conversations.c.waiting_since.nulls_last(), contacts.c.id)
        .limit(limit)
    ).all()


def needing_people(connection: sa.Connection, limit: int = 200) -> Rows:
    """Conversations with an open alarm, or that wait for a nurse, or that one has: urgent first."""
    return connection.execute(
        _list.where(sa.or_(conversations.c.owner != "bot", _level.is_not(None)))
        .order_by(_urgent_first, conversations.c.waiting_since.nulls_last(), contacts.c.id)
        .limit(limit)
    ).all()


def one(connection: sa.Connection, contact_id: int) -> Row | None:
    """One conversation, as in the lists."""
    return connection.execute(_list.where(contacts.c.id == contact_id)).first()


def by_openid(connection: sa.Connection, openid: str) -> Row | None:
    """The conversation of an openid; of several accounts the one that spoke last."""
    return connection.execute(
        _list.where(contacts.c.openid == openid)
        .order_by(conversations.c.spoke_at.desc().nulls_last())
        .limit(1)
    ).first()


def lock(connection: sa.Connection, contact_id: int) -> Row | None:
    """The conversation's owner; nobody else moves it until this transaction ends."""
    return lock_row(connection, sa.select(conversations).where(conversations.c.contact_id == contact_id))


def thread(connection: sa.Connection, contact_id: int, limit: int = 100) -> Rows:
    """The last messages, oldest first."""
    rows = connection.execute(
        sa.select(messages)
        .where(messages.c.contact_id == contact_id)
        .order_by(messages.c.at.desc(), messages.c.id.desc())
        .limit(limit)
    ).all()
    return list(reversed(rows))


def alerts_of(connection: sa.Connection, contact_id: int) -> Rows:
    """The alarms of a conversation, newest first."""
    return connection.execute(
        sa.select(alerts).where(alerts.c.contact_id == contact_id).order_by(alerts.c.id.desc()).limit(50)
    ).all()


def fingerprint(connection: sa.Connection) -> str:
    """Something that differs whenever a nurse's screen should."""
    parts = connection.execute(
        sa.select(
            sa.select(sa.func.max(messages.c.id)).scalar_subquery(),
            sa.select(sa.func.max(alerts.c.id)).scalar_subquery(),
            sa.select(sa.func.count()).where(alerts.c.status != "closed").scalar_subquery(),
            sa.select(sa.func.count()).where(conversations.c.owner == "waiting").scalar_subquery(),
            sa.select(sa.func.count()).where(conversations.c.owner == "human").scalar_subquery(),
            sa.select(sa.func.max(alerts.c.acknowledged_at)).scalar_subquery(),
            sa.select(sa.func.max(letters.c.id)).scalar_subquery(),
            sa.select(sa.func.count()).where(letters.c.state == "queued").scalar_subquery(),
            sa.select(sa.func.max(desk_notes.c.id)).scalar_subquery(),
            sa.select(sa.func.max(snoozes.c.since)).scalar_subquery(),
            sa.select(sa.func.count()).select_from(snoozes).scalar_subquery(),
            sa.select(sa.func.max(tasks.c.id)).scalar_subquery(),
            sa.select(sa.func.count()).where(tasks.c.status == "open").scalar_subquery(),
        )
    ).one()
    return "-".join("" if part is None else str(part).replace(" ", "T") for part in parts)


def letters_of(connection: sa.Connection, contact_id: int, limit: int = 100) -> Rows:
    """What we owe or sent this user, oldest first."""
    rows = connection.execute(
        sa.select(letters)
        .where(letters.c.contact_id == contact_id)
        .order_by(letters.c.id.desc())
        .limit(limit)
    ).all()
    return list(reversed(rows))


def close_tasks(connection: sa.Connection, contact_id: int, now: datetime, by: str) -> None:
    """What was to be done for this user is done."""
    connection.execute(
        tasks.update()
        .where(
            tasks.c.contact_id == contact_id, tasks.c.status == "open", tasks.c.kind.in_(("handoff", "media"))
        )
        .values(status="done", done_at=now, assigned_to=by)
    )
