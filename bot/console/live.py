"""What changed, told to every open page: the page asks again for the part it shows, so nothing is lost or doubled."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from functools import partial

import sqlalchemy as sa
import structlog
from aiohttp import web

from bot.console.inbox import finding
from bot.console.inbox.handing import hand_back_due
from bot.console.people import STAFF
from bot.console.services import RECEPTION
from bot.web.health import DATABASE
from bot.web.webhooks import CLOCK
from storage.database import Database
from storage.queries import audit, broadcast_desk, console_admin, console_handover, desk, staff
from storage.queries import console_inbox as inbox_rows

log = structlog.get_logger()

LOOK_EVERY = 0.5  # seconds between two looks at the database while somebody watches
HEARTBEAT = 15.0  # seconds; proxies close silent connections
DUTY_EVERY = 60.0  # seconds between two looks for conversations whose colleague went home
NEXT_SHIFT = timedelta(hours=12)  # what is due until then is somebody else's
GONE = timedelta(minutes=15)  # after the shift, and since the last thing they did
INDEX_EVERY = 2.0  # seconds between two looks for messages that cannot be found by their words yet


def _fingerprint(db: sa.Connection) -> str:
    return f"{desk.fingerprint(db)}_{broadcast_desk.fingerprint(db)}"


class Feed:
    """A number that grows whenever something a nurse sees has changed, in this process or another."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._changed = asyncio.Condition()
        self._watchers = 0
        self.state = ""

    async def look(self) -> None:
        """Wake everybody when the rows are not as they were."""
        state = await self._database.read(_fingerprint)
        if state != self.state:
            async with self._changed:
                self.state = state
                self._changed.notify_all()

    async def run(self) -> None:
        """Look again and again, while somebody watches."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            if self._watchers:
                try:
                    await self.look()
                except (sa.exc.SQLAlchemyError, OSError) as error:
                    log.warning("feed_blind", error=type(error).__name__)

    async def changes(self, seen: str) -> AsyncIterator[str]:
        """Every state after `seen`; an empty text as a heartbeat."""
        self._watchers += 1
        try:
            while True:
                async with self._changed:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(HEARTBEAT):
                            while self.state == seen:
                                await self._changed.wait()
                yield "" if self.state == seen else self.state
                seen = self.state
        finally:
            self._watchers -= 1


FEED = web.AppKey("feed", Feed)
routes = web.RouteTableDef()


@routes.get("/console/events")
async def events(request: web.Request) -> web.StreamResponse:
    """Server-sent events: `changed` with the new state. A reconnecting page says what it saw last."""
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/event-stream",
            "Cache-Control": "no-store",
            "X-Accel-Buffering": "no",
        }
    )
    await response.prepare(request)
    seen, session = request.headers.get("Last-Event-ID", ""), request[STAFF].session
    with contextlib.suppress(ConnectionResetError):
        async for state in request.app[FEED].changes(seen):
            if await request.app[DATABASE].read(lambda db: staff.session(db, session)) is None:
                break  # signed out, here or by somebody else
            line = f"id: {state}\nevent: changed\ndata: {state}\n\n" if state else ": still here\n\n"
            await response.write(line.encode())
    return response


async def run_feed(app: web.Application) -> AsyncIterator[None]:
    """For `app.cleanup_ctx`: the feed lives as long as the server."""
    app[FEED] = feed = Feed(app[DATABASE])
    tasks = [asyncio.create_task(work) for work in (feed.run(), _index(app), _hand_over(app))]
    yield
    for task in tasks:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _index(app: web.Application) -> None:
    """Make new messages findable. With several processes one of them does a batch at a time."""
    database, clock = app[DATABASE], app[CLOCK]
    while True:
        await asyncio.sleep(INDEX_EVERY)
        try:
            # A look that changes nothing: an idle house writes nothing.
            while await database.read(lambda db: finding.waits(db, clock.now())):
                await database.write(lambda db: finding.index(db, clock.now()))
        except (sa.exc.SQLAlchemyError, OSError) as error:
            log.warning("search_index_waits", error=type(error).__name__)


def requeue_orphans(db: sa.Connection, now: datetime) -> int:
    """What a colleague who went off duty still had waits for another; how many there were."""
    total = 0
    for name in console_admin.off_duty(db, now, now - GONE):
        total += console_handover.went_home(db, name, now, now + NEXT_SHIFT)
        audit.append(db, "system", "requeue", name, "off duty", now)
    return total


async def _hand_over(app: web.Application) -> None:
    while True:
        await asyncio.sleep(DUTY_EVERY)
        now = app[CLOCK].now()
        try:
            if await app[DATABASE].read(partial(console_admin.off_duty, now=now, since=now - GONE)):
                await app[DATABASE].write(partial(requeue_orphans, now=now))
            if await app[DATABASE].read(partial(inbox_rows.watched_until, now=now)):
                wording = app[RECEPTION].wording
                await app[DATABASE].write(partial(hand_back_due, now=now, wording=wording))
        except (sa.exc.SQLAlchemyError, OSError) as error:
            log.warning("hand_over_waits", error=type(error).__name__)
