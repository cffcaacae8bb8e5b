"""Taking running plans over to a newer version: only when somebody says so, after looking at whom it touches."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from bot.flows.engine.book import Plans, rank
from bot.flows.plan import HORIZON, contacts, touch_key
from storage.queries import plans as rows
from storage.rows import Row


def affected(db: sa.Connection, plan_id: str, version: int) -> list[Row]:
    """The preview: running instances of that plan that began with an older version."""
    return [
        row
        for row in rows.instances_of_patient(db, None)
        if row.plan == plan_id and row.version < version and row.state == "running"
    ]


def migrate(
    db: sa.Connection, now: datetime, zone: ZoneInfo, plans: Plans, plan_id: str, version: int
) -> int:
    """Give running instances the contacts of a newer version; how many.

    What went out stays, and a step of the same name is not told again; nothing that is past is begun.
    """
    plan = plans[plan_id, version]
    instances = affected(db, plan_id, version)
    told: dict[int, set[str]] = defaultdict(set)
    for touch in rows.touches_of(db, [row.id for row in instances]):
        if touch.asked_at is not None:
            told[touch.instance_id].add(touch.step)
    rows.cancel_pending(db, [row.id for row in instances], "migrated")
    rows.change_instances(db, [row.id for row in instances], version=version, changed_at=now)
    planned = []
    for row in instances:
        seed = f"{row.patient_code}/{row.episode}"
        for due in contacts(plan, row.anchor_at, zone, seed=seed, until=now + HORIZON):
            if due.at <= now or due.step.id in told[row.id]:
                continue
            planned.append(
                {
                    "key": touch_key(row.patient_code, plan, row.episode, due.step.id, due.occurrence),
                    "instance_id": row.id,
                    "patient_code": row.patient_code,
                    "step": due.step.id,
                    "occurrence": due.occurrence,
                    "purpose": (due.step.purpose or plan.purpose).value,
                    "rank": rank(plan, due),
                    "questions": " ".join(due.step.questions),
                    "due_at": due.at,
                    "useful_until": due.useful_until,
                }
            )
    rows.add_touches(db, planned)
    reason = f"{plan_id} v{version}"
    rows.write_down(
        db,
        [
            {"instance_id": row.id, "touch_id": None, "at": now, "decision": "migrated", "reason": reason}
            for row in instances
        ],
    )
    return len(instances)
