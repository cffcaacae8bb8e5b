"""Broadcasts: written, approved, begun, and what became of every member of the audience."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from storage.dialect import insert, lock_row
from storage.queries.segments import Condition, Rules, verdicts
from storage.rows import Row, Rows
from storage.tables import (
    appointments,
    bindings,
    broadcast_members,
    broadcasts,
    contacts,
    letters,
    messages,
    patients,
)

# Spelled like the index's own condition, so that both databases use it.
OF_A_BROADCAST: Final = sa.text("letters.plan LIKE 'broadcast:%'")
ON_THE_WAY: Final = ("queued", "held", "gathered", "sending")


def plan_of(number: int) -> str:
    """What its letters call it."""
    return f"broadcast:{number}"


def add(connection: sa.Connection, **values: Any) -> int:
    """A draft; its number."""
    number: int = connection.execute(
        broadcasts.insert().values(**values).returning(broadcasts.c.id)
    ).scalar_one()
    return number


def broadcast(connection: sa.Connection, number: int) -> Row | None:
    """One of them, which nobody else changes until this transaction ends."""
    return lock_row(connection, sa.select(broadcasts).where(broadcasts.c.id == number))


def newest(connection: sa.Connection, most: int) -> Rows:
    """The last ones written."""
    return connection.execute(sa.select(broadcasts).order_by(broadcasts.c.id.desc()).limit(most)).all()


def change(connection: sa.Connection, number: int, **values: Any) -> None:
    """Its state, text or progress changed."""
    connection.execute(broadcasts.update().where(broadcasts.c.id == number).values(**values))


def running(connection: sa.Connection) -> Rows:
    """Those at work; another process leaves them alone until this transaction ends."""
    return connection.execute(
        sa.select(broadcasts)
        .where(broadcasts.c.state == "running")
        .order_by(broadcasts.c.id)
        .with_for_update(skip_locked=True)
    ).all()


def scheduled(connection: sa.Connection, now: datetime) -> Rows:
    """Approved ones whose hour has come."""
    return connection.execute(
        sa.select(broadcasts)
        .where(broadcasts.c.state == "approved", broadcasts.c.scheduled_at <= now)
        .order_by(broadcasts.c.id)
        .with_for_update(skip_locked=True)
    ).all()


# The audience


def take_audience(connection: sa.Connection, number: int, members: Sequence[Condition], rules: Rules) -> int:
    """Write down everybody whom it is for, with whoever reads it, or why nobody does; how many they are."""
    judged = verdicts(members, rules)
    columns = ("broadcast_id", "patient_code", "contact_id", "verdict")
    found = sa.select(
        sa.literal(number, broadcast_members.c.broadcast_id.type),
        judged.c.patient_code,
        judged.c.contact_id,
        judged.c.verdict,
    )
    taken = connection.execute(broadcast_members.insert().from_select(columns, found))
    return taken.rowcount


def eligible_after(connection: sa.Connection, number: int, cursor: str, most: int) -> Sequence[str]:
    """The next patients whose letters are not in the outbox yet."""
    return (
        connection.execute(
            sa.select(broadcast_members.c.patient_code)
            .where(
                broadcast_members.c.broadcast_id == number,
                broadcast_members.c.patient_code > cursor,
                broadcast_members.c.verdict == "",
            )
            .order_by(broadcast_members.c.patient_code)
            .limit(most)
        )
        .scalars()
        .all()
    )


def set_verdict(connection: sa.Connection, number: int, codes: Sequence[str], verdict: str) -> None:
    """These members get nothing."""
    connection.execute(
        broadcast_members.update()
        .where(broadcast_members.c.broadcast_id == number, broadcast_members.c.patient_code.in_(list(codes)))
        .values(verdict=verdict)
    )


def next_batch(connection: sa.Connection, number: int, cursor: str, most: int) -> tuple[int, str]:
    """How many letters the next batch has, at most so many, and the last patient of it; (0, cursor): none left."""
    batch = (
        sa.select(broadcast_members.c.patient_code)
        .where(
            broadcast_members.c.broadcast_id == number,
            broadcast_members.c.patient_code > cursor,
            broadcast_members.c.verdict == "",
        )
        .order_by(broadcast_members.c.patient_code)
        .limit(most)
        .subquery()
    )
    size, last = connection.execute(
        sa.select(sa.func.count(), sa.func.max(batch.c.patient_code)).select_from(batch)
    ).one()
    return size, last or cursor


def queue_batch(
    connection: sa.Connection,
    number: int,
    after: str,
    until: str,
    bodies: Mapping[str, Mapping[str, Any]],
    values: Mapping[str, Any],
) -> None:
    """Put the letters of the members (after, until] into the outbox, in one statement.

    *bodies* has the letter's body in every language, the default under the empty name; *values* are the columns that
    all of them share.
    """
    body_type = letters.c.body.type
    language = sa.func.coalesce(
        sa.select(sa.func.nullif(patients.c.language, ""))
        .join(bindings, bindings.c.patient_code == patients.c.code)
        .where(
            bindings.c.contact_id == broadcast_members.c.contact_id,
            bindings.c.relation == "self",
            bindings.c.ended_at.is_(None),
        )
        .limit(1)
        .scalar_subquery(),
        sa.select(contacts.c.language)
        .where(contacts.c.id == broadcast_members.c.contact_id)
        .scalar_subquery(),
    )
    other = {name: body for name, body in bodies.items() if name and body != bodies[""]}
    default = sa.literal(bodies[""], body_type)
    body = (
        sa.case(
            {name: sa.literal(one, body_type) for name, one in other.items()}, value=language, else_=default
        )
        if other
        else default
    )
    plan = plan_of(number)
    columns = {
        "key": sa.literal(f"{plan}:") + broadcast_members.c.patient_code,
        "contact_id": broadcast_members.c.contact_id,
        "patient_code": broadcast_members.c.patient_code,
        "plan": sa.literal(plan),
        "body": body,
        **{name: sa.literal(value, letters.c[name].type) for name, value in values.items()},
    }
    found = sa.select(*columns.values()).where(*_members_between(number, after, until))
    connection.execute(
        insert(connection, letters)
        .from_select(list(columns), found)
        .on_conflict_do_nothing(index_elements=["key"])
    )


def addressed(connection: sa.Connection, number: int, after: str, until: str) -> Rows:
    """Whom the letters of the members (after, until] speak of, and what these are to whoever reads them."""
    own = (
        sa.select(bindings.c.relation, bindings.c.level)
        .where(
            bindings.c.contact_id == broadcast_members.c.contact_id,
            bindings.c.patient_code == broadcast_members.c.patient_code,
            bindings.c.ended_at.is_(None),
        )
        .order_by(bindings.c.id.desc())
        .limit(1)
    )
    return connection.execute(
        sa.select(
            broadcast_members.c.patient_code,
            patients.c.name,
            patients.c.sex,
            patients.c.birth_date,
            own.with_only_columns(bindings.c.relation).scalar_subquery().label("relation"),
            own.with_only_columns(bindings.c.level).scalar_subquery().label("level"),
        )
        .join(patients, patients.c.code == broadcast_members.c.patient_code)
        .where(*_members_between(number, after, until))
    ).all()


def queue_own(
    connection: sa.Connection,
    number: int,
    after: str,
    until: str,
    bodies: Mapping[str, Mapping[str, Any]],
    values: Mapping[str, Any],
) -> None:
    """Put the letters of the members (after, until] into the outbox, each with its own body, by patient."""
    plan = plan_of(number)
    members = connection.execute(
        sa.select(broadcast_members.c.patient_code, broadcast_members.c.contact_id).where(
            *_members_between(number, after, until)
        )
    )
    rows = [
        {
            "key": f"{plan}:{row.patient_code}",
            "contact_id": row.contact_id,
            "patient_code": row.patient_code,
            "plan": plan,
            "body": bodies[row.patient_code],
            **values,
        }
        for row in members
    ]
    connection.execute(insert(connection, letters).on_conflict_do_nothing(index_elements=["key"]), rows)


def _members_between(number: int, after: str, until: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        broadcast_members.c.broadcast_id == number,
        broadcast_members.c.patient_code > after,
        broadcast_members.c.patient_code <= until,
        broadcast_members.c.verdict == "",
    )


# What became of it


def audience_verdicts(connection: sa.Connection, number: int) -> dict[str, int]:
    """How many members get a letter (the empty reason), and how many do not, by reason."""
    rows = connection.execute(
        sa.select(broadcast_members.c.verdict, sa.func.count().label("size"))
        .where(broadcast_members.c.broadcast_id == number)
        .group_by(broadcast_members.c.verdict)
    )
    return {row.verdict: row.size for row in rows}


def letter_states(connection: sa.Connection, number: int) -> Rows:
    """state, reason, size."""
    return connection.execute(
        sa.select(letters.c.state, letters.c.reason, sa.func.count().label("size"))
        .where(OF_A_BROADCAST, letters.c.plan == plan_of(number))
        .group_by(letters.c.state, letters.c.reason)
    ).all()


def still_going(connection: sa.Connection, number: int) -> bool:
    """Whether a letter of it has not ended."""
    return (
        connection.execute(
            sa.select(letters.c.id)
            .where(OF_A_BROADCAST, letters.c.plan == plan_of(number), letters.c.state.in_(ON_THE_WAY))
            .limit(1)
        ).first()
        is not None
    )


def in_flight(connection: sa.Connection, number: int, now: datetime) -> bool:
    """Whether a letter of it could be delivered now, or is being delivered."""
    at_work = sa.or_(
        letters.c.state.in_(("gathered", "sending")),
        sa.and_(letters.c.state == "queued", letters.c.not_before <= now),
    )
    found = sa.select(letters.c.id).where(OF_A_BROADCAST, letters.c.plan == plan_of(number), at_work)
    return connection.execute(found.limit(1)).first() is not None


def move_letters(
    connection: sa.Connection, number: int, states: Sequence[str], state: str, reason: str
) -> int:
    """Letters of it that wait are held, released or stopped; how many."""
    moved = connection.execute(
        letters.update()
        .where(OF_A_BROADCAST, letters.c.plan == plan_of(number), letters.c.state.in_(list(states)))
        .values(state=state, reason=reason)
    )
    return moved.rowcount


def answers(connection: sa.Connection, number: int, within: timedelta) -> dict[str, int]:
    """Of those who got it: how many wrote within a span, booked within it, and do not follow any more."""
    got = (
        sa.select(letters.c.contact_id, letters.c.patient_code, letters.c.sent_at)
        .where(OF_A_BROADCAST, letters.c.plan == plan_of(number), letters.c.state.in_(("sent", "delivered")))
        .subquery("got")
    )
    until = _later(connection, got.c.sent_at, within)
    wrote = sa.select(sa.func.count(sa.distinct(got.c.contact_id))).select_from(
        got.join(
            messages,
            sa.and_(
                messages.c.contact_id == got.c.contact_id,
                messages.c.dir == "in",
                messages.c.at > got.c.sent_at,
                messages.c.at <= until,
                messages.c.type.not_like("event:%"),
            ),
        )
    )
    booked = sa.select(sa.func.count(sa.distinct(got.c.patient_code))).select_from(
        got.join(
            appointments,
            sa.and_(
                appointments.c.patient_code == got.c.patient_code,
                appointments.c.number.is_not(None),
                appointments.c.created_at > got.c.sent_at,
                appointments.c.created_at <= until,
            ),
        )
    )
    gone = (
        sa.select(sa.func.count())
        .select_from(got.join(contacts, contacts.c.id == got.c.contact_id))
        .where(~contacts.c.followed)
    )
    return {
        name: connection.execute(question).scalar_one()
        for name, question in (("replied", wrote), ("booked", booked), ("unfollowed", gone))
    }


def _later(
    connection: sa.Connection, moment: sa.ColumnElement[Any], span: timedelta
) -> sa.ColumnElement[Any]:
    if connection.dialect.name == "postgresql":
        return moment + sa.literal(span, sa.Interval())
    # Moments are kept as `2026-11-18 02:00:00.000000`; strftime gives three digits, which sort as well.
    return sa.func.strftime("%Y-%m-%d %H:%M:%f", moment, f"+{int(span.total_seconds())} seconds")
