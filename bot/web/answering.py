"""From a verified push to an answer in time: never lost, never late, never twice."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakValueDictionary

import structlog
from prometheus_client import Counter, Histogram

from bot.domain.inbound import Inbound, Reply
from bot.web.spool import Kept, Spool
from storage.outages import is_away

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

log = structlog.get_logger()
T = TypeVar("T")

BUDGET = 4.0  # seconds; the platform hangs up after 5 (platform.md §1.5)

RECEIVED = Counter("xiaohu_inbound_total", "Messages and events received", ["account", "type"])
REFUSED = Counter("xiaohu_refused_total", "Webhook calls refused", ["reason"])
SPOOLED = Counter("xiaohu_spooled_total", "Messages kept on the spool because the database was slow or away")
REPLAYED = Counter("xiaohu_replayed_total", "Messages taken from the spool", ["result"])
SECONDS = Histogram(
    "xiaohu_answer_seconds",
    "From a verified push to its answer",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 4),
)

Receive = Callable[[Inbound], Awaitable[Reply]]
ReceiveLate = Callable[[Inbound, str], Awaitable[None]]
"""Receives a message whose passive reply was forfeited; the second argument is what was read in its place."""


class Turnstile:
    """One patient, one message at a time; different patients never wait for each other.

    Inside one process it keeps the order of arrival; between processes the row lock does the rest.
    """

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def one_at_a_time(self, account: str, openid: str) -> AsyncIterator[None]:
        lock = self._locks.setdefault((account, openid), asyncio.Lock())
        async with lock:
            yield


class Answering:
    """Answers a push within the platform's patience, whatever the database does."""

    def __init__(
        self,
        receive: Receive,
        receive_late: ReceiveLate,
        spool: Spool,
        alarm_words: Callable[[str], str],
        ring: Callable[[str], Coroutine[Any, Any, None]],
        budget: float = BUDGET,
    ) -> None:
        self._receive = receive
        self._receive_late = receive_late
        self._spool = spool
        self._alarm_words = alarm_words  # what a patient in danger reads when nothing else works
        self._ring = ring  # and how the nurses hear of it
        self.budget = budget
        self._turnstile = Turnstile()
        self._running: set[asyncio.Task[Any]] = set()
        self._spooled: set[tuple[str, str]] = set()
        self._read: set[tuple[str, str]] = (
            set()
        )  # spooled, but answered in time when the platform asked again

    async def answer(self, inbound: Inbound) -> Reply:
        """The passive reply; empty when the answer will follow as a message of its own."""
        RECEIVED.labels(inbound.account, inbound.type if inbound.is_event else "message").inc()
        task = self._begin(self._one_at_a_time(inbound))
        with SECONDS.time():
            try:
                reply = await asyncio.wait_for(asyncio.shield(task), self.budget)
            except Exception as error:
                log.error("answer_late", error=type(error).__name__, account=inbound.account)
            else:
                if _name(inbound) in self._spooled:
                    self._read.add(_name(inbound))
                return reply
        SPOOLED.inc()
        said = self._alarm_words(inbound.words)
        self._spooled.add(_name(inbound))
        if said:
            self._begin(self._ring(inbound.key))
        await asyncio.to_thread(self._spool.keep, Kept(inbound, said))
        return Reply(text=said)

    async def replay(self) -> None:
        """Take what is on the spool to the database, in the order it came, until it is empty or fails again."""
        with self._spool.turn() as ours:
            if not ours:
                return
            for kept in await asyncio.to_thread(self._spool.waiting):
                if kept is not None and not await self._received(kept):
                    return
                await asyncio.to_thread(self._spool.done, 1)

    async def _received(self, kept: Kept) -> bool:
        """Whether this line of the spool is dealt with."""
        inbound = kept.inbound
        try:
            async with self._turnstile.one_at_a_time(inbound.account, inbound.openid):
                if _name(inbound) in self._read:
                    await self._receive(inbound)
                else:
                    await self._receive_late(inbound, kept.said)
        except Exception as error:
            if is_away(error):
                return False
            # It will fail again for ever: the others must not wait behind it.
            log.error("replay_failed", error=type(error).__name__)
            await asyncio.to_thread(self._spool.set_aside, kept)
            REPLAYED.labels("set_aside").inc()
            return True
        self._spooled.discard(_name(inbound))
        self._read.discard(_name(inbound))
        REPLAYED.labels("received").inc()
        return True

    async def _one_at_a_time(self, inbound: Inbound) -> Reply:
        async with self._turnstile.one_at_a_time(inbound.account, inbound.openid):
            return await self._receive(inbound)

    def _begin(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Something that goes on although nobody waits for it any more."""
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("answer_failed", error=type(task.exception()).__name__)


def _name(inbound: Inbound) -> tuple[str, str]:
    return inbound.account, inbound.key
