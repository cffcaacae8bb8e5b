"""A plan on hold: nothing of it fires, and everybody keeps their place. What is useless by then ends as expired."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import sqlalchemy as sa

from storage.queries import audit, switches

SWITCH: Final = "plan:"


def pause(db: sa.Connection, plan_id: str, by: str, now: datetime) -> None:
    """From the next look on nothing of this plan goes out; answers to what went out still count."""
    switches.turn(db, SWITCH + plan_id, by, now, on=True)
    audit.append(db, by, "plan pause", f"plan {plan_id}", "", now)


def resume(db: sa.Connection, plan_id: str, by: str, now: datetime) -> None:
    """It goes on where it was; the rule of one contact a day keeps what waited from coming all at once."""
    switches.turn(db, SWITCH + plan_id, by, now, on=False)
    audit.append(db, by, "plan resume", f"plan {plan_id}", "", now)


def paused(db: sa.Connection) -> frozenset[str]:
    """The plans on hold."""
    return frozenset(name.removeprefix(SWITCH) for name in switches.names_on(db, SWITCH))
