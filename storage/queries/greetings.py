"""Whom a greeting may be for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import sqlalchemy as sa

from storage.rows import Rows
from storage.tables import bindings, patient_tags, patients


def bound_patients(
    connection: sa.Connection, now: datetime, *, after: str = "", most: int = 500, only: str | None = None
) -> Rows:
    """Living patients for whom somebody speaks, in the order of their codes, from one code on."""
    columns = [patients.c[name] for name in ("code", "name", "sex", "birth_date", "lunar_birthday")]
    spoken_for = (
        sa.select(bindings.c.id)
        .where(
            bindings.c.patient_code == patients.c.code,
            bindings.c.ended_at.is_(None),
            sa.or_(bindings.c.expires_at.is_(None), bindings.c.expires_at > now),
        )
        .exists()
    )
    found = sa.select(*columns).where(
        spoken_for,
        sa.or_(patients.c.deceased_on.is_(None), patients.c.deceased_on > now.date()),
        patients.c.code > after,
    )
    if only is not None:
        found = found.where(patients.c.code == only)
    return connection.execute(found.order_by(patients.c.code).limit(most)).all()


def patients_themselves(connection: sa.Connection, contact_ids: Sequence[int], now: datetime) -> set[int]:
    """Of these users those who are living patients themselves."""
    found = (
        sa.select(bindings.c.contact_id)
        .join(patients, patients.c.code == bindings.c.patient_code)
        .where(
            bindings.c.contact_id.in_(list(contact_ids)),
            bindings.c.relation == "self",
            bindings.c.ended_at.is_(None),
            sa.or_(bindings.c.expires_at.is_(None), bindings.c.expires_at > now),
            sa.or_(patients.c.deceased_on.is_(None), patients.c.deceased_on > now.date()),
        )
    )
    return set(connection.execute(found).scalars())


def tags_of(
    connection: sa.Connection, codes: Sequence[str], tags: Collection[str], now: datetime
) -> dict[str, set[str]]:
    """Which of some tags these patients bear."""
    rows = connection.execute(
        sa.select(patient_tags.c.patient_code, patient_tags.c.tag).where(
            patient_tags.c.patient_code.in_(list(codes)),
            patient_tags.c.tag.in_(list(tags)),
            sa.or_(patient_tags.c.until.is_(None), patient_tags.c.until > now),
        )
    )
    found: dict[str, set[str]] = {}
    for code, tag in rows:
        found.setdefault(code, set()).add(tag)
    return found
