"""The installation from inside: dead letters, platform tokens, the roster, the answers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from storage.dialect import upsert
from storage.rows import Row, Rows
from storage.tables import answers, conversations, letters, platform_tokens, roster, sessions

SETTLED = "settled"  # before the reason of a dead letter that somebody has looked at


def waiting(connection: sa.Connection) -> Row:
    """How many letters wait or are on their way, and since when the oldest is due."""
    return connection.execute(
        sa.select(
            sa.func.count(sa.case((letters.c.state == "queued", 1))).label("queued"),
            sa.func.count(sa.case((letters.c.state == "sending", 1))).label("sending"),
            sa.func.min(sa.case((letters.c.state == "queued", letters.c.not_before))).label("oldest"),
        ).where(letters.c.state.in_(("queued", "sending")))
    ).one()


def dead(connection: sa.Connection, limit: int = 50) -> Rows:
    """Letters that failed and that nobody has looked at, the newest first."""
    columns = [
        letters.c[name]
        for name in (
            "id",
            "purpose",
            "plan",
            "channel",
            "reason",
            "tried",
            "attempts",
            "created_at",
            "contact_id",
        )
    ]
    return connection.execute(
        sa.select(*columns)
        .where(letters.c.state == "failed", ~letters.c.reason.startswith(SETTLED))
        .order_by(letters.c.id.desc())
        .limit(limit)
    ).all()


def retry(connection: sa.Connection, letter: int, now: datetime) -> bool:
    """Let a dead letter try every way again; False: it is not dead."""
    done = connection.execute(
        letters.update()
        .where(letters.c.id == letter, letters.c.state == "failed")
        .values(state="queued", reason="", tried="", attempts=0, not_before=now, claimed_until=None)
    )
    return done.rowcount > 0


def settle(connection: sa.Connection, letter: int) -> bool:
    """Somebody has taken care of it otherwise."""
    done = connection.execute(
        letters.update()
        .where(letters.c.id == letter, letters.c.state == "failed")
        .values(reason=sa.literal(SETTLED + " ") + letters.c.reason)
    )
    return done.rowcount > 0


def tokens(connection: sa.Connection) -> Rows:
    """The platforms' access tokens: name and until when."""
    return connection.execute(
        sa.select(platform_tokens.c.name, platform_tokens.c.expires_at).order_by(platform_tokens.c.name)
    ).all()


def shifts(connection: sa.Connection, since: datetime) -> Rows:
    """The roster from then on."""
    return connection.execute(
        sa.select(roster).where(roster.c.end_at > since).order_by(roster.c.start_at, roster.c.user_name)
    ).all()


def add_shift(connection: sa.Connection, values: Mapping[str, Any]) -> None:
    """Somebody is on duty."""
    connection.execute(roster.insert().values(**values))


def remove_shift(connection: sa.Connection, shift: int) -> None:
    """They are not."""
    connection.execute(roster.delete().where(roster.c.id == shift))


def off_duty(connection: sa.Connection, now: datetime, since: datetime) -> list[str]:
    """Colleagues who hold conversations, whose shifts all ended before `since`, and who do nothing any more."""
    rostered = sa.select(roster.c.user_name)
    present = rostered.where(roster.c.start_at <= now, roster.c.end_at > since)
    awake = sa.select(sessions.c.user_name).where(sessions.c.ended_at.is_(None), sessions.c.seen_at > since)
    return list(
        connection.execute(
            sa.select(conversations.c.nurse)
            .where(
                conversations.c.owner == "human",
                conversations.c.nurse.in_(rostered),
                conversations.c.nurse.not_in(present),
                conversations.c.nurse.not_in(awake),
            )
            .distinct()
        ).scalars()
    )


def requeue(connection: sa.Connection, name: str, now: datetime) -> int:
    """Conversations of a colleague who left wait for another; how many there were."""
    done = connection.execute(
        conversations.update()
        .where(conversations.c.owner == "human", conversations.c.nurse == name)
        .values(
            owner="waiting",
            nurse="",
            waiting_since=sa.func.coalesce(conversations.c.waiting_since, conversations.c.spoke_at, now),
        )
    )
    return int(done.rowcount)


def known_answers(connection: sa.Connection) -> Rows:
    """The answers to what is often asked."""
    return connection.execute(sa.select(answers).order_by(answers.c.code)).all()


def keep_answer(connection: sa.Connection, values: Mapping[str, Any]) -> None:
    """A new answer, or a better one."""
    upsert(connection, answers, [values], keys=("code",))
