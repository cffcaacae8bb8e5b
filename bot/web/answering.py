"""From a verified push to an answer in time: never lost, never late, never twice."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

import structlog
from prometheus_client import Counter, Histogram

from bot.domain.inbound import Inbound, Reply

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.web.spool import Spool

log = structlog.get_logger()

BUDGET = 4.0  # seconds; the platform hangs up after 5 (platform.md §1.5)

RECEIVED = Counter("xiaohu_inbound_total", "Messages and events received", ["account", "type"])
REFUSED = Counter("xiaohu_refused_total", "Webhook calls refused", ["reason"])
SPOOLED = Counter("xiaohu_spooled_total", "Messages kept on the spool because the database was slow or away")
SECONDS = Histogram(
    "xiaohu_answer_seconds",
    "From a verified push to its answer",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 4),
)

Receive = Callable[[Inbound], Awaitable[Reply]]


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
        self, receive: Receive, spool: Spool, alarm_words: Callable[[str], str], budget: float = BUDGET
    ) -> None:
        self._receive = receive
        self._spool = spool
        self._alarm_words = alarm_words  # what a patient in danger reads when nothing else works
        self._budget = budget
        self._turnstile = Turnstile()
        self._running: set[asyncio.Task[Reply]] = set()

    async def answer(self, inbound: Inbound) -> Reply:
        """The passive reply; empty when the answer will follow as a message of its own."""
        RECEIVED.labels(inbound.account, inbound.type if inbound.is_event else "message").inc()
        task = asyncio.create_task(self._one_at_a_time(inbound))
        self._running.add(task)
        task.add_done_callback(self._finished)
        with SECONDS.time():
            try:
                return await asyncio.wait_for(asyncio.shield(task), self._budget)
            except Exception as error:
                log.error("answer_late", error=type(error).__name__, account=inbound.account)
        SPOOLED.inc()
        await asyncio.to_thread(self._spool.keep, inbound)
        return Reply(text=self._alarm_words(inbound.text))

    async def _one_at_a_time(self, inbound: Inbound) -> Reply:
        async with self._turnstile.one_at_a_time(inbound.account, inbound.openid):
            return await self._receive(inbound)

    def _finished(self, task: asyncio.Task[Reply]) -> None:
        self._running.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("answer_failed", error=type(task.exception()).__name__)
