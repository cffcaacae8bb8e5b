"""The demo's past weeks: something to look at, and nothing that waits for anybody."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from bot.app import open_house, planners
from bot.command.importing import bring_in
from bot.console.managers.measures import SECTIONS
from bot.console.managers.measures.base import Span
from bot.conversation.receive import Reception
from bot.demo.hospital import write
from bot.demo.past import OPENID, Past
from bot.domain.clock import StoppedClock
from bot.domain.letter import Letter, Purpose
from bot.handlers import HANDLERS
from bot.outbox.letters import put
from bot.outbox.wording import Wording
from bot.settings import read_settings
from storage.database import Database
from storage.tables import alerts, contacts, conversations, letters, messages, tasks
from tests.hospital_folder import contact, open_hospital
from tests.secret import SECRET


async def test_a_week_ago_and_since(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sqlite_template: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    url = f"sqlite:///{tmp_path}/demo.db"
    settings = read_settings({"XIAOHU_ENV": "demo", "XIAOHU_SECRET_KEY": SECRET, "XIAOHU_DATABASE_URL": url})
    zone = ZoneInfo("Asia/Shanghai")
    now = datetime.now(UTC)
    today = now.astimezone(zone).date()
    write(tmp_path / "hospital", today)
    assert not (await asyncio.to_thread(bring_in, tmp_path / "hospital", settings)).faults
    house = await open_house(settings)
    past = Past(
        house.database,
        house.reception,
        planners(settings, house.wording),
        nurses=["李护士"],
        manager="王经理",
        days=6,
    )
    await past.live(today)

    def count(db: sa.Connection, *conditions: sa.ColumnElement[bool]) -> int:
        return int(db.execute(sa.select(sa.func.count()).where(*conditions)).scalar_one())

    def look(db: sa.Connection) -> None:
        assert count(db, messages.c.dir == "in") > 60
        assert count(db, letters.c.author == "李护士", letters.c.state == "sent") > 3
        assert count(db, letters.c.state == "queued", letters.c.not_before <= now) == 0
        assert count(db, alerts.c.status != "closed") == 0
        assert count(db, conversations.c.owner != "bot") == 0
        assert count(db, tasks.c.status == "done") > 0
        span = Span(today.replace(day=1), 31, now, zone)
        assert all(SECTIONS[name](db, span).figures for name in SECTIONS)

    await house.database.read(look)
    written = await house.database.read(lambda db: count(db, messages.c.id > 0))
    await past.live(today)
    assert await house.database.read(lambda db: count(db, messages.c.id > 0)) == written
    openids = await house.database.read(lambda db: db.scalars(sa.select(contacts.c.openid)).all())
    assert all(one.startswith(OPENID) for one in openids)
    await house.close()


async def test_a_house_where_somebody_lives_is_left_alone(database: Database, clock: StoppedClock) -> None:
    """Whatever address the demo is given: a letter that waits there is real, and is not carried to nobody."""
    await database.write(open_hospital)
    await database.write(lambda db: contact(db, "oReal"))
    letter = Letter(
        key="real", purpose=Purpose.TRANSACTION, text="您好", not_before=clock.now(), contact_id=1
    )
    await database.write(lambda db: put(db, letter, clock.now()))
    zone = ZoneInfo("Asia/Shanghai")
    past = Past(
        database,
        Reception(HANDLERS, wording=Wording(zone), zone=zone),
        (),
        nurses=["李护士"],
        manager="王经理",
    )
    await past.live(clock.now().date())
    rows = await database.read(lambda db: db.execute(sa.select(letters.c.key, letters.c.state)).all())
    assert [tuple(row) for row in rows] == [("real", "queued")]
    assert await database.read(lambda db: db.scalars(sa.select(contacts.c.openid)).all()) == ["oReal"]
