"""The audit chain: who did what to whom. A row that is altered or taken out breaks every row after it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from datetime import UTC, datetime

import msgspec
import sqlalchemy as sa

from storage.dialect import lock_table
from storage.rows import Rows
from storage.tables import audit


def append(
    connection: sa.Connection, actor: str, action: str, object_: str, detail: str, now: datetime
) -> int:
    """Write down what was done, in the transaction that does it; the row's number.

    `detail` is encrypted at rest; the others are readable and must name nobody but staff and codes.
    """
    lock_table(connection, audit)  # two rows must not follow the same one
    previous = connection.scalars(sa.select(audit.c.hash).order_by(audit.c.id.desc()).limit(1)).first() or ""
    row = {"at": now, "actor": actor, "action": action, "object": object_, "detail": detail}
    number: int = connection.execute(
        audit.insert()
        .values(**row, previous=previous, hash=_hash(previous, now, actor, action, object_, detail))
        .returning(audit.c.id)
    ).scalar_one()
    return number


def first_broken(connection: sa.Connection) -> int | None:
    """The number of the first row that does not follow from the one before it; None: the chain holds."""
    previous = ""
    for row in connection.execute(sa.select(audit).order_by(audit.c.id)):
        expected = _hash(row.previous, row.at, row.actor, row.action, row.object, row.detail or "")
        if row.previous != previous or row.hash != expected:
            return int(row.id)
        previous = row.hash
    return None


def latest(
    connection: sa.Connection, limit: int, *, before: int | None = None, actor: str = "", object_: str = ""
) -> Rows:
    """The newest entries, on from `before`, of one actor or about one object."""
    found = sa.select(audit).order_by(audit.c.id.desc()).limit(limit)
    if before is not None:
        found = found.where(audit.c.id < before)
    if actor:
        found = found.where(audit.c.actor == actor)
    if object_:
        found = found.where(audit.c.object.startswith(object_, autoescape=True))
    return connection.execute(found).all()


def of_actions(connection: sa.Connection, actions: Collection[str], limit: int) -> Rows:
    """The newest entries about some doings."""
    return connection.execute(
        sa.select(audit).where(audit.c.action.in_(list(actions))).order_by(audit.c.id.desc()).limit(limit)
    ).all()


def after(connection: sa.Connection, number: int, limit: int) -> Rows:
    """Entries after a number, oldest first."""
    return connection.execute(
        sa.select(audit).where(audit.c.id > number).order_by(audit.c.id).limit(limit)
    ).all()


def _hash(previous: str, at: datetime, *texts: str) -> str:
    row = msgspec.json.encode([at.astimezone(UTC).isoformat(), *texts])
    return hashlib.sha256(previous.encode() + row).hexdigest()
