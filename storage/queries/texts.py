"""Patients' texts in the hospital's own words: versions, and which of them counts."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from storage.dialect import lock_row
from storage.rows import Row, Rows
from storage.tables import message_texts

_newest = sa.func.row_number().over(
    partition_by=(message_texts.c.template, message_texts.c.language),
    order_by=(message_texts.c.decided_at.desc(), message_texts.c.id.desc()),
)


def edition(connection: sa.Connection) -> str:
    """Something that differs whenever another version counts."""
    count, last = connection.execute(
        sa.select(sa.func.count(), sa.func.max(message_texts.c.decided_at)).where(
            message_texts.c.state == "live"
        )
    ).one()
    return f"{count} {last}"


def live(connection: sa.Connection) -> Rows:
    """The version that counts of every text that was changed: template, language, source (none: as shipped)."""
    numbered = (
        sa.select(message_texts, _newest.label("place")).where(message_texts.c.state == "live").subquery()
    )
    return connection.execute(
        sa.select(numbered).where(numbered.c.place == 1).order_by(numbered.c.template, numbered.c.language)
    ).all()


def versions(connection: sa.Connection, template: str, language: str) -> Rows:
    """All of one text, the newest first."""
    return connection.execute(
        sa.select(message_texts)
        .where(message_texts.c.template == template, message_texts.c.language == language)
        .order_by(message_texts.c.id.desc())
    ).all()


def waiting(connection: sa.Connection) -> Rows:
    """Versions that wait for a second person, the oldest first."""
    return connection.execute(
        sa.select(message_texts).where(message_texts.c.state == "draft").order_by(message_texts.c.id)
    ).all()


def version(connection: sa.Connection, number: int) -> Row | None:
    """One of them, which nobody else decides about until this transaction ends."""
    return lock_row(connection, sa.select(message_texts).where(message_texts.c.id == number))


def write(
    connection: sa.Connection,
    template: str,
    language: str,
    source: str | None,
    by: str,
    note: str,
    now: datetime,
) -> int:
    """A new version, which does not count yet; its number."""
    number: int = connection.execute(
        message_texts.insert()
        .values(template=template, language=language, source=source, written_by=by, note=note, written_at=now)
        .returning(message_texts.c.id)
    ).scalar_one()
    return number


def decide(connection: sa.Connection, number: int, state: str, by: str, now: datetime) -> None:
    """From now on it counts (live), or never does (refused)."""
    connection.execute(
        message_texts.update()
        .where(message_texts.c.id == number)
        .values(state=state, decided_by=by, decided_at=now)
    )
