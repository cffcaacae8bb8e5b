"""Figures for those who lead: each a question over a span of days, with the rows behind it."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa

from storage.rows import Rows
from storage.tables import alerts, call_attempts, patients, tasks, ticket_entries, tickets, touches


def complaints(connection: sa.Connection, since: datetime, until: datetime) -> Rows:
    """Complaints received then, with when they were first answered and whether they were reopened."""
    first_reply = (
        sa.select(sa.func.min(ticket_entries.c.at))
        .where(ticket_entries.c.ticket_id == tickets.c.id, ticket_entries.c.kind == "reply")
        .correlate(tickets)
        .scalar_subquery()
        .label("replied_at")
    )
    return connection.execute(
        sa.select(tickets, first_reply, patients.c.name.label("patient_name"))
        .outerjoin(patients, patients.c.code == tickets.c.patient_code)
        .where(tickets.c.kind == "complaint", tickets.c.at >= since, tickets.c.at < until)
        .order_by(tickets.c.at)
        .limit(20_000)
    ).all()


def praise(connection: sa.Connection, since: datetime, until: datetime) -> int:
    """How often somebody praised."""
    return int(
        connection.execute(
            sa.select(sa.func.count()).where(
                tickets.c.kind == "praise", tickets.c.at >= since, tickets.c.at < until
            )
        ).scalar_one()
    )


def alarms(connection: sa.Connection, since: datetime, until: datetime) -> Rows:
    """Alarms raised then."""
    columns = [
        alerts.c[name]
        for name in (
            "id",
            "at",
            "level",
            "concept",
            "contact_id",
            "acknowledged_at",
            "acknowledged_by",
            "disposition",
        )
    ]
    return connection.execute(
        sa.select(*columns, patients.c.name.label("patient_name"))
        .outerjoin(patients, patients.c.code == alerts.c.patient_code)
        .where(alerts.c.at >= since, alerts.c.at < until, alerts.c.level.in_(("E", "U")))
        .order_by(alerts.c.at)
        .limit(20_000)
    ).all()


def calls(connection: sa.Connection, since: datetime, until: datetime) -> Rows:
    """Calls tried then, by whom, how they ended: by, outcome, tries."""
    return connection.execute(
        sa.select(call_attempts.c.by, call_attempts.c.outcome, sa.func.count().label("tries"))
        .where(call_attempts.c.at >= since, call_attempts.c.at < until)
        .group_by(call_attempts.c.by, call_attempts.c.outcome)
    ).all()


def promises(connection: sa.Connection, since: datetime, until: datetime) -> Rows:
    """Calls that were promised for then, and when they were made."""
    return connection.execute(
        sa.select(tasks.c.id, tasks.c.due_at, tasks.c.done_at, tasks.c.status, tasks.c.assigned_to)
        .where(tasks.c.kind == "callback", tasks.c.due_at >= since, tasks.c.due_at < until)
        .limit(20_000)
    ).all()


def follow_up(connection: sa.Connection, since: datetime, until: datetime) -> dict[str, int]:
    """What became of the contacts that were sent then: state → count."""
    rows = connection.execute(
        sa.select(touches.c.state, sa.func.count())
        .where(touches.c.asked_at >= since, touches.c.asked_at < until)
        .group_by(touches.c.state)
    )
    return {state: int(count) for state, count in rows}


def answers(connection: sa.Connection, since: datetime, until: datetime, limit: int = 5_000) -> Rows:
    """What was answered to them: the newest."""
    return connection.execute(
        sa.select(touches.c.answers)
        .where(
            touches.c.asked_at >= since,
            touches.c.asked_at < until,
            touches.c.state == "answered",
            touches.c.questions.contains("csat"),
        )
        .order_by(touches.c.asked_at.desc())
        .limit(limit)
    ).all()


def overdue(connection: sa.Connection, today: date) -> int:
    """Complaints past their promised day."""
    return int(
        connection.execute(
            sa.select(sa.func.count()).where(
                tickets.c.kind == "complaint",
                tickets.c.due < today,
                tickets.c.status.not_in(("replied", "accepted", "closed")),
            )
        ).scalar_one()
    )
