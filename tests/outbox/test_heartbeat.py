"""Is an alarm still on its way: the worker, the database, the letters; and who is told, past all of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from bot.channels.sms import Sms
from bot.domain.clock import StoppedClock
from bot.domain.letter import Letter, Purpose
from bot.outbox import letters as outbox
from bot.outbox.heartbeat import Heartbeat
from storage.database import Database
from storage.tables import users
from tests.outbox.conftest import away


@dataclass
class Telephones:
    """The hospital's SMS gateway."""

    taken: list[Sms] = field(default_factory=list)

    async def send(self, sms: Sms) -> None:
        self.taken.append(sms)

    @property
    def texts(self) -> list[str]:
        return [f"{sms.to} {sms.text}" for sms in self.taken]


@dataclass
class Watch:
    """A process that looks every half a minute; its worker looked last at `worker_at`."""

    heartbeat: Heartbeat
    clock: StoppedClock
    telephones: Telephones
    worker_at: datetime | None = None

    async def for_(self, *, minutes: int, worker: bool = True) -> None:
        for _ in range(minutes * 2):
            self.clock.moment += timedelta(seconds=30)
            if worker:
                self.worker_at = self.clock.moment
            await self.heartbeat.look()


@pytest.fixture
async def watch(database: Database, clock: StoppedClock) -> Watch:
    now = clock.now()
    people = (("主任", "manager", "13900000001"), ("张护士", "nurse", "13900000002"))

    def hire(db: sa.Connection) -> None:
        for name, role, phone in people:
            db.execute(users.insert().values(name=name, role=role, phone=phone, created_at=now))

    await database.write(hire)
    telephones = Telephones()
    heartbeat = Heartbeat(database, clock, clock, telephones)
    watching = Watch(heartbeat, clock, telephones)
    heartbeat.looked_at = lambda: watching.worker_at
    return watching


async def test_while_all_is_well_nobody_is_rung(watch: Watch) -> None:
    await watch.for_(minutes=20)
    assert watch.telephones.taken == []


async def test_a_worker_that_stands_still_is_told_to_the_operators_once(watch: Watch) -> None:
    await watch.for_(minutes=2)
    await watch.for_(minutes=4, worker=False)
    assert watch.telephones.taken == []
    await watch.for_(minutes=10, worker=False)
    [told] = watch.telephones.taken
    assert (told.to, told.kind) == ("13900000001", "alarm")
    assert "后台任务已停止" in told.text


async def test_it_is_told_again_while_it_lasts_and_when_it_is_over(watch: Watch) -> None:
    await watch.for_(minutes=2)
    await watch.for_(minutes=40, worker=False)
    assert len(watch.telephones.taken) == 2
    await watch.for_(minutes=2)
    assert watch.telephones.texts[-1] == "13900000001 【小护】系统已恢复正常。"


async def test_a_worker_that_never_began_is_missed(watch: Watch) -> None:
    await watch.for_(minutes=7, worker=False)
    assert len(watch.telephones.taken) == 1


async def test_the_worker_of_another_process_counts(watch: Watch, database: Database) -> None:
    other = Heartbeat(database, watch.clock, watch.clock, watch.telephones, lambda: watch.clock.moment)
    for _ in range(20):
        await other.look()
        await watch.for_(minutes=1, worker=False)
    assert watch.telephones.taken == []


async def test_two_processes_ring_once(watch: Watch, database: Database) -> None:
    other = Heartbeat(database, watch.clock, watch.clock, watch.telephones)
    for _ in range(10):
        await watch.for_(minutes=1, worker=False)
        await other.look()
    assert len(watch.telephones.taken) == 1


async def test_an_alarm_that_does_not_leave_is_noticed(watch: Watch, database: Database) -> None:
    now = watch.clock.now()
    letter = Letter("alert:1", Purpose.ALARM, "【小护】E级警报", not_before=now, address="wecom:nurse1")
    await database.write(lambda db: outbox.put(db, letter, now))
    await watch.for_(minutes=7)
    assert "警报没有发出" in watch.telephones.texts[0]


async def test_a_database_that_is_away_is_told_to_phones_that_were_learnt(
    watch: Watch, database_url: str
) -> None:
    await watch.for_(minutes=1)
    watch.heartbeat.patience = timedelta(milliseconds=20)
    async with away(database_url):
        await watch.for_(minutes=7)
    assert "数据库没有响应" in watch.telephones.texts[0]
    assert len(watch.telephones.taken) == 1


async def test_without_operators_the_nurses_are_told(watch: Watch, database: Database) -> None:
    await database.write(lambda db: db.execute(users.delete().where(users.c.role == "manager")))
    await watch.for_(minutes=7, worker=False)
    assert [sms.to for sms in watch.telephones.taken] == ["13900000002"]
