"""Whom a broadcast is for, and how fast its letters get into the outbox, on both databases.

Patients are invented by SQL: 100,000 of them, or as many as XIAOHU_BENCH_PATIENTS says (1000000 is the full size).
Prints one JSON line a figure. `memory_mb` is how much the process grew while the letters were queued.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import shutil
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

import storage.migrate
from bot.domain.letter import Purpose
from bot.flows.broadcasts import desk
from bot.flows.broadcasts.running import Broadcaster
from bot.hospital import segments
from bot.hospital.segments import Age, Bound, Described, NotTagged, Segment, Tagged, Visited
from bot.outbox.wording import Wording
from storage.database import Database, open_database
from storage.queries import broadcasts
from storage.queries import segments as rows
from storage.types import Seal
from tests import postgres

PATIENTS = int(os.environ.get("XIAOHU_BENCH_PATIENTS", "100000"))
ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 18, 2, 0, tzinfo=UTC)
CHOSEN = Segment(
    (
        Tagged(("会员", "体检")),
        NotTagged(("员工",)),
        Age(at_least=30, below=70),
        Described("sex", ("F",)),
        Visited(within_days=365),
    )
)
EVERYBODY = Segment((Bound(),))

COUNTER = "WITH RECURSIVE counter(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counter WHERE n < {count})"
PEOPLE = (
    """INSERT INTO patients (code, name, sex, birth_date, marketing_consent, language)
       SELECT 'P' || n, '王敏', CASE n % 2 WHEN 0 THEN 'F' ELSE 'M' END, {day}, {yes}, '' FROM counter""",
    "INSERT INTO patient_tags (patient_code, tag) SELECT 'P' || n, '会员' FROM counter WHERE n % 3 = 0",
    "INSERT INTO patient_tags (patient_code, tag) SELECT 'P' || n, '体检' FROM counter WHERE n % 5 = 0",
    "INSERT INTO patient_tags (patient_code, tag) SELECT 'P' || n, '员工' FROM counter WHERE n % 50 = 0",
    """INSERT INTO visits (code, patient_code, date, kind, amount_cents)
       SELECT 'V' || n, 'P' || n, {visit}, 'outpatient', n % 100000 FROM counter""",
    """INSERT INTO contacts (id, account, openid, created_at, language, source)
       SELECT n, 'wechat/default', 'o' || n, '2026-01-01 00:00:00.000000', '', '' FROM counter""",
    "INSERT INTO conversations (contact_id) SELECT n FROM counter",
    """INSERT INTO bindings (contact_id, patient_code, relation, level, created_at)
       SELECT n, 'P' || n, 'self', 2, '2026-01-01 00:00:00.000000' FROM counter""",
)
SPELLED = {
    "sqlite": {
        "day": "date('1940-01-01', '+' || (n * 7919 % 27000) || ' days')",
        "visit": "date('2026-11-17', '-' || (n * 31 % 1400) || ' days')",
        "yes": "1",
    },
    "postgresql": {
        "day": "date '1940-01-01' + CAST(n::bigint * 7919 % 27000 AS integer)",
        "visit": "date '2026-11-17' - CAST(n::bigint * 31 % 1400 AS integer)",
        "yes": "true",
    },
}


def invent(db: sa.Connection) -> None:
    """The hospital's patients, and three console users."""
    storage.migrate.upgrade(db)
    counter = COUNTER.format(count=PATIENTS)
    for statement in PEOPLE:
        into, _, source = statement.format(**SPELLED[db.dialect.name]).partition("SELECT")
        # SQLite wants the common table expression before INSERT, PostgreSQL takes it there as well.
        db.execute(sa.text(f"{counter} {into} SELECT {source}"))
    for name, role in (("writer", "marketing"), ("approver", "manager")):
        db.execute(
            sa.text(
                "INSERT INTO users (name, role, created_at) VALUES (:n, :r, '2026-01-01 00:00:00.000000')"
            ),
            {"n": name, "r": role},
        )


def memory() -> float:
    """The most this process ever held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def figure(name: str, database: Database, value: float, unit: str, **more: Any) -> None:
    line = {"benchmark": "broadcast", "figure": name, "database": database.dialect, "patients": PATIENTS}
    print(json.dumps({**line, "value": round(value, 3), "unit": unit, **more}), flush=True)


async def measure(url: str) -> None:
    database = open_database(url)
    await database.write(invent)
    await database.write(lambda db: db.execute(sa.text("ANALYZE")))
    members = segments.compiled(CHOSEN, NOW, ZONE)
    begun = time.perf_counter()
    size = await database.read(lambda db: rows.count(db, members))
    figure("segment_of_five", database, time.perf_counter() - begun, "s", members=size)

    begun = time.perf_counter()
    told = await database.read(lambda db: segments.preview(db, CHOSEN, Purpose.MARKETING, NOW, ZONE))
    figure("preview", database, time.perf_counter() - begun, "s", reached=told.reached)

    begun = time.perf_counter()
    number = await database.write(start)
    snapshot = time.perf_counter() - begun
    figure("snapshot", database, snapshot, "s")
    before = memory()
    tick = Broadcaster(Wording(ZONE), ZONE)
    begun = time.perf_counter()
    queued = 0
    while done := await database.write(lambda db: tick(db, NOW)):
        queued += done
    spent = time.perf_counter() - begun
    growth = memory() - before
    figure("queueing", database, snapshot + spent, "s", letters=queued, memory_mb=round(growth, 1))
    assert (await database.read(lambda db: broadcasts.broadcast(db, number))) is not None
    await database.close()


def start(db: sa.Connection) -> int:
    """A broadcast to everybody who is bound, approved and begun."""
    draft = desk.Draft(EVERYBODY, "周末有健康讲座，欢迎参加。", Purpose.GREETING, "writer")
    number = desk.create(db, draft, NOW, ZONE)
    desk.approve(db, number, "approver", NOW, ZONE)
    desk.start(db, number, "writer", NOW, ZONE)
    broadcasts.change(db, number, canary=0)  # nothing is delivered here that could be looked at
    return number


def main() -> None:
    Seal.use("benchmark")
    folder = Path(tempfile.mkdtemp())
    try:
        asyncio.run(measure(f"sqlite:///{folder}/bench.db"))
        with postgres.running() as server:
            asyncio.run(measure(server.create()))
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
