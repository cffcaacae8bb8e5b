"""Whose patients and conversations a console user may see: by department and by account (branch)."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from storage.rows import Row
from storage.tables import (
    alerts,
    appointments,
    bindings,
    contacts,
    conversations,
    patients,
    procedures,
    visits,
)

ACTIVE_ALARM = ("open", "acknowledged", "asking")


def _known_to(departments: Sequence[str]) -> sa.CompoundSelect[tuple[str]]:
    """Codes of the patients these departments treat or will."""
    codes = list(departments)
    return sa.union_all(
        *(
            sa.select(table.c.patient_code).where(table.c.department_code.in_(codes))
            for table in (visits, procedures, appointments)
        )
    )


def conditions(departments: Sequence[str], accounts: Sequence[str]) -> list[sa.ColumnElement[bool]]:
    """For a selection from contacts and conversations. An open alarm is everybody's; so is who is not bound yet."""
    found: list[sa.ColumnElement[bool]] = []
    alarmed = contacts.c.id.in_(sa.select(alerts.c.contact_id).where(alerts.c.status.in_(ACTIVE_ALARM)))
    if accounts:
        found.append(sa.or_(contacts.c.account.in_(list(accounts)), alarmed))
    if departments:
        bound = sa.select(bindings.c.contact_id).where(bindings.c.ended_at.is_(None))
        ours = bound.where(bindings.c.patient_code.in_(_known_to(departments)))
        found.append(sa.or_(contacts.c.id.in_(ours), contacts.c.id.not_in(bound), alarmed))
    return found


def conversation(
    connection: sa.Connection, contact_id: int, departments: Sequence[str], accounts: Sequence[str]
) -> Row | None:
    """A conversation and its contact, if these departments and accounts may see it."""
    return connection.execute(
        sa.select(
            contacts.c.id,
            contacts.c.account,
            contacts.c.openid,
            contacts.c.followed,
            contacts.c.language,
            contacts.c.source,
            conversations.c.owner,
            conversations.c.nurse,
            conversations.c.waiting_since,
            conversations.c.spoke_at,
            conversations.c.handover,
        )
        .join(conversations, conversations.c.contact_id == contacts.c.id)
        .where(contacts.c.id == contact_id, *conditions(departments, accounts))
    ).first()


def patient(connection: sa.Connection, code: str, departments: Sequence[str]) -> Row | None:
    """A patient, if these departments may see them."""
    found = sa.select(patients).where(patients.c.code == code)
    if departments:
        found = found.where(patient_scope(departments))
    return connection.execute(found).first()


def patient_scope(departments: Sequence[str]) -> sa.ColumnElement[bool]:
    """For a selection from patients: treated here, or by nobody yet."""
    treated = (
        sa.select(table.c.patient_code).where(table.c.patient_code == patients.c.code).exists()
        for table in (visits, procedures, appointments)
    )
    return sa.or_(patients.c.code.in_(_known_to(departments)), sa.not_(sa.or_(*treated)))
