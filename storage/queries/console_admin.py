"""The installation from inside: dead letters, platform tokens, the roster, the answers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from storage.dialect import upsert
from storage.rows import Row, Rows
from storage.tables import (
    answer_versions,
    answers,
    contacts,
    conversations,
    letters,
    mass_jobs,
    platform_tokens,
    roster,
    sessions,
)

WINDOW = timedelta(hours=48)  # in which an answer to a patient costs nothing
SECOND_LIFE = timedelta(hours=2)  # how long a letter stays useful that somebody sends again
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


def retry(connection: sa.Connection, letter: int, now: datetime, *, otherwise: bool = False) -> bool:
    """Let a dead letter try again, every way or every one it has not tried; False: it is not dead."""
    tried = (
        sa.func.trim(letters.c.tried + sa.literal(" ") + letters.c.channel) if otherwise else sa.literal("")
    )
    done = connection.execute(
        letters.update()
        .where(letters.c.id == letter, letters.c.state == "failed")
        .values(
            state="queued",
            reason="",
            tried=tried,
            channel="",
            attempts=0,
            not_before=now,
            claimed_until=None,
            useful_until=sa.case(
                (letters.c.useful_until < now + SECOND_LIFE, now + SECOND_LIFE), else_=letters.c.useful_until
            ),
        )
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


def dead_by_reason(connection: sa.Connection) -> Rows:
    """How many dead letters there are of each reason."""
    return connection.execute(
        sa.select(letters.c.reason, sa.func.count().label("letters"))
        .where(letters.c.state == "failed", ~letters.c.reason.startswith(SETTLED))
        .group_by(letters.c.reason)
        .order_by(sa.func.count().desc())
        .limit(20)
    ).all()


def dead_of(connection: sa.Connection, reason: str, limit: int = 1_000) -> list[int]:
    """Which letters died of it."""
    return list(
        connection.execute(
            sa.select(letters.c.id)
            .where(letters.c.state == "failed", letters.c.reason == reason)
            .order_by(letters.c.id)
            .limit(limit)
        ).scalars()
    )


def reach(connection: sa.Connection, now: datetime) -> Rows:
    """Of each account: its followers, and how many may be written to for nothing just now."""
    open_ = sa.and_(contacts.c.followed, conversations.c.spoke_at > now - WINDOW)
    return connection.execute(
        sa.select(
            contacts.c.account,
            sa.func.count(sa.case((contacts.c.followed, 1))).label("followers"),
            sa.func.count(sa.case((open_, 1))).label("open"),
        )
        .outerjoin(conversations, conversations.c.contact_id == contacts.c.id)
        .group_by(contacts.c.account)
        .order_by(contacts.c.account)
    ).all()


def mass_calls(connection: sa.Connection, since: datetime) -> dict[str, int]:
    """Mass messages handed to each account's platform since then."""
    rows = connection.execute(
        sa.select(mass_jobs.c.account, sa.func.count())
        .where(mass_jobs.c.accepted_at >= since)
        .group_by(mass_jobs.c.account)
    )
    return {account: int(count) for account, count in rows}


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


def keep_answer(connection: sa.Connection, values: Mapping[str, Any], by: str, now: datetime) -> bool:
    """A new answer, or a better one; every wording is kept. False: nothing is different.

    An answer that came from elsewhere leaves its old wording behind first.
    """
    before = connection.execute(sa.select(answers).where(answers.c.code == values["code"])).first()
    wording = ("questions", "answer", "answer_zh_hant", "answer_en")
    if before is not None and all(getattr(before, name) == values[name] for name in wording):
        return False
    latest = connection.execute(
        sa.select(answer_versions)
        .where(answer_versions.c.code == values["code"])
        .order_by(answer_versions.c.id.desc())
        .limit(1)
    ).first()
    if before is not None and (
        latest is None or any(getattr(latest, name) != getattr(before, name) for name in wording)
    ):
        kept = {name: getattr(before, name) for name in wording}
        connection.execute(answer_versions.insert().values(code=before.code, at=now, by="import", **kept))
    connection.execute(answer_versions.insert().values(at=now, by=by, **values))
    upsert(connection, answers, [values], keys=("code",))
    return True


def wordings(connection: sa.Connection, code: str) -> Rows:
    """Every wording an answer has had, the newest first."""
    return connection.execute(
        sa.select(answer_versions).where(answer_versions.c.code == code).order_by(answer_versions.c.id.desc())
    ).all()
