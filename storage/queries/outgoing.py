"""What will go out, counted by the hour: contacts of plans, letters that wait, greetings, broadcasts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa

from storage.rows import Rows
from storage.tables import bindings, broadcasts, letters, patient_tags, patients, touches

WAITING = ("queued", "held", "gathered")


def _hour(connection: sa.Connection, column: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    """`2026-11-18 02`, in UTC."""
    if connection.dialect.name == "postgresql":
        return sa.func.to_char(sa.func.timezone("UTC", column), "YYYY-MM-DD HH24")
    return sa.func.substr(sa.cast(column, sa.Text), 1, 13)


def _moment(hour: str) -> datetime:
    return datetime.strptime(hour, "%Y-%m-%d %H").replace(tzinfo=UTC)


def contacts_of_plans(
    connection: sa.Connection, since: datetime, until: datetime
) -> list[tuple[datetime, str, int]]:
    """Planned contacts by hour and purpose: the hour's beginning, the purpose, how many."""
    hour = _hour(connection, touches.c.due_at).label("hour")
    rows = connection.execute(
        sa.select(hour, touches.c.purpose, sa.func.count().label("size"))
        .where(
            touches.c.state.in_(("planned", "asked")),
            touches.c.state == "planned",
            touches.c.due_at >= since,
            touches.c.due_at < until,
        )
        .group_by(hour, touches.c.purpose)
    )
    return [(_moment(row.hour), row.purpose, row.size) for row in rows]


def letters_waiting(
    connection: sa.Connection, since: datetime, until: datetime
) -> list[tuple[datetime, str, int]]:
    """Letters in the outbox by the hour from which they may go."""
    hour = _hour(connection, letters.c.not_before).label("hour")
    rows = connection.execute(
        sa.select(hour, letters.c.purpose, sa.func.count().label("size"))
        .where(
            letters.c.state.in_(WAITING),
            letters.c.purpose.not_in(("alarm", "transaction")),
            letters.c.not_before >= since,
            letters.c.not_before < until,
        )
        .group_by(hour, letters.c.purpose)
    )
    return [(_moment(row.hour), row.purpose, row.size) for row in rows]


def broadcasts_between(connection: sa.Connection, since: datetime, until: datetime) -> Rows:
    """Broadcasts that begin in a span, or began in it."""
    at = sa.func.coalesce(
        broadcasts.c.started_at, broadcasts.c.scheduled_at, type_=broadcasts.c.started_at.type
    )
    return connection.execute(
        sa.select(broadcasts, at.label("at"))
        .where(at >= since, at < until, broadcasts.c.state != "stopped")
        .order_by(at, broadcasts.c.id)
    ).all()


def _spoken_for(now: datetime) -> sa.ColumnElement[bool]:
    return patients.c.code.in_(
        sa.select(bindings.c.patient_code).where(
            bindings.c.ended_at.is_(None),
            sa.or_(bindings.c.expires_at.is_(None), bindings.c.expires_at > now),
        )
    )


def bound_people(
    connection: sa.Connection,
    now: datetime,
    *,
    born_until: date | None = None,
    born_after: date | None = None,
    sex: str = "",
    tag: str = "",
) -> int:
    """How many living patients somebody speaks for, perhaps of some age, sex or tag."""
    found = (
        sa.select(sa.func.count())
        .select_from(patients)
        .where(
            _spoken_for(now),
            sa.or_(patients.c.deceased_on.is_(None), patients.c.deceased_on > now.date()),
        )
    )
    if born_until is not None:
        found = found.where(patients.c.birth_date <= born_until)
    if born_after is not None:
        found = found.where(patients.c.birth_date > born_after)
    if sex:
        found = found.where(patients.c.sex == sex)
    if tag:
        worn = sa.select(patient_tags.c.patient_code).where(patient_tags.c.tag == tag)
        found = found.where(patients.c.code.in_(worn))
    size: int = connection.execute(found).scalar_one()
    return size


def birthdays(connection: sa.Connection, now: datetime) -> Sequence[tuple[date, bool, int]]:
    """Days of birth of those whom somebody speaks for: the day, whether kept by the lunar calendar, how many."""
    rows = connection.execute(
        sa.select(patients.c.birth_date, patients.c.lunar_birthday, sa.func.count().label("size"))
        .where(
            _spoken_for(now),
            patients.c.birth_date.is_not(None),
            sa.or_(patients.c.deceased_on.is_(None), patients.c.deceased_on > now.date()),
        )
        .group_by(patients.c.birth_date, patients.c.lunar_birthday)
    )
    return [(row.birth_date, row.lunar_birthday, row.size) for row in rows]
