"""Console users and their sessions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from storage.rows import Row, Rows
from storage.tables import sessions, users


def user(connection: sa.Connection, name: str) -> Row | None:
    """A console user, by sign-in name."""
    return connection.execute(sa.select(users).where(users.c.name == name)).first()


def everyone(connection: sa.Connection) -> Rows:
    """All console users, those who may sign in first."""
    return connection.execute(sa.select(users).order_by(users.c.active.desc(), users.c.name)).all()


def add_user(connection: sa.Connection, **values: Any) -> None:
    """A new console user."""
    connection.execute(users.insert().values(**values))


def change_user(connection: sa.Connection, name: str, **values: Any) -> None:
    """The user's role, password, addresses, … changed."""
    connection.execute(users.update().where(users.c.name == name).values(**values))


def use_code(connection: sa.Connection, name: str, step: int) -> bool:
    """Use up a one-time code's time step; False when it, or a later one, was used before."""
    done = connection.execute(
        users.update()
        .where(users.c.name == name, sa.or_(users.c.totp_step.is_(None), users.c.totp_step < step))
        .values(totp_step=step)
    )
    return done.rowcount > 0


def end_sessions(connection: sa.Connection, name: str, now: datetime, *, but: str = "") -> None:
    """Sign a user out everywhere, or everywhere `but` in one session."""
    connection.execute(
        sessions.update()
        .where(sessions.c.user_name == name, sessions.c.ended_at.is_(None), sessions.c.token_hash != but)
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
        sa.select(
            sessions.c.created_at,
            sessions.c.seen_at,
            users.c.name,
            users.c.role,
            users.c.departments,
            users.c.accounts,
            users.c.language,
            users.c.totp_secret.is_not(None).label("enrolled"),
        )
        .join(users, users.c.name == sessions.c.user_name)
        .where(sessions.c.token_hash == token_hash, sessions.c.ended_at.is_(None), users.c.active)
    ).first()


def sessions_of(connection: sa.Connection, name: str, since: datetime) -> Rows:
    """Where a user is signed in, the latest first."""
    return connection.execute(
        sa.select(sessions)
        .where(sessions.c.user_name == name, sessions.c.ended_at.is_(None), sessions.c.created_at > since)
        .order_by(sessions.c.seen_at.desc())
    ).all()


def seen_since(connection: sa.Connection, name: str, since: datetime) -> bool:
    """Whether a user did something in the console since then."""
    return (
        connection.execute(
            sa.select(sessions.c.user_name)
            .where(sessions.c.user_name == name, sessions.c.ended_at.is_(None), sessions.c.seen_at >= since)
            .limit(1)
        ).first()
        is not None
    )


def touch_session(connection: sa.Connection, token_hash: str, now: datetime) -> None:
    """The user did something."""
    connection.execute(sessions.update().where(sessions.c.token_hash == token_hash).values(seen_at=now))


def end_session(connection: sa.Connection, token_hash: str, now: datetime, *, of: str | None = None) -> bool:
    """Signed out. With `of`, only a session of that user; False when there was none."""
    statement = sessions.update().where(sessions.c.token_hash == token_hash, sessions.c.ended_at.is_(None))
    if of is not None:
        statement = statement.where(sessions.c.user_name == of)
    return connection.execute(statement.values(ended_at=now)).rowcount > 0
