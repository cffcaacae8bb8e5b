"""What a colleague has in hand, when somebody else must go on with it."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from storage.queries.console_admin import requeue
from storage.tables import alerts, desk_drafts, desk_notes, snoozes, tasks, tickets

OPEN_TICKET = ("received", "acknowledged", "assigned", "investigating", "replied", "disputed", "reopened")


def went_home(connection: sa.Connection, name: str, now: datetime, until: datetime) -> int:
    """Conversations, alarms and what is due until then wait for another; how many conversations there were."""
    _leave_alarms(connection, name, now)
    _leave_tasks(connection, name, tasks.c.due_at <= until)
    return requeue(connection, name, now)


def left(connection: sa.Connection, name: str, now: datetime) -> int:
    """Everything waits for another, promises, complaints and drafts too; how many conversations there were."""
    _leave_alarms(connection, name, now)
    _leave_tasks(connection, name, sa.true())
    connection.execute(
        tickets.update().where(tickets.c.owner == name, tickets.c.status.in_(OPEN_TICKET)).values(owner="")
    )
    # What was put off until a colleague looks again would be looked at by nobody.
    connection.execute(snoozes.delete().where(snoozes.c.by == name))
    drafts = connection.execute(sa.select(desk_drafts).where(desk_drafts.c.user_name == name)).all()
    for draft in drafts:
        connection.execute(
            desk_notes.insert().values(
                contact_id=draft.contact_id,
                at=now,
                kind="note",
                author=name,
                text=f"没有发出的草稿：{draft.text}",
            )
        )
    connection.execute(desk_drafts.delete().where(desk_drafts.c.user_name == name))
    return requeue(connection, name, now)


def _leave_alarms(connection: sa.Connection, name: str, now: datetime) -> None:
    """An alarm somebody acted on rings again: nobody acts on it now."""
    connection.execute(
        alerts.update()
        .where(alerts.c.acknowledged_by == name, alerts.c.status == "acknowledged")
        .values(status="open", acknowledged_by="", acknowledged_at=None, next_rung_at=now)
    )


def _leave_tasks(connection: sa.Connection, name: str, which: sa.ColumnElement[bool]) -> None:
    connection.execute(
        tasks.update()
        .where(tasks.c.assigned_to == name, tasks.c.status == "open", which)
        .values(assigned_to="")
    )
