"""Switches that every process obeys within its next look."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from storage.dialect import upsert
from storage.rows import Row
from storage.tables import letters, switches


def is_on(connection: sa.Connection, name: str) -> bool:
    """Whether it was switched on, and not off since."""
    return bool(connection.execute(sa.select(switches.c.is_on).where(switches.c.name == name)).scalar())


def pulled(connection: sa.Connection, name: str) -> Row | None:
    """by, at: of a switch that is on; None: it is not."""
    return connection.execute(
        sa.select(switches.c.by, switches.c.at).where(switches.c.name == name, switches.c.is_on)
    ).first()


def names_on(connection: sa.Connection, prefix: str) -> set[str]:
    """What is switched on of everything whose name begins so."""
    found = sa.select(switches.c.name).where(switches.c.is_on, switches.c.name.startswith(prefix))
    return set(connection.execute(found).scalars())


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
