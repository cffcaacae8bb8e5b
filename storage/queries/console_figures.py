"""Figures for those who lead: each a question over a span of time, with the rows behind it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

import sqlalchemy as sa

from storage.rows import Rows
from storage.tables import (
    alerts,
    appointments,
    broadcast_members,
    broadcasts,
    call_attempts,
    departments,
    letters,
    patients,
    plan_instances,
    procedures,
    tasks,
    ticket_entries,
    tickets,
    touches,
    visits,
)

MOST: Final = 50_000  # rows of a span
# Spelled like the indexes' own conditions, so that both databases use them.
OF_STAFF: Final = sa.text("letters.author NOT IN ('bot', 'plan', 'broadcast')")
ASKED: Final = sa.text("touches.asked_at IS NOT NULL")
MISSED: Final = sa.text("touches.state IN ('withheld', 'expired')")
REACHED: Final = ("reached", "issue")  # outcomes of a call somebody answered
FOLLOW_UPS: Final = ("care", "survey")  # purposes: they ask how somebody is
HUMAN: Final = ("note", "reply", "state")  # entries of a ticket that only people make


def complaints(connection: sa.Connection, since: datetime, until: datetime) -> Rows:
    """Complaints received then: when a person first looked, and when they were first answered."""
    entries = (
        sa.select(sa.func.min(ticket_entries.c.at))
        .where(ticket_entries.c.ticket_id == tickets.c.id)
        .correlate(tickets)
    )
    first_reply = entries.where(ticket_entries.c.kind == "reply").scalar_subquery()
    first_look = entries.where(
        ticket_entries.c.kind.in_(HUMAN), ticket_entries.c.author.not_in(("patient", "bot", ""))
    ).scalar_subquery()
    columns = [tickets.c[name] for name in ("number", "at", "severity", "status", "due", "owner")]
    return connection.execute(
        sa.select(
            *columns,
            first_reply.label("replied_at"),
            first_look.label("looked_at"),
            patients.c.name.label("patient_name"),
        )
        .outerjoin(patients, patients.c.code == tickets.c.patient_code)
        .where(tickets.c.kind == "complaint", tickets.c.at >= since, tickets.c.at < until)
        .order_by(tickets.c.at)
        .limit(MOST)
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


def overdue(connection: sa.Connection, today: date) -> Rows:
    """Complaints past their promised day that nobody has answered."""
    return connection.execute(
        sa.select(
            tickets.c.number,
            tickets.c.at,
            tickets.c.severity,
            tickets.c.status,
            patients.c.name.label("patient_name"),
        )
        .outerjoin(patients, patients.c.code == tickets.c.patient_code)
        .where(
            tickets.c.kind == "complaint",
            tickets.c.due < today,
            tickets.c.status.not_in(("replied", "accepted", "closed")),
        )
        .order_by(tickets.c.due)
        .limit(MOST)
    ).all()


def alarms(connection: sa.Connection, since: datetime, until: datetime) -> Rows:
    """Alarms of the two upper levels raised then."""
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
        .limit(MOST)
    ).all()


def handovers(connection: sa.Connection, since: datetime, until: datetime) -> Rows:
    """Each time somebody asked for a person then, and the first letter of a colleague that followed."""
    first = letters.alias("first")
    first_id = (
        sa.select(sa.func.min(letters.c.id))
        .where(letters.c.contact_id == tasks.c.contact_id, letters.c.sent_at >= tasks.c.at, OF_STAFF)
        .correlate(tasks)
        .scalar_subquery()
    )
    return connection.execute(
        sa.select(
            tasks.c.at,
            tasks.c.contact_id,
            first.c.sent_at.label("answered_at"),
            first.c.author.label("answered_by"),
            patients.c.name.label("patient_name"),
        )
        .select_from(
            tasks.outerjoin(first, first.c.id == first_id).outerjoin(
                patients, patients.c.code == tasks.c.patient_code
            )
        )
        .where(tasks.c.kind == "handoff", tasks.c.at >= since, tasks.c.at < until)
        .order_by(tasks.c.at)
        .limit(MOST)
    ).all()


def written(connection: sa.Connection, since: datetime, until: datetime) -> Rows:
    """What colleagues wrote then: author, letters, contacts."""
    return connection.execute(
        sa.select(
            letters.c.author,
            sa.func.count().label("letters"),
            sa.func.count(sa.distinct(letters.c.contact_id)).label("contacts"),
        )
        .where(OF_STAFF, letters.c.sent_at >= since, letters.c.sent_at < until)
        .group_by(letters.c.author)
    ).all()


def written_to(
    connection: sa.Connection, since: datetime, until: datetime, author: str, limit: int = 300
) -> Rows:
    """Whom one of them wrote to then: contact, how often, the last time."""
    return connection.execute(
        sa.select(
            letters.c.contact_id,
            sa.func.count().label("letters"),
            sa.func.max(letters.c.sent_at).label("at"),
            sa.func.max(patients.c.name).label("patient_name"),
        )
        .outerjoin(patients, patients.c.code == letters.c.patient_code)
        .where(OF_STAFF, letters.c.sent_at >= since, letters.c.sent_at < until, letters.c.author == author)
        .group_by(letters.c.contact_id)
        .order_by(sa.func.max(letters.c.sent_at).desc())
        .limit(limit)
    ).all()


def looked_into(connection: sa.Connection, since: datetime, until: datetime) -> dict[str, int]:
    """Entries that colleagues made in complaints then: author → how many."""
    rows = connection.execute(
        sa.select(ticket_entries.c.author, sa.func.count())
        .where(
            ticket_entries.c.at >= since,
            ticket_entries.c.at < until,
            ticket_entries.c.author.not_in(("patient", "bot", "")),
        )
        .group_by(ticket_entries.c.author)
    )
    return {author: int(count) for author, count in rows}


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
        sa.select(
            tasks.c.id,
            tasks.c.due_at,
            tasks.c.done_at,
            tasks.c.status,
            tasks.c.assigned_to,
            patients.c.name.label("patient_name"),
        )
        .outerjoin(patients, patients.c.code == tasks.c.patient_code)
        .where(tasks.c.kind == "callback", tasks.c.due_at >= since, tasks.c.due_at < until)
        .order_by(tasks.c.due_at)
        .limit(MOST)
    ).all()


def follow_up(connection: sa.Connection, since: datetime, until: datetime) -> Rows:
    """What became of the follow-ups that were sent then, or should have been: plan, state, sent, contacts."""
    sent = sa.and_(ASKED, touches.c.asked_at >= since, touches.c.asked_at < until)
    missed = sa.and_(
        MISSED, touches.c.asked_at.is_(None), touches.c.useful_until >= since, touches.c.useful_until < until
    )
    counted = (
        sa.select(plan_instances.c.plan, touches.c.state, sa.literal(value).label("sent"), sa.func.count())
        .join(plan_instances, plan_instances.c.id == touches.c.instance_id)
        .where(condition, touches.c.purpose.in_(FOLLOW_UPS))
        .group_by(plan_instances.c.plan, touches.c.state)
        for condition, value in ((sent, 1), (missed, 0))
    )
    return connection.execute(sa.union_all(*counted)).all()


def without_answer(
    connection: sa.Connection, since: datetime, until: datetime, *, missed: bool, limit: int = 300
) -> Rows:
    """Follow-ups that were not sent, and why; or that were sent and stayed without an answer."""
    condition = (
        sa.and_(MISSED, touches.c.asked_at.is_(None), touches.c.useful_until.between(since, until))
        if missed
        else sa.and_(ASKED, touches.c.asked_at.between(since, until), touches.c.state == "silent")
    )
    return connection.execute(
        sa.select(
            touches.c.patient_code,
            touches.c.step,
            touches.c.reason,
            touches.c.state,
            sa.func.coalesce(touches.c.asked_at, touches.c.useful_until).label("at"),
            plan_instances.c.plan,
            patients.c.name.label("patient_name"),
        )
        .join(plan_instances, plan_instances.c.id == touches.c.instance_id)
        .join(patients, patients.c.code == touches.c.patient_code)
        .where(condition, touches.c.purpose.in_(FOLLOW_UPS))
        .order_by(touches.c.id.desc())
        .limit(limit)
    ).all()


def reached_by_phone(connection: sa.Connection, since: datetime, until: datetime) -> int:
    """How many follow-ups sent then stayed without an answer until a call of ours reached the patient."""
    called = (
        sa.select(sa.literal(1))
        .select_from(tasks.join(call_attempts, call_attempts.c.task_id == tasks.c.id))
        .where(
            tasks.c.patient_code == touches.c.patient_code,
            tasks.c.kind.in_(("plan", "silence", "no_route")),
            call_attempts.c.at >= touches.c.asked_at,
            call_attempts.c.outcome.in_(REACHED),
        )
        .correlate(touches)
        .exists()
    )
    return int(
        connection.execute(
            sa.select(sa.func.count()).where(
                ASKED,
                touches.c.asked_at >= since,
                touches.c.asked_at < until,
                touches.c.state == "silent",
                touches.c.purpose.in_(FOLLOW_UPS),
                called,
            )
        ).scalar_one()
    )


def answers(connection: sa.Connection, since: datetime, until: datetime) -> Rows:
    """What was answered to the follow-ups sent then, and of which department they were."""
    visit = sa.and_(
        plan_instances.c.episode.startswith("visit:"),
        visits.c.code == sa.func.substr(plan_instances.c.episode, 7),
    )
    operation = sa.and_(
        plan_instances.c.episode.startswith("procedure:"),
        procedures.c.code == sa.func.substr(plan_instances.c.episode, 11),
    )
    department = sa.func.coalesce(visits.c.department_code, procedures.c.department_code)
    return connection.execute(
        sa.select(
            touches.c.answers,
            touches.c.patient_code,
            touches.c.asked_at.label("at"),
            departments.c.name.label("department"),
            patients.c.name.label("patient_name"),
        )
        .join(plan_instances, plan_instances.c.id == touches.c.instance_id)
        .join(patients, patients.c.code == touches.c.patient_code)
        .outerjoin(visits, visit)
        .outerjoin(procedures, operation)
        .outerjoin(departments, departments.c.code == department)
        .where(
            ASKED,
            touches.c.asked_at >= since,
            touches.c.asked_at < until,
            touches.c.answers.is_not(None),
        )
        .order_by(touches.c.asked_at)
        .limit(MOST)
    ).all()


def told_on_the_phone(connection: sa.Connection, since: datetime, until: datetime) -> Rows:
    """What was answered to the script of a call."""
    return connection.execute(
        sa.select(
            call_attempts.c.answers,
            call_attempts.c.at,
            tasks.c.patient_code,
            patients.c.name.label("patient_name"),
        )
        .join(tasks, tasks.c.id == call_attempts.c.task_id)
        .outerjoin(patients, patients.c.code == tasks.c.patient_code)
        .where(
            call_attempts.c.at >= since,
            call_attempts.c.at < until,
            call_attempts.c.answers.is_not(None),
        )
        .order_by(call_attempts.c.at)
        .limit(MOST)
    ).all()


def later(connection: sa.Connection, day: sa.ColumnElement[date], span: timedelta) -> sa.ColumnElement[date]:
    """A day so much later."""
    if connection.dialect.name == "postgresql":
        return day + sa.literal(span.days, sa.Integer)
    return sa.func.date(day, f"+{span.days} days")


def _returned(
    connection: sa.Connection, today: date, within: timedelta, cohort: timedelta
) -> tuple[sa.Subquery, sa.ColumnElement[bool]]:
    """The last visit of each patient to each department in the cohort, and whether another one followed."""
    until = today - within
    first = (
        sa.select(visits.c.patient_code, visits.c.department_code, sa.func.max(visits.c.date).label("date"))
        .where(visits.c.date > until - cohort, visits.c.date <= until, visits.c.status == "done")
        .where(visits.c.department_code.is_not(None))
        .group_by(visits.c.patient_code, visits.c.department_code)
        .subquery("first")
    )
    again = visits.alias("again")
    came = (
        sa.select(sa.literal(1))
        .select_from(again)
        .where(
            again.c.patient_code == first.c.patient_code,
            again.c.status == "done",
            again.c.date > first.c.date,
            again.c.date <= later(connection, first.c.date, within),
        )
        .correlate(first)
        .exists()
    )
    return first, came


def retention(connection: sa.Connection, today: date, within: timedelta, cohort: timedelta) -> Rows:
    """By department: how many patients came in the cohort, and how many of them came again `within`.

    The cohort ends so long ago that everybody has had the time. Who came twice to one department counts
    from the last time.
    """
    first, came = _returned(connection, today, within, cohort)
    return connection.execute(
        sa.select(
            departments.c.code,
            departments.c.name,
            sa.func.count().label("patients"),
            sa.func.count(sa.case((came, 1))).label("returned"),
        )
        .select_from(first)
        .join(departments, departments.c.code == first.c.department_code)
        .group_by(departments.c.code, departments.c.name)
        .order_by(departments.c.code)
    ).all()


def lost(
    connection: sa.Connection,
    today: date,
    within: timedelta,
    cohort: timedelta,
    department: str = "",
    limit: int = 300,
) -> Rows:
    """Who did not come again, those whose last visit is longest ago first."""
    first, came = _returned(connection, today, within, cohort)
    query = (
        sa.select(
            first.c.patient_code,
            first.c.date,
            departments.c.name.label("department"),
            patients.c.name.label("patient_name"),
        )
        .select_from(first)
        .join(departments, departments.c.code == first.c.department_code)
        .join(patients, patients.c.code == first.c.patient_code)
        .where(~came, patients.c.deceased_on.is_(None))
        .order_by(first.c.date, first.c.patient_code)
        .limit(limit)
    )
    if department:
        query = query.where(first.c.department_code == department)
    return connection.execute(query).all()


def campaigns(connection: sa.Connection, since: datetime, until: datetime, limit: int = 12) -> Rows:
    """Broadcasts that began then, the newest first."""
    return connection.execute(
        sa.select(
            broadcasts.c.id,
            broadcasts.c.purpose,
            broadcasts.c.text,
            broadcasts.c.started_at,
            broadcasts.c.state,
            broadcasts.c.hold_out,
        )
        .where(broadcasts.c.started_at >= since, broadcasts.c.started_at < until)
        .order_by(broadcasts.c.started_at.desc())
        .limit(limit)
    ).all()


def booked_after(
    connection: sa.Connection, number: int, since: datetime, within: timedelta
) -> dict[str, tuple[int, int]]:
    """Who booked after a broadcast began: "" for those it was for, "held_out" for those kept back → all, booked."""
    booked = sa.exists().where(
        appointments.c.patient_code == broadcast_members.c.patient_code,
        appointments.c.number.is_not(None),
        appointments.c.created_at > since,
        appointments.c.created_at <= since + within,
    )
    rows = connection.execute(
        sa.select(
            broadcast_members.c.verdict,
            sa.func.count().label("patients"),
            sa.func.count(sa.case((booked, 1))).label("booked"),
        )
        .where(
            broadcast_members.c.broadcast_id == number,
            broadcast_members.c.verdict.in_(("", "held_out")),
        )
        .group_by(broadcast_members.c.verdict)
    )
    return {row.verdict: (int(row.patients), int(row.booked)) for row in rows}
