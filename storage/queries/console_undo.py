"""How conversations stood before a colleague did something to them, and bringing that back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from storage.dialect import lock_row, upsert
from storage.rows import Row
from storage.tables import conversations, desk_undos, letters, patient_tags, snoozes, tasks

OWNED = ("owner", "nurse", "handover", "forms")
MOMENTS = ("waiting_since", "queue_notice_at")


def standing(connection: sa.Connection, contact_id: int) -> dict[str, Any]:
    """Who has it, what is snoozed and what is to be done, as JSON values."""
    row = connection.execute(sa.select(conversations).where(conversations.c.contact_id == contact_id)).one()
    asleep = connection.execute(sa.select(snoozes).where(snoozes.c.contact_id == contact_id)).first()
    todo = connection.execute(
        sa.select(tasks.c.id).where(tasks.c.contact_id == contact_id, tasks.c.status == "open")
    ).scalars()
    return {
        "id": contact_id,
        **{name: getattr(row, name) for name in OWNED},
        **{name: _text(getattr(row, name)) for name in MOMENTS},
        "snooze": None
        if asleep is None
        else {
            "since": _text(asleep.since),
            "until": _text(asleep.until),
            "by": asleep.by,
            "afterwards": asleep.afterwards,
        },
        "tasks": list(todo),
    }


def keep(connection: sa.Connection, name: str, now: datetime, label: str, before: Mapping[str, Any]) -> int:
    """Remember what somebody did, and how it was; what is older than a day is forgotten."""
    return int(
        connection.execute(
            desk_undos.insert()
            .values(user_name=name, at=now, label=label, before=dict(before))
            .returning(desk_undos.c.id)
        ).scalar_one()
    )


def forget(connection: sa.Connection, before: datetime) -> None:
    """Nobody undoes these any more."""
    connection.execute(desk_undos.delete().where(desk_undos.c.at < before))


def take(connection: sa.Connection, number: int, name: str, since: datetime) -> Row | None:
    """One's own deed since then, to undo it; it can be taken once."""
    return connection.execute(
        desk_undos.delete()
        .where(desk_undos.c.id == number, desk_undos.c.user_name == name, desk_undos.c.at >= since)
        .returning(desk_undos.c.label, desk_undos.c.at, desk_undos.c.before)
    ).first()


def owner(connection: sa.Connection, contact_id: int) -> tuple[str, str] | None:
    """Who has it; nobody else moves it until this transaction ends."""
    row = lock_row(connection, sa.select(conversations).where(conversations.c.contact_id == contact_id))
    return (row.owner, row.nurse) if row is not None else None


def restore(connection: sa.Connection, before: Mapping[str, Any]) -> None:
    """As it stood: who has it, what is snoozed, what is to be done."""
    contact_id = before["id"]
    values = {name: before[name] for name in OWNED} | {name: _moment(before[name]) for name in MOMENTS}
    connection.execute(
        conversations.update().where(conversations.c.contact_id == contact_id).values(**values)
    )
    connection.execute(snoozes.delete().where(snoozes.c.contact_id == contact_id))
    if asleep := before["snooze"]:
        row = asleep | {name: _moment(asleep[name]) for name in ("since", "until")}
        upsert(connection, snoozes, [{"contact_id": contact_id, **row}], keys=("contact_id",))
    connection.execute(
        tasks.update()
        .where(tasks.c.id.in_(before["tasks"]), tasks.c.status == "done")
        .values(status="open", done_at=None)
    )


def recall(connection: sa.Connection, keys: Sequence[str]) -> bool:
    """Letters that told the patient what is undone now do not go; False: one of them has gone."""
    if not keys:
        return True
    done = connection.execute(
        letters.update()
        .where(letters.c.key.in_(list(keys)), letters.c.state == "queued", letters.c.claimed_until.is_(None))
        .values(state="suppressed", reason="recalled")
    )
    return done.rowcount == len(keys)


def cancel_tasks(connection: sa.Connection, keys: Sequence[str], now: datetime) -> None:
    """What was to be done is not."""
    connection.execute(
        tasks.update()
        .where(tasks.c.key.in_(list(keys)), tasks.c.status == "open")
        .values(status="cancelled", done_at=now)
    )


def untag(connection: sa.Connection, pairs: Sequence[tuple[str, str]]) -> None:
    """Tags that were put on are taken off."""
    for code, tag in pairs:
        connection.execute(
            patient_tags.delete().where(patient_tags.c.patient_code == code, patient_tags.c.tag == tag)
        )


def _text(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
