"""One conversation: messages with what became of them, what is held or planned, notes, tasks, tickets."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import sqlalchemy as sa

from storage.rows import Row, Rows
from storage.tables import (
    departments,
    desk_mentions,
    desk_notes,
    doctors,
    letters,
    messages,
    patient_tags,
    tasks,
    tickets,
)


def said(connection: sa.Connection, contact_id: int, limit: int, before: int | None = None) -> Rows:
    """The last messages with the state of the letters they came from, oldest first."""
    found = (
        sa.select(
            messages,
            letters.c.plan,
            letters.c.step,
            letters.c.purpose,
            letters.c.state.label("letter_state"),
            letters.c.reason.label("letter_reason"),
        )
        .outerjoin(letters, letters.c.id == messages.c.letter_id)
        .where(messages.c.contact_id == contact_id)
        .order_by(messages.c.at.desc(), messages.c.id.desc())
        .limit(limit)
    )
    if before is not None:
        found = found.where(messages.c.id < before)
    return list(reversed(connection.execute(found).all()))


def message(connection: sa.Connection, contact_id: int, number: int) -> Row | None:
    """One message of a conversation."""
    return connection.execute(
        sa.select(messages).where(messages.c.id == number, messages.c.contact_id == contact_id)
    ).first()


def department_names(connection: sa.Connection, codes: Collection[str]) -> dict[str, str]:
    """Codes of departments → their names."""
    return _names(connection, departments, codes)


def doctor_names(connection: sa.Connection, codes: Collection[str]) -> dict[str, str]:
    """Codes of doctors → their names."""
    return _names(connection, doctors, codes)


def _names(connection: sa.Connection, table: sa.Table, codes: Collection[str]) -> dict[str, str]:
    found = connection.execute(sa.select(table.c.code, table.c.name).where(table.c.code.in_(list(codes))))
    return {row.code: row.name for row in found}


def unsent(connection: sa.Connection, contact_id: int, limit: int = 60) -> Rows:
    """Letters that are no messages (yet): held, planned, withheld, failed."""
    rows = connection.execute(
        sa.select(letters)
        .where(letters.c.contact_id == contact_id, letters.c.state.not_in(("sent", "delivered")))
        .order_by(letters.c.id.desc())
        .limit(limit)
    ).all()
    return list(reversed(rows))


def notes(connection: sa.Connection, contact_id: int, limit: int = 100) -> Rows:
    """Notes, calls and events, oldest first."""
    rows = connection.execute(
        sa.select(desk_notes)
        .where(desk_notes.c.contact_id == contact_id)
        .order_by(desk_notes.c.id.desc())
        .limit(limit)
    ).all()
    return list(reversed(rows))


def add_note(
    connection: sa.Connection,
    contact_id: int,
    now: datetime,
    kind: str,
    author: str,
    text: str,
    mentioned: Sequence[str] = (),
) -> None:
    """Something for colleagues. Who is mentioned finds it in their folder."""
    number = connection.execute(
        desk_notes.insert()
        .values(contact_id=contact_id, at=now, kind=kind, author=author, text=text)
        .returning(desk_notes.c.id)
    ).scalar_one()
    if mentioned:
        connection.execute(
            desk_mentions.insert(),
            [{"note_id": number, "contact_id": contact_id, "user_name": name} for name in mentioned],
        )


def see_mentions(connection: sa.Connection, contact_id: int, name: str, now: datetime) -> None:
    """Whoever was mentioned has read it."""
    connection.execute(
        desk_mentions.update()
        .where(
            desk_mentions.c.contact_id == contact_id,
            desk_mentions.c.user_name == name,
            desk_mentions.c.seen_at.is_(None),
        )
        .values(seen_at=now)
    )


def open_tasks(connection: sa.Connection, contact_id: int) -> Rows:
    """What is still to be done for this user."""
    return connection.execute(
        sa.select(tasks)
        .where(tasks.c.contact_id == contact_id, tasks.c.status == "open")
        .order_by(tasks.c.due_at.nulls_last(), tasks.c.id)
    ).all()


def tickets_of(connection: sa.Connection, contact_id: int) -> Rows:
    """Complaints and praise of this user, the newest first."""
    return connection.execute(
        sa.select(tickets).where(tickets.c.contact_id == contact_id).order_by(tickets.c.id.desc()).limit(10)
    ).all()


def tags(connection: sa.Connection, codes: Sequence[str]) -> Rows:
    """What these patients are tagged with."""
    return connection.execute(
        sa.select(patient_tags)
        .where(patient_tags.c.patient_code.in_(list(codes)))
        .order_by(patient_tags.c.patient_code, patient_tags.c.tag)
    ).all()


def add_tag(
    connection: sa.Connection,
    code: str,
    tag: str,
    by: str,
    now: datetime,
    *,
    kind: str = "",
    evidence: str = "",
    until: datetime | None = None,
) -> bool:
    """A colleague knows something of this patient; what is there stays as it is. False: it was there."""
    known = connection.execute(
        sa.select(patient_tags.c.tag).where(patient_tags.c.patient_code == code, patient_tags.c.tag == tag)
    ).first()
    if known is not None:
        return False
    connection.execute(
        patient_tags.insert().values(
            patient_code=code,
            tag=tag,
            producer=by,
            since=now,
            until=until,
            kind=kind,
            evidence=evidence or None,
        )
    )
    return True


def remove_tag(connection: sa.Connection, code: str, tag: str) -> None:
    """It is not true (any more)."""
    connection.execute(
        patient_tags.delete().where(patient_tags.c.patient_code == code, patient_tags.c.tag == tag)
    )
