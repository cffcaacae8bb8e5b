"""Calls to make: who is due, what was tried, and new people who rang."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from storage.dialect import lock_row
from storage.rows import Row, Rows
from storage.tables import bindings, call_attempts, contacts, leads, messages, patients, tasks

CALLED = ("callback", "plan", "silence", "no_route", "low_score", "report", "media")

_attempts = (
    sa.select(sa.func.count())
    .where(call_attempts.c.task_id == tasks.c.id)
    .correlate(tasks)
    .scalar_subquery()
    .label("attempts")
)
# Of a task about nobody in particular: whom its user speaks for first.
_spoken_for = (
    sa.select(bindings.c.patient_code)
    .where(bindings.c.contact_id == tasks.c.contact_id, bindings.c.ended_at.is_(None))
    .order_by(sa.case((bindings.c.relation == "self", 0), else_=1), bindings.c.id)
    .limit(1)
    .correlate(tasks)
    .scalar_subquery()
)
_tasks = (
    sa.select(
        tasks,
        _attempts,
        patients.c.code,
        patients.c.name,
        patients.c.phone,
        patients.c.allergies,
        patients.c.deceased_on,
    )
    .select_from(tasks)
    .outerjoin(patients, patients.c.code == sa.func.coalesce(tasks.c.patient_code, _spoken_for))
    .outerjoin(contacts, contacts.c.id == tasks.c.contact_id)
)


def queue(connection: sa.Connection, scope: Sequence[sa.ColumnElement[bool]], limit: int = 100) -> Rows:
    """What is open, due first; what has no time after it, the oldest first."""
    mine = [sa.or_(tasks.c.contact_id.is_(None), *[sa.and_(*scope)])] if scope else []
    return connection.execute(
        _tasks.where(tasks.c.status == "open", tasks.c.kind.in_(CALLED), *mine)
        .order_by(tasks.c.due_at.nulls_last(), tasks.c.id)
        .limit(limit)
    ).all()


def one(
    connection: sa.Connection, task: int, scope: Sequence[sa.ColumnElement[bool]], *, lock: bool = False
) -> Row | None:
    """A call to make, if one may see it."""
    if lock:
        lock_row(connection, sa.select(tasks.c.id).where(tasks.c.id == task))
    mine = [sa.or_(tasks.c.contact_id.is_(None), *[sa.and_(*scope)])] if scope else []
    return connection.execute(_tasks.where(tasks.c.id == task, *mine)).first()


def attempts(connection: sa.Connection, task: int) -> Rows:
    """What was tried, oldest first."""
    return connection.execute(
        sa.select(call_attempts).where(call_attempts.c.task_id == task).order_by(call_attempts.c.id)
    ).all()


def written_at(connection: sa.Connection, contact_id: int, since: datetime) -> list[datetime]:
    """When this user wrote to us."""
    found = sa.select(messages.c.at).where(
        messages.c.contact_id == contact_id, messages.c.dir == "in", messages.c.at >= since
    )
    return list(connection.execute(found.order_by(messages.c.at.desc()).limit(500)).scalars())


def end_follow_ups(connection: sa.Connection, code: str, outcome: str, by: str, now: datetime) -> None:
    """The patient wants no calls of this kind any more."""
    connection.execute(
        tasks.update()
        .where(
            tasks.c.patient_code == code, tasks.c.status == "open", tasks.c.kind.in_(("silence", "low_score"))
        )
        .values(status="cancelled", done_at=now, outcome=outcome, assigned_to=by)
    )


def add_attempt(connection: sa.Connection, values: Mapping[str, Any]) -> None:
    """Somebody rang."""
    connection.execute(call_attempts.insert().values(**values))


def change_task(connection: sa.Connection, task: int, **values: Any) -> None:
    """It is done, or due again."""
    connection.execute(tasks.update().where(tasks.c.id == task).values(**values))


def add_lead(connection: sa.Connection, values: Mapping[str, Any]) -> None:
    """Somebody rang whom the hospital does not know."""
    connection.execute(leads.insert().values(**values))


def change_lead(connection: sa.Connection, lead: int, **values: Any) -> None:
    """What became of somebody who rang."""
    connection.execute(leads.update().where(leads.c.id == lead).values(**values))


def leads_due(connection: sa.Connection, now: datetime, limit: int = 30) -> Rows:
    """Those who rang and are to be rung back by now, the longest waiting first."""
    return connection.execute(
        sa.select(leads)
        .where(leads.c.stage.in_(("new", "contacted")), leads.c.next_at <= now)
        .order_by(leads.c.next_at)
        .limit(limit)
    ).all()


def leads_with(connection: sa.Connection, phone_index: str) -> Rows:
    """Those who rang from this number before."""
    return connection.execute(
        sa.select(leads).where(leads.c.phone_index == phone_index).order_by(leads.c.id.desc()).limit(5)
    ).all()


def open_tasks_of(connection: sa.Connection, codes: Sequence[str], now: datetime) -> Rows:
    """What is to be done for these patients."""
    return connection.execute(
        _tasks.where(tasks.c.status == "open", patients.c.code.in_(list(codes)))
        .order_by(tasks.c.due_at.nulls_last())
        .limit(20)
    ).all()
