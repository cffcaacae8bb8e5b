"""Answers at hand that colleagues wrote."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from storage.dialect import upsert
from storage.rows import Rows
from storage.tables import snippets


def written(connection: sa.Connection) -> Rows:
    """All of them, those put away too: an answer that came with the product may be put away."""
    return connection.execute(sa.select(snippets).order_by(snippets.c.name)).all()


def keep(
    connection: sa.Connection,
    name: str,
    text: str,
    kind: str,
    by: str,
    now: datetime,
    *,
    active: bool = True,
) -> None:
    """A new answer, or the same one changed."""
    row = {
        "name": name,
        "text": text,
        "kind": kind,
        "active": active,
        "changed_by": by,
        "changed_at": now,
    }
    upsert(connection, snippets, [row], keys=("name",))
