"""The operator's stop: one switch, and nothing but alarms and answers leaves the house, within a second or two."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from bot.domain.letter import Purpose
from storage.queries import audit, switches

STOP_ALL: Final = "stop_all"
STILL_GO: Final = Purpose.TRANSACTION.priority  # and everything that is more urgent


def stop_all(db: sa.Connection, by: str, now: datetime) -> None:
    """From the next look on no care, survey, greeting or marketing letter goes out. They stay in the outbox."""
    switches.turn(db, STOP_ALL, by, now, on=True)
    audit.append(db, by, "stop all", "outbox", "", now)


def resume_all(db: sa.Connection, by: str, now: datetime) -> None:
    """What is still useful goes out now; what is not ends as expired."""
    switches.turn(db, STOP_ALL, by, now, on=False)
    audit.append(db, by, "resume all", "outbox", "", now)


def is_stopped(db: sa.Connection) -> bool:
    """Whether the switch is on."""
    return switches.is_on(db, STOP_ALL)


def held(db: sa.Connection) -> dict[str, int]:
    """How many letters wait that the switch holds, or would hold, by purpose."""
    return switches.waiting(db, STILL_GO)


def may_go(db: sa.Connection, priorities: Sequence[int]) -> Sequence[int]:
    """Those of the priorities that the switch lets pass."""
    if not any(priority > STILL_GO for priority in priorities) or not is_stopped(db):
        return priorities
    return [priority for priority in priorities if priority <= STILL_GO]
