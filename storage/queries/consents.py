"""What was agreed to and taken back: rows are only added, the latest counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from storage.rows import Rows
from storage.tables import consents, letters, patients


def add_consents(connection: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write down what was agreed to or taken back."""
    connection.execute(consents.insert(), list(rows))


def said_last(
    connection: sa.Connection, purpose: str, *, contact_id: int | None, patient_code: str | None
) -> tuple[bool | None, bool | None]:
    """The latest word on a purpose, of this user and about this patient; None: never a word."""

    def latest(condition: sa.ColumnElement[bool]) -> bool | None:
        return connection.execute(
            sa.select(consents.c.granted)
            .where(condition, consents.c.purpose == purpose)
            .order_by(consents.c.at.desc(), consents.c.id.desc())
            .limit(1)
        ).scalar()

    return (
        latest(consents.c.contact_id == contact_id) if contact_id is not None else None,
        latest(consents.c.patient_code == patient_code) if patient_code is not None else None,
    )


def imported_marketing_consent(connection: sa.Connection, patient_code: str) -> bool:
    """What the hospital's own records say."""
    return bool(
        connection.execute(
            sa.select(patients.c.marketing_consent).where(patients.c.code == patient_code)
        ).scalar()
    )


def history(connection: sa.Connection, contact_id: int, patient_codes: Sequence[str]) -> Rows:
    """Every word on any purpose, of this user and about these patients; oldest first."""
    return connection.execute(
        sa.select(consents)
        .where(sa.or_(consents.c.contact_id == contact_id, consents.c.patient_code.in_(list(patient_codes))))
        .order_by(consents.c.at, consents.c.id)
    ).all()


def stop_letters(
    connection: sa.Connection, purposes: Sequence[str], contact_id: int, patient_codes: Sequence[str]
) -> int:
    """Queued letters of these purposes, to this user or about these patients, will not go; how many."""
    stopped = connection.execute(
        letters.update()
        .where(
            letters.c.state == "queued",
            letters.c.purpose.in_(list(purposes)),
            sa.or_(letters.c.contact_id == contact_id, letters.c.patient_code.in_(list(patient_codes))),
        )
        .values(state="suppressed", reason="opted_out")
    )
    return stopped.rowcount


def stop_letters_about(connection: sa.Connection, contact_id: int, patient_code: str, reason: str) -> int:
    """Queued letters to this user about this patient will not go; how many."""
    stopped = connection.execute(
        letters.update()
        .where(
            letters.c.state == "queued",
            letters.c.contact_id == contact_id,
            letters.c.patient_code == patient_code,
        )
        .values(state="suppressed", reason=reason)
    )
    return stopped.rowcount
