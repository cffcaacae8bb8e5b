"""What somebody who waits for a person is told: how many wait before them, and whether anybody is there at all."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from bot.domain.words import Say, say
from storage.queries import alerts, desk

WHO_ANSWERS = ("nurse", "agent", "coordinator")  # roles


def joined(db: sa.Connection, now: datetime, contact_id: int) -> Say:
    """You are in the queue."""
    return _words("person/queued", db, now, contact_id)


def still_waiting(db: sa.Connection, now: datetime, contact_id: int) -> Say:
    """You are still in the queue."""
    return _words("person/still_waiting", db, now, contact_id)


def _words(template: str, db: sa.Connection, now: datetime, contact_id: int) -> Say:
    there = bool(alerts.on_duty(db, now, WHO_ANSWERS))
    back = None if there else desk.next_shift(db, now)
    return say(template, ahead=desk.waiting_before(db, contact_id), there=there, back=back)
