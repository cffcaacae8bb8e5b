"""Console users and their sessions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from storage.rows import Row
from storage.tables import sessions, users


def user(connection: sa.Connection, name: str) -> Row | None:
    """A console user, by sign-in name."""
    return connection.execute(sa.select(users).where(users.c.name == name)).first()


def add_user(connection: sa.Connection, **values: Any) -> None:
    """A new console user."""
    connection.execute(users.insert().values(**values))


def change_user(connection: sa.Connection, name: str, **values: Any) -> None:
    """The user's role, password, addresses, … changed."""
    connection.execute(users.update().where(users.c.name == name).values(**values))


def end_sessions(connection: sa.Connection, name: str, now: datetime) -> None:
    """Sign a user out everywhere."""
    connection.execute(
        sessions.update()
        .where(sessions.c.user_name == name, sessions.c.ended_at.is_(None))
        .values(ended_at=now)
    )


def add_session(connection: sa.Connection, token_hash: str, name: str, now: datetime, agent: str) -> None:
    """Somebody signed in."""
    connection.execute(
        sessions.insert().values(
            token_hash=token_hash, user_name=name, created_at=now, seen_at=now, agent=agent
        )
    )


def session(connection: sa.Connection, token_hash: str) -> Row | None:
    """A session that was not ended, and its user as the user is now."""
    return connection.execute(
        sa.select(sessions.c.created_at, sessions.c.seen_at, users.c.name, users.c.role)
        .join(users, users.c.name == sessions.c.user_name)
        .where(sessions.c.token_hash == token_hash, sessions.c.ended_at.is_(None), users.c.active)
    ).first()


def touch_session(connection: sa.Connection, token_hash: str, now: datetime) -> None:
    """The user did something."""
    connection.execute(sessions.update().where(sessions.c.token_hash == token_hash).values(seen_at=now))


def end_session(connection: sa.Connection, token_hash: str, now: datetime) -> None:
    """Signed out."""
    connection.execute(sessions.update().where(sessions.c.token_hash == token_hash).values(ended_at=now))
