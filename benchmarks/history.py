"""A history checker: what patients received, beside what they were owed. Every figure must be zero.

It shares nothing with the engine but the tables: the times are computed anew from the operations' rows.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from storage.tables import bindings, letters, plan_instances, procedures, touches

NIGHT_FROM, NIGHT_UNTIL = time(21), time(8)
# What the first contacts of each family are, by the protocol: day and hour. Written out by hand, on purpose.
OWED = {
    "abdominal": {"d1": (1, 10), "d3": (3, 10), "d7": (7, 10)},
    "cataract": {"d3": (3, 10), "d7": (7, 10)},
    "pci": {"d1": (1, 10), "d3": (3, 10), "d7": (7, 10)},
    "dental": {"d1": (1, 10), "d3": (3, 10)},
    "dayga": {"d1": (1, 10), "d3": (3, 10), "d7": (7, 10)},
}
EXPLAINED = frozenset({"expired", "withheld", "cancelled"})


def check(db: sa.Connection, zone: ZoneInfo, outages: Collection[date] = ()) -> dict[str, int]:
    """How many contacts were lost, sent twice, late, to the wrong person, at night, or after a cancellation."""
    sent = db.execute(
        sa.select(
            letters.c.key,
            letters.c.patient_code,
            letters.c.contact_id,
            letters.c.purpose,
            letters.c.plan,
            letters.c.step,
            letters.c.created_at,
            letters.c.sent_at,
        ).where(letters.c.plan != "", letters.c.state.in_(("sent", "delivered")))
    ).all()
    return {
        "lost": sum(1 for _ in _lost(db, zone, outages)),
        "duplicate": _duplicates(db),
        "late": _late(db),
        "wrong_person": _wrong_people(db, sent),
        "at_night": sum(1 for row in sent if row.purpose != "transaction" and _night(row.sent_at, zone)),
        "after_cancelling": _after_cancelling(db),
        "too_many": _too_many(sent, zone),
    }


def _night(moment: datetime, zone: ZoneInfo) -> bool:
    clock = moment.astimezone(zone).time()
    return clock >= NIGHT_FROM or clock < NIGHT_UNTIL


def _lost(db: sa.Connection, zone: ZoneInfo, outages: Collection[date]) -> Iterator[str]:
    """A contact that was owed, and neither went out nor has a reason why not."""
    known: dict[tuple[str, str], dict[str, Any]] = defaultdict(dict)
    found = sa.select(
        plan_instances.c.plan, plan_instances.c.episode, touches.c.step, touches.c.state, touches.c.reason
    ).join(touches, touches.c.instance_id == plan_instances.c.id)
    for row in db.execute(found):
        known[row.plan, row.episode][row.step] = row
    latest = db.execute(sa.select(sa.func.max(letters.c.created_at))).scalar()
    operations = sa.select(procedures.c.code, procedures.c.family, procedures.c.date, procedures.c.status)
    for one in db.execute(operations):
        for step, (days, hour) in OWED.get(one.family, {}).items():
            due = datetime.combine(one.date + timedelta(days=days), time(hour, 30), zone)
            if one.status == "cancelled" or latest is None or due > latest or due.date() in outages:
                continue
            touch = known[one.family, f"procedure:{one.code}"].get(step)
            if touch is None or touch.state == "planned" or (touch.state in EXPLAINED and not touch.reason):
                yield f"{one.code} {step}"


def _duplicates(db: sa.Connection) -> int:
    """Two contacts of one step of one episode that both went out; asking again is none, nor is a moved reminder."""
    asked = sa.select(touches.c.instance_id, touches.c.step, touches.c.asked_at).join(
        plan_instances, plan_instances.c.id == touches.c.instance_id
    )
    once = asked.where(touches.c.asked_at.is_not(None), plan_instances.c.plan.in_(list(OWED)))
    count = Counter((row.instance_id, row.step) for row in db.execute(once))
    twice = db.execute(
        sa.select(letters.c.patient_code, letters.c.plan, letters.c.step, letters.c.created_at).where(
            letters.c.plan.in_(list(OWED)), letters.c.state == "sent"
        )
    )
    same_moment = Counter(tuple(row) for row in twice)
    return sum(n - 1 for n in count.values()) + sum(n - 1 for n in same_moment.values())


def _late(db: sa.Connection) -> int:
    """Sent after the time it was useful."""
    late = sa.select(sa.func.count()).where(
        letters.c.plan != "", letters.c.state == "sent", letters.c.sent_at > letters.c.useful_until
    )
    return db.execute(late).scalar() or 0


def _wrong_people(db: sa.Connection, sent: Collection[Any]) -> int:
    """Sent to somebody who does not speak for the patient."""
    speak = {(row.contact_id, row.patient_code) for row in db.execute(sa.select(bindings))}
    return sum((row.contact_id, row.patient_code) not in speak for row in sent)


def _after_cancelling(db: sa.Connection) -> int:
    """Contacts that still wait although their operation was cancelled."""
    waiting = (
        sa.select(sa.func.count())
        .select_from(touches)
        .join(plan_instances, plan_instances.c.id == touches.c.instance_id)
        .join(procedures, sa.literal("procedure:") + procedures.c.code == plan_instances.c.episode)
        .where(procedures.c.status == "cancelled", touches.c.state.in_(("planned", "asked")))
        .where(plan_instances.c.state != "stopped")
    )
    return db.execute(waiting).scalar() or 0


def _too_many(sent: Collection[Any], zone: ZoneInfo) -> int:
    """More than three contacts about one patient on one day, other than those the patient asked for."""
    days = Counter(
        (row.patient_code, row.sent_at.astimezone(zone).date())
        for row in sent
        if row.purpose in ("care", "survey")
    )
    return sum(1 for number in days.values() if number > 4)
