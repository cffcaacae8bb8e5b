"""Patients and those who speak for them."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from storage.rows import Rows
from storage.tables import bindings, contacts, patients


def bound_to(connection: sa.Connection, patient_code: str, now: datetime) -> Rows:
    """Everybody who speaks for this patient now: contact, relation, level, and the language they read."""
    own = patients.alias("own")
    self_binding = bindings.alias("self_binding")
    language = (
        sa.select(own.c.language)
        .join(self_binding, self_binding.c.patient_code == own.c.code)
        .where(
            self_binding.c.contact_id == contacts.c.id,
            self_binding.c.relation == "self",
            self_binding.c.ended_at.is_(None),
        )
        .limit(1)
        .scalar_subquery()
    )
    return connection.execute(
        sa.select(
            bindings.c.contact_id,
            bindings.c.relation,
            bindings.c.level,
            contacts.c.openid,
            contacts.c.account,
            contacts.c.followed,
            sa.func.coalesce(sa.func.nullif(language, ""), contacts.c.language).label("language"),
        )
        .join(contacts, contacts.c.id == bindings.c.contact_id)
        .where(
            bindings.c.patient_code == patient_code,
            bindings.c.ended_at.is_(None),
            sa.or_(bindings.c.expires_at.is_(None), bindings.c.expires_at > now),
        )
        .order_by(bindings.c.id)
    ).all()


def links_ending(connection: sa.Connection, since: datetime, until: datetime) -> Rows:
    """The links to living patients that end in a span: id, contact_id, patient_code, name, relation, expires_at."""
    return connection.execute(
        sa.select(
            bindings.c.id,
            bindings.c.contact_id,
            bindings.c.patient_code,
            bindings.c.relation,
            bindings.c.expires_at,
            patients.c.name,
            contacts.c.language,
        )
        .join(patients, patients.c.code == bindings.c.patient_code)
        .join(contacts, contacts.c.id == bindings.c.contact_id)
        .where(
            bindings.c.ended_at.is_(None),
            bindings.c.expires_at > since,
            bindings.c.expires_at <= until,
            patients.c.deceased_on.is_(None),
        )
        .order_by(bindings.c.id)
    ).all()


def exists(connection: sa.Connection, patient_code: str) -> bool:
    """Whether the hospital knows such a patient."""
    return (
        connection.execute(sa.select(patients.c.code).where(patients.c.code == patient_code)).first()
        is not None
    )
