"""How far we have read elsewhere."""

from __future__ import annotations

import sqlalchemy as sa

from storage.dialect import upsert
from storage.tables import cursors


def read(connection: sa.Connection, name: str) -> str:
    """The place to go on from; empty: from the beginning."""
    return connection.execute(sa.select(cursors.c.value).where(cursors.c.name == name)).scalar() or ""


def move(connection: sa.Connection, name: str, value: str) -> None:
    """Everything before is done."""
    upsert(connection, cursors, [{"name": name, "value": value}], ["name"])
