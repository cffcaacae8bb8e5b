"""Imports that were begun in the browser: how far they are, and what became of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from storage.rows import Row, Rows
from storage.tables import import_runs

GOING = ("waiting", "reading")


def begin(connection: sa.Connection, by: str, total: int, now: datetime, *, only_checks: bool) -> int:
    """A new one; its number."""
    number: int = connection.execute(
        import_runs.insert()
        .values(at=now, by=by, total=total, only_checks=only_checks, state="waiting")
        .returning(import_runs.c.id)
    ).scalar_one()
    return number


def going(connection: sa.Connection, now: datetime, within: timedelta) -> bool:
    """Whether one is under way that began not too long ago to be alive."""
    return (
        connection.execute(
            sa.select(import_runs.c.id).where(import_runs.c.state.in_(GOING), import_runs.c.at > now - within)
        ).first()
        is not None
    )


def change(connection: sa.Connection, number: int, **values: Any) -> None:
    """It got further, or came to an end."""
    connection.execute(import_runs.update().where(import_runs.c.id == number).values(**values))


def run(connection: sa.Connection, number: int) -> Row | None:
    """One of them."""
    return connection.execute(sa.select(import_runs).where(import_runs.c.id == number)).first()


def newest(connection: sa.Connection, most: int = 20) -> Rows:
    """The last ones."""
    return connection.execute(sa.select(import_runs).order_by(import_runs.c.id.desc()).limit(most)).all()
