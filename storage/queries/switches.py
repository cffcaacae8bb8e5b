"""Switches that every process obeys within its next look."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from storage.dialect import upsert
from storage.tables import letters, switches


def is_on(connection: sa.Connection, name: str) -> bool:
    """Whether it was switched on, and not off since."""
    return bool(connection.execute(sa.select(switches.c.is_on).where(switches.c.name == name)).scalar())


def turn(connection: sa.Connection, name: str, by: str, now: datetime, *, on: bool) -> None:
    """Switch it."""
    upsert(connection, switches, [{"name": name, "is_on": on, "by": by, "at": now}], ["name"])


def waiting(connection: sa.Connection, above: int) -> dict[str, int]:
    """How many letters of a priority number above this one wait, by purpose."""
    rows = connection.execute(
        sa.select(letters.c.purpose, sa.func.count().label("size"))
        .where(letters.c.state.in_(("queued", "gathered", "held")), letters.c.priority > above)
        .group_by(letters.c.purpose)
    )
    return {row.purpose: row.size for row in rows}
