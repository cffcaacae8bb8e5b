"""Promises over time at scale: a tick among a million future contacts, ten thousand moved operations, and a year of
a hospital whose history is checked against what it owed. Prints one JSON line a figure.

`python -m benchmarks.plans tick move year` runs parts; `--patients N` makes the year's hospital smaller.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4
from zoneinfo import ZoneInfo

import sqlalchemy as sa

import storage.migrate
from benchmarks.history import check
from bot.flows import PLANS
from bot.flows.engine.planner import Planner
from bot.outbox.wording import Wording
from storage.database import Database, open_database
from storage.queries.conversations import REVISION
from storage.tables import (
    bindings,
    contacts,
    conversations,
    facts,
    letters,
    patients,
    plan_instances,
    procedures,
    touches,
)
from storage.types import Seal
from tests import postgres

T = TypeVar("T")
ZONE = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 1, 5, 8, tzinfo=ZONE)
FUTURE = 1_000_000
MOVED = 10_000
PATIENTS = 1_000  # 10,000 is the aim, and takes most of an hour
FAMILIES = ("abdominal", "joint", "cataract", "dental", "tonsil", "pci", "endoscopy", "dayga")
CHUNK = 20_000


def planner() -> Planner:
    """All plans, signed or not."""
    return Planner(PLANS, Wording(ZONE), ZONE, unsigned_run=True)


@contextmanager
def databases() -> Iterator[dict[str, str]]:
    """An empty database of each kind."""
    with tempfile.TemporaryDirectory() as folder, postgres.running() as server:
        yield {"sqlite": f"sqlite:///{Path(folder) / 'xiaohu.db'}", "postgresql": server.create()}


def told(name: str, **figures: Any) -> None:
    """One line a figure."""
    print(json.dumps({"benchmark": "plans", "figure": name, **figures}), flush=True)


def people(db: sa.Connection, count: int) -> None:
    """Patients, each with a follower of their own."""
    for first in range(0, count, CHUNK):
        numbers = range(first, min(first + CHUNK, count))
        db.execute(
            patients.insert(),
            [{"code": f"P{n}", "name": "王小明", "birth_date": date(1970, 1, 1 + n % 28)} for n in numbers],
        )
        db.execute(
            contacts.insert(),
            [
                {"id": n + 1, "account": "wechat/default", "openid": f"o{n}", "created_at": START}
                for n in numbers
            ],
        )
        db.execute(conversations.insert(), [{"contact_id": n + 1} for n in numbers])
        db.execute(
            bindings.insert(),
            [
                {
                    "contact_id": n + 1,
                    "patient_code": f"P{n}",
                    "relation": "self",
                    "level": 2,
                    "created_at": START,
                }
                for n in numbers
            ],
        )


def operation(number: int, day: date, family: str) -> dict[str, Any]:
    """One operation of one patient."""
    return {
        "code": f"OP{number}",
        "patient_code": f"P{number}",
        "name": "手术",
        "family": family,
        "date": day,
        "time": clock_time(9),
        "status": "done",
    }


def imported(db: sa.Connection) -> None:
    """Tell the planner that the hospital's rows changed."""
    db.execute(facts.delete().where(facts.c.key == REVISION))
    db.execute(facts.insert().values(key=REVISION, value=uuid4().hex))


async def timed(database: Database, work: Callable[[sa.Connection], T]) -> tuple[float, T]:
    """Seconds of one transaction, and what it gave."""
    begun = time.perf_counter()
    done = await database.write(work)
    return time.perf_counter() - begun, done


# A tick among a million


def future(db: sa.Connection) -> None:
    """A million contacts that are due in the next months."""
    people(db, 1_000)
    rows = [
        {
            "id": n + 1,
            "patient_code": f"P{n}",
            "plan": "abdominal",
            "version": 1,
            "episode": f"procedure:OP{n}",
            "anchor_at": START,
            "created_at": START,
            "changed_at": START,
        }
        for n in range(1_000)
    ]
    db.execute(plan_instances.insert(), rows)
    for first in range(0, FUTURE, CHUNK):
        db.execute(
            touches.insert(),
            [
                {
                    "key": f"future/{n}",
                    "instance_id": n % 1_000 + 1,
                    "patient_code": f"P{n % 1_000}",
                    "step": "d1",
                    "purpose": "care",
                    "rank": 0,
                    "questions": "feel",
                    "due_at": START + timedelta(days=2, seconds=7 * n),
                    "useful_until": START + timedelta(days=3, seconds=7 * n),
                }
                for n in range(first, min(first + CHUNK, FUTURE))
            ],
        )


async def tick(kind: str, database: Database) -> None:
    """The planner's look when nothing is due."""
    await database.write(future)
    now = (START + timedelta(minutes=1)).astimezone(UTC)
    look = planner()
    await database.write(lambda db: look(db, now))
    spans = sorted([(await timed(database, lambda db: look(db, now)))[0] for _ in range(100)])
    told(
        "tick_ms",
        database=kind,
        touches=FUTURE,
        median=round(spans[50] * 1e3, 2),
        p99=round(spans[98] * 1e3, 2),
    )


# Moving anchors


async def move(kind: str, database: Database) -> None:
    """Ten thousand operations move by a day, in one import."""

    def lay(db: sa.Connection) -> None:
        people(db, MOVED)
        day = START.date() + timedelta(days=30)
        rows = [operation(n, day, FAMILIES[n % len(FAMILIES)]) for n in range(MOVED)]
        db.execute(procedures.insert(), rows)
        imported(db)

    def shift(db: sa.Connection) -> None:
        db.execute(procedures.update().values(date=START.date() + timedelta(days=37)))
        imported(db)

    look = planner()
    await database.write(lay)
    begun, _ = await timed(database, lambda db: look.derive(db, START.astimezone(UTC)))
    await database.write(shift)
    moved, count = await timed(database, lambda db: look.derive(db, START.astimezone(UTC)))
    total = await database.read(
        lambda db: db.execute(sa.select(sa.func.count()).select_from(touches)).scalar()
    )
    told(
        "move_anchors_s",
        database=kind,
        operations=MOVED,
        instances=count,
        touches=total,
        begin=round(begun, 2),
        move=round(moved, 2),
    )


# A year of a hospital


async def year(kind: str, database: Database, count: int) -> None:
    """A year: operations all year round, two outages, moves, cancellations; then the history is checked."""
    dice = random.Random(1)
    days = [START.date() + timedelta(days=dice.randrange(1, 300)) for _ in range(count)]

    def lay(db: sa.Connection) -> None:
        people(db, count)
        rows = [operation(n, days[n], FAMILIES[n % len(FAMILIES)]) for n in range(count)]
        for first in range(0, count, CHUNK):
            db.execute(procedures.insert(), rows[first : first + CHUNK])
        imported(db)

    await database.write(lay)
    look, now = planner(), START
    begun = time.perf_counter()
    outages = {START.date() + timedelta(days=n) for n in (60, 61, 200)}
    while now < START + timedelta(days=365):
        if now.date() not in outages:
            await one_day(database, look, now, dice, count)
        now += timedelta(days=1)
    seconds = time.perf_counter() - begun
    found = await database.read(lambda db: check(db, ZONE, outages))
    sent = await database.read(
        lambda db: db.execute(sa.select(sa.func.count()).select_from(letters)).scalar()
    )
    told("year_s", database=kind, patients=count, letters=sent, seconds=round(seconds, 1), **found)


async def one_day(database: Database, look: Planner, day: datetime, dice: random.Random, count: int) -> None:
    """Some operations move or are cancelled; the planner looks through the day; half of those asked answer."""

    def change(db: sa.Connection) -> None:
        for number in dice.sample(range(count), max(1, count // 1_000)):
            row = procedures.c.code == f"OP{number}"
            if dice.random() < 0.3:
                db.execute(procedures.update().where(row).values(status="cancelled"))
            else:
                new = day.date() + timedelta(days=dice.randrange(2, 30))
                db.execute(procedures.update().where(row).values(date=new))
        imported(db)

    if day.weekday() == 0:
        await database.write(change)
    for hour in (6.6, 8.6, 10.5, 14.5, 19.5, 20.5, 23.0):
        moment = datetime.combine(day.date(), clock_time(), ZONE) + timedelta(hours=hour)
        while await database.write(lambda db, at=moment: look(db, at.astimezone(UTC))):  # type: ignore[misc]
            pass
        await database.write(lambda db, at=moment: answer(db, at.astimezone(UTC), dice))  # type: ignore[misc]


def answer(db: sa.Connection, now: datetime, dice: random.Random) -> None:
    """Half of those who were asked answer; every letter that was owed has gone."""
    db.execute(letters.update().where(letters.c.state == "queued").values(state="sent", sent_at=now))
    asked = db.execute(sa.select(touches.c.id).where(touches.c.state == "asked", touches.c.asked_at == now))
    ids = [number for number in asked.scalars() if dice.random() < 0.5]
    for first in range(0, len(ids), 500):
        db.execute(
            touches.update()
            .where(touches.c.id.in_(ids[first : first + 500]))
            .values(state="answered", answered_at=now)
        )


async def run(parts: list[str], count: int) -> None:
    for part in parts:
        with databases() as urls:
            for kind, url in urls.items():
                if part == "year" and kind != "sqlite":
                    continue  # the year asks for correctness; speed on PostgreSQL is what the others show
                database = open_database(url)
                await database.write(storage.migrate.upgrade)
                if part == "tick":
                    await tick(kind, database)
                elif part == "move":
                    await move(kind, database)
                else:
                    await year(kind, database, count)
                await database.close()


if __name__ == "__main__":
    Seal.use("benchmarks only")
    words = sys.argv[1:]
    number = PATIENTS
    if "--patients" in words:
        place = words.index("--patients")
        number = int(words[place + 1])
        del words[place : place + 2]
    asyncio.run(run(words or ["tick", "move", "year"], number))
