"""The clock's work: every second it asks what is due. What is due is a question to the database, never a job each."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from prometheus_client import Gauge

from bot.domain.clock import Clock
from bot.outbox.postman import ALARMS, THE_REST, Counts, Postman
from storage.database import Database
from storage.queries import outbox, tokens

log = structlog.get_logger()

EVERY: Final = 1.0  # seconds between two looks into the outbox
WOKEN_APART: Final = 0.1  # seconds between two looks when many want one
TICK_LEASE: Final = timedelta(seconds=30)
ROUNDS: Final = 500  # of `once`: what a delivery causes is delivered too
LOOK_AGAIN: Final = 0.01  # seconds; another process may be holding the last letters for a moment
LAST_LOOK = Gauge("xiaohu_worker_last_look_timestamp", "When the worker last looked into the outbox")

Work = Callable[[sa.Connection, datetime], int]
"""Does what is due at a moment, in one transaction; how much that was."""


Chore = Callable[[], Awaitable[None]]
"""Work of this process alone, outside any transaction."""


@dataclass(frozen=True, slots=True)
class Tick:
    """Something that happens by itself when its time has come."""

    name: str
    work: Work
    every: timedelta = timedelta(seconds=1)
    until_done: bool = False  # goes on at once, in another transaction, while there was something to do


@dataclass(frozen=True, slots=True)
class Summary:
    """What one look at one moment came to."""

    planned: int
    counts: Counts


@dataclass(slots=True)
class Worker:
    """Plans, ticks and delivers. Several may run on one database: every step is a claim or a lease."""

    postman: Postman
    database: Database
    clock: Clock
    machine_clock: Clock
    ticks: Sequence[Tick] = ()
    planners: Sequence[Tick] = ()  # what starts contacts: plans, greetings, broadcasts
    chores: Sequence[Chore] = ()
    watch: Chore | None = None  # runs beside everything, for as long as the worker does
    looked_at: datetime | None = None  # into the outbox, by the machine's clock; None: not started
    _me: str = field(default_factory=lambda: secrets.token_hex(8))
    woken: asyncio.Event = field(default_factory=asyncio.Event)  # set it, and the worker looks at once
    _scheduler: Any = None
    _listener: asyncio.Task[None] | None = None
    _watching: asyncio.Future[None] | None = None
    _at_work: set[asyncio.Task[Any]] = field(default_factory=set)
    _stopping: bool = False
    _lanes: dict[Sequence[int], asyncio.Lock] = field(
        default_factory=lambda: {ALARMS: asyncio.Lock(), THE_REST: asyncio.Lock()}
    )

    def start(self) -> None:
        """Begin to tick, in the running event loop."""
        self._scheduler = AsyncIOScheduler(timezone="UTC")
        options = {"coalesce": True, "misfire_grace_time": None, "max_instances": 1}
        self._scheduler.add_job(self._deliver, "interval", args=(ALARMS,), seconds=EVERY, **options)
        self._scheduler.add_job(self._deliver, "interval", args=(THE_REST,), seconds=EVERY, **options)
        for tick in (*self.ticks, *self.planners):
            seconds = tick.every.total_seconds()
            self._scheduler.add_job(self._tick, "interval", args=(tick,), seconds=seconds, **options)
        for chore in self.chores:
            self._scheduler.add_job(self._chore, "interval", args=(chore,), seconds=EVERY, **options)
        self._scheduler.start()
        self._listener = asyncio.create_task(self._listen())
        if self.watch is not None:
            self._watching = asyncio.ensure_future(self.watch())

    async def stop(self) -> None:
        """Begin nothing more, and wait for what is on its way: a delivery is never broken off in the middle."""
        self._stopping = self.postman.closing = True
        if self._scheduler is None or self._listener is None:
            return
        if self._watching is not None:
            self._watching.cancel()
        self._scheduler.pause()
        self.wake()
        await self._listener
        while self._at_work:
            await asyncio.wait(self._at_work)
        self._scheduler.shutdown(wait=False)  # earlier it would have cancelled what was running
        self._scheduler = None

    def wake(self) -> None:
        """Something may be due: look now, not at the next tick."""
        self.woken.set()

    async def once(self) -> Summary:
        """Plan, tick and deliver everything due at this moment."""
        counts, before = Counts(), await self.database.read(outbox.newest_letter)
        for _ in range(ROUNDS):
            begun = sum([await self._run(planner) for planner in self.planners])
            happened = sum([await self._run(tick) for tick in self.ticks])
            counts += await self.postman.deliver_due()
            if not begun and not happened and not await self.postman.something_due():
                break
            await asyncio.sleep(LOOK_AGAIN)
        else:
            log.error("worker_never_done", rounds=ROUNDS)
        planned = await self.database.read(lambda db: outbox.planned_after(db, before))
        return Summary(planned, counts)

    async def _listen(self) -> None:
        while True:
            await self.woken.wait()
            if self._stopping:
                return
            self.woken.clear()
            await asyncio.gather(self._deliver(ALARMS), self._deliver(THE_REST))
            await asyncio.sleep(WOKEN_APART)

    async def _deliver(self, priorities: Sequence[int]) -> None:
        if self._lanes[priorities].locked():
            return  # at it already, and it goes on until nothing is due
        async with self._lanes[priorities], self._working("delivery"):
            await self.postman.deliver(priorities)
        self.looked_at = self.machine_clock.now()
        LAST_LOOK.set(self.looked_at.timestamp())

    async def _tick(self, tick: Tick) -> None:
        async with self._working(tick.name):
            while await self._run(tick, leased=True):
                self.wake()
                if not tick.until_done or self._stopping:
                    return

    async def _chore(self, chore: Chore) -> None:
        async with self._working("chore"):
            await chore()

    @asynccontextmanager
    async def _working(self, name: str) -> AsyncIterator[None]:
        """What fails now is tried again at the next tick; the clock itself never stops."""
        task = asyncio.current_task()
        assert task is not None
        self._at_work.add(task)
        try:
            yield
        except Exception as error:
            log.error("tick_failed", tick=name, error=type(error).__name__)
        finally:
            self._at_work.discard(task)

    async def _run(self, tick: Tick, *, leased: bool = False) -> int:
        """One tick in one transaction. With a lease, only one of several processes does it."""

        def work(db: sa.Connection) -> int:
            machine_now = self.machine_clock.now()
            if leased and not tokens.take_lease(
                db, f"tick:{tick.name}", self._me, machine_now, machine_now + TICK_LEASE
            ):
                return 0
            return tick.work(db, self.clock.now())

        return await self.database.write(work)
