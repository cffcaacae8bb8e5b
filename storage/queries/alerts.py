"""Alarms, tasks, and who is on duty to hear of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from storage.dialect import insert_new
from storage.rows import Rows
from storage.tables import alerts, procedures, roster, tasks, users


def open_alert(connection: sa.Connection, contact_id: int, concept: str, level: str) -> int | None:
    """The alarm of that kind that nobody has closed yet for this user."""
    number: int | None = connection.execute(
        sa.select(alerts.c.id).where(
            alerts.c.contact_id == contact_id,
            alerts.c.concept == concept,
            alerts.c.level == level,
            alerts.c.status.in_(("open", "acknowledged", "asking")),
        )
    ).scalar()
    return number


def has_open_alert(connection: sa.Connection, contact_id: int, concepts: Collection[str]) -> bool:
    """Whether one of these danger signs of this user is still open."""
    found = sa.select(alerts.c.id).where(
        alerts.c.contact_id == contact_id,
        alerts.c.concept.in_(list(concepts)),
        alerts.c.status.in_(("open", "acknowledged", "asking")),
    )
    return connection.execute(found.limit(1)).first() is not None


def add_alert(connection: sa.Connection, values: Mapping[str, Any]) -> int:
    """A new alarm; its number."""
    number: int = connection.execute(alerts.insert().values(**values).returning(alerts.c.id)).scalar_one()
    return number


def change_alert(connection: sa.Connection, alert_id: int, **values: Any) -> None:
    """An alarm was acknowledged, closed, or moved up the ladder."""
    connection.execute(alerts.update().where(alerts.c.id == alert_id).values(**values))


def unanswered(connection: sa.Connection, now: datetime) -> Rows:
    """Safety checks whose patience is over: id, level. Nobody else changes them until this transaction ends."""
    return connection.execute(
        sa.select(alerts.c.id, alerts.c.level)
        .where(alerts.c.status == "asking", alerts.c.next_rung_at <= now)
        .order_by(alerts.c.id)
        .with_for_update(skip_locked=True)
    ).all()


def add_task(connection: sa.Connection, values: Mapping[str, Any]) -> int | None:
    """Something a person must do; None when a task with the same key is there."""
    if values.get("key") is None:
        number: int = connection.execute(tasks.insert().values(**values).returning(tasks.c.id)).scalar_one()
        return number
    return insert_new(connection, tasks, values, unique=("key",))


def settle_tasks(connection: sa.Connection, keys: Sequence[str], outcome: str, now: datetime) -> None:
    """What these tasks were for has happened by another way."""
    connection.execute(
        tasks.update()
        .where(tasks.c.key.in_(list(keys)), tasks.c.status == "open")
        .values(status="done", done_at=now, outcome=outcome)
    )


def on_duty(connection: sa.Connection, now: datetime, roles: Sequence[str]) -> Rows:
    """Who must be told now. Who has no roster entry at all counts as on duty."""
    rostered = sa.select(roster.c.user_name).where(roster.c.user_name == users.c.name)
    present = rostered.where(roster.c.start_at <= now, roster.c.end_at > now)
    return connection.execute(
        sa.select(users.c.name, users.c.role, users.c.wecom_userid, users.c.phone)
        .where(users.c.active, users.c.role.in_(list(roles)))
        .where(sa.or_(~rostered.exists(), present.exists()))
        .order_by(users.c.name)
    ).all()


def procedures_of(connection: sa.Connection, patient_codes: Sequence[str]) -> Rows:
    """Operations and treatments, planned and done, that were not cancelled."""
    return connection.execute(
        sa.select(
            procedures.c.patient_code, procedures.c.family, procedures.c.date, procedures.c.status
        ).where(procedures.c.patient_code.in_(list(patient_codes)), procedures.c.status != "cancelled")
    ).all()


def acknowledge(connection: sa.Connection, alert_id: int, by: str, now: datetime) -> bool:
    """The first who acts on an open alarm has it; False when it was not open any more."""
    done = connection.execute(
        alerts.update()
        .where(alerts.c.id == alert_id, alerts.c.status.in_(("open", "asking")))
        .values(status="acknowledged", acknowledged_by=by, acknowledged_at=now, next_rung_at=None)
    )
    return done.rowcount > 0


def acknowledged_by(connection: sa.Connection, alert_id: int) -> str | None:
    """Who acts on an alarm; empty: nobody yet."""
    by: str | None = connection.execute(
        sa.select(alerts.c.acknowledged_by).where(alerts.c.id == alert_id)
    ).scalar()
    return by


def user_of_wecom(connection: sa.Connection, userid: str) -> str | None:
    """The console user with this WeCom account; WeCom compares them without case."""
    name: str | None = connection.execute(
        sa.select(users.c.name).where(
            sa.func.lower(users.c.wecom_userid) == userid.lower(), users.c.wecom_userid != ""
        )
    ).scalar()
    return name


def concepts_since(connection: sa.Connection, contact_id: int, since: datetime) -> frozenset[str]:
    """The danger signs this user wrote of lately, alarmed or asked about."""
    return frozenset(
        connection.scalars(
            sa.select(alerts.c.concept).where(alerts.c.contact_id == contact_id, alerts.c.at >= since)
        )
    )
