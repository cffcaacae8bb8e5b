"""微信客服: the bell rings, we fetch, answer, and remember how far we got."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from weakref import WeakValueDictionary

import structlog

from bot.channels.api import OutcomeUnknown, Refused, Unreached
from bot.channels.kf_api import TOKEN_DEAD, KfApi, inbound_of
from bot.channels.wecom import Bell
from bot.conversation.receive import Reception
from bot.domain.clock import Clock
from bot.domain.inbound import Inbound, Reply
from storage.database import Database
from storage.queries import cursors

log = structlog.get_logger()

RETRY_AFTER = (0.5, 2.0, 8.0)  # seconds; what is not fetched now is fetched at the next bell


@dataclass(slots=True)
class KfDesk:
    """Fetches and answers. One account at a time; whoever rings meanwhile is served in the same round."""

    api: KfApi
    database: Database
    reception: Reception
    clock: Clock
    wake: Callable[[], None]
    _locks: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary)
    _rounds: set[asyncio.Task[None]] = field(default_factory=set)

    def ring(self, bell: Bell) -> None:
        """Answer the bell in the background: the platform wants its 200 now."""
        task = asyncio.create_task(self.fetch(bell))
        self._rounds.add(task)
        task.add_done_callback(self._rounds.discard)

    async def close(self) -> None:
        """Finish the rounds that were begun."""
        await asyncio.gather(*self._rounds, return_exceptions=True)

    async def fetch(self, bell: Bell) -> None:
        """Read to the end; messages that were read before change nothing."""
        lock = self._locks.setdefault(bell.open_kfid, asyncio.Lock())
        async with lock:
            token = bell.token
            for wait in (*RETRY_AFTER, None):
                try:
                    await self._read_on(bell.open_kfid, token)
                    return
                except Refused as refusal:
                    if refusal.code != TOKEN_DEAD:
                        log.error("kf_not_fetched", code=refusal.code)
                        return
                    token = ""
                except (Unreached, OutcomeUnknown) as error:  # reading twice is harmless
                    log.warning("kf_not_fetched", error=type(error).__name__)
                if wait is not None:
                    await asyncio.sleep(wait)

    async def _read_on(self, open_kfid: str, token: str) -> None:
        name, more = f"kf/{open_kfid}", True
        while more:
            cursor = await self.database.read(lambda db: cursors.read(db, name))
            page = await self.api.sync(open_kfid, cursor, token)
            for message in page.messages:
                inbound = inbound_of(open_kfid, message)
                if inbound is not None:
                    await self._receive(inbound)
            await self.database.write(partial(cursors.move, name=name, value=page.cursor))
            more = page.more and page.cursor != cursor

    async def _receive(self, inbound: Inbound) -> None:
        now, welcome_code = self.clock.now(), str(inbound.payload.get("welcome_code", ""))
        greets = inbound.event == "enter_session"
        reply = await self.database.write(lambda db: self.reception.receive(db, inbound, now, owe=not greets))
        if greets and welcome_code and reply:
            await self._welcome(welcome_code, reply)
        self.wake()

    async def _welcome(self, code: str, reply: Reply) -> None:
        try:
            await self.api.welcome(code, reply.text)
        except (Refused, Unreached, OutcomeUnknown) as error:
            log.warning("kf_not_welcomed", error=type(error).__name__)
