"""What changed, told to every open page: the page asks again for the part it shows, so nothing is lost or doubled."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import sqlalchemy as sa
import structlog
from aiohttp import web

from bot.web.health import DATABASE
from storage.database import Database
from storage.queries import desk

log = structlog.get_logger()

LOOK_EVERY = 0.5  # seconds between two looks at the database while somebody watches
HEARTBEAT = 15.0  # seconds; proxies close silent connections


class Feed:
    """A number that grows whenever something a nurse sees has changed, in this process or another."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._changed = asyncio.Condition()
        self._watchers = 0
        self.state = ""

    async def look(self) -> None:
        """Wake everybody when the rows are not as they were."""
        state = await self._database.read(desk.fingerprint)
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
    seen = request.headers.get("Last-Event-ID", "")
    with contextlib.suppress(ConnectionResetError):
        async for state in request.app[FEED].changes(seen):
            line = f"id: {state}\nevent: changed\ndata: {state}\n\n" if state else ": still here\n\n"
            await response.write(line.encode())
    return response


async def run_feed(app: web.Application) -> AsyncIterator[None]:
    """For `app.cleanup_ctx`: the feed lives as long as the server."""
    app[FEED] = feed = Feed(app[DATABASE])
    task = asyncio.create_task(feed.run())
    yield
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
