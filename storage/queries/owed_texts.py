"""Who wrote, and what they were only given notice of."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from storage.rows import Rows
from storage.tables import bindings, contacts, letters, messages, touches

NOTICES = ("template", "sms")  # ways that do not show a letter's whole text


def wrote_after(connection: sa.Connection, number: int, limit: int) -> Rows:
    """What users wrote after a message, events left out: id, contact_id, at."""
    return connection.execute(
        sa.select(messages.c.id, messages.c.contact_id, messages.c.at)
        .where(messages.c.id > number, messages.c.dir == "in", ~messages.c.type.like("event%"))
        .order_by(messages.c.id)
        .limit(limit)
    ).all()


def only_noticed(
    connection: sa.Connection, contact_ids: Collection[int], since: datetime, now: datetime
) -> Rows:
    """The letters to these users that went only as a notice, with what the notice showed; oldest first.

    Of a patient only while the user still speaks for that patient, here or on another account of the same person.
    """
    same = contacts.alias("same")
    speaks_for = (
        sa.select(bindings.c.id)
        .join(same, same.c.id == bindings.c.contact_id)
        .where(
            bindings.c.patient_code == letters.c.patient_code,
            bindings.c.ended_at.is_(None),
            sa.or_(bindings.c.expires_at.is_(None), bindings.c.expires_at > now),
            sa.or_(
                same.c.id == contacts.c.id,
                sa.and_(same.c.unionid == contacts.c.unionid, same.c.unionid != ""),
            ),
        )
        .correlate(letters, contacts)
        .exists()
    )
    shown = (
        sa.select(messages.c.text)
        .where(
            messages.c.contact_id == letters.c.contact_id,
            messages.c.at >= letters.c.sent_at,
            messages.c.letter_id == letters.c.id,
        )
        .limit(1)
        .scalar_subquery()
    )
    return connection.execute(
        sa.select(
            letters.c.id,
            letters.c.key,
            letters.c.contact_id,
            letters.c.patient_code,
            letters.c.body,
            letters.c.author,
            letters.c.sent_at,
            letters.c.useful_until,
            contacts.c.language,
            shown.label("shown"),
        )
        .join(contacts, contacts.c.id == letters.c.contact_id)
        .where(
            letters.c.contact_id.in_(contact_ids),
            letters.c.sent_at > since,
            letters.c.channel.in_(NOTICES),
            letters.c.state.in_(("sent", "delivered")),
            letters.c.purpose.in_(("transaction", "care")),
            letters.c.address.is_(None),
            sa.or_(letters.c.patient_code.is_(None), speaks_for),
        )
        .order_by(letters.c.id)
    ).all()


def asking(connection: sa.Connection, touch_ids: Collection[int]) -> frozenset[int]:
    """Which contacts of plans ask something."""
    if not touch_ids:
        return frozenset()
    found = sa.select(touches.c.id).where(touches.c.id.in_(touch_ids), touches.c.questions != "")
    return frozenset(connection.execute(found).scalars())
