"""Carrying pushes to the server under test: the five-second rule, and the same push three times in all.

Source: developers.weixin.qq.com, 接收普通消息: a server that does not answer within five seconds is cut off
and asked again; a reply that comes too late is thrown away; a malformed one is shown as a failure at once.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime

import aiohttp

from bot.simulator.clock import Clock
from bot.simulator.envelope import Envelope, Sealed
from bot.simulator.wire import NOTHING, BadReply, Field, Reply

REMEMBERED = 500
HEADERS = {"Content-Type": "text/xml", "User-Agent": "Mozilla/4.0"}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One HTTP request: *status* is None when no answer came in time; *seconds* are real ones."""

    sealed: Sealed
    status: int | None
    body: bytes
    seconds: float
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """The whole life of one push."""

    at: datetime
    sender: str
    push: list[Field]
    attempts: tuple[Attempt, ...]
    reply: Reply


Reader = Callable[[bytes], Reply]


class Webhook:
    """One configured callback URL.

    *pushes* and *reply_timeout* (seconds) may be changed at any time; *copies* above one sends every
    push as often at once, as the platform does on a bad day.
    """

    def __init__(
        self,
        url: str,
        envelope: Envelope,
        clock: Clock,
        session: Callable[[], aiohttp.ClientSession],
        *,
        reply_timeout: float,
        pushes: int,
    ) -> None:
        self.url = url
        self.envelope = envelope
        self.reply_timeout = reply_timeout
        self.pushes = pushes
        self.copies = 1
        self.deliveries: deque[Delivery] = deque(maxlen=REMEMBERED)
        self._clock = clock
        self._session = session

    async def deliver(self, push: list[Field], sender: str, read: Reader) -> Reply:
        """Push until the server answers, and return what it said.

        *read* turns the decrypted XML into a reply and raises BadReply. Of several copies the first
        answer with words counts.
        """
        if self.copies == 1:
            return await self._deliver_once(push, sender, read)
        replies = await asyncio.gather(*(self._deliver_once(push, sender, read) for _ in range(self.copies)))
        return next((reply for reply in replies if reply.kind != "none"), replies[0])

    async def _deliver_once(self, push: list[Field], sender: str, read: Reader) -> Reply:
        at = self._clock.now()
        attempts: list[Attempt] = []
        reply = Reply("failure")
        while len(attempts) < self.pushes:
            sealed = self.envelope.seal(push, sender, int(self._clock.now().timestamp()))
            attempt = await self._attempt(sealed)
            attempts.append(attempt)
            reply = Reply("failure", raw=attempt.body, failure=attempt.problem)
            if attempt.status == 200:
                reply = self._read(attempt.body, read)
                break
        reply = replace(reply, attempts=len(attempts))
        self.deliveries.append(Delivery(at, sender, push, tuple(attempts), reply))
        return reply

    async def post(self, sealed: Sealed) -> Attempt:
        """Send one request as it is, once: for pushes that a sound platform would never make."""
        return await self._attempt(sealed)

    async def get(self, query: dict[str, str], within: float) -> Attempt:
        """One URL verification request, answered within so many seconds or not at all."""
        return await self._timed(Sealed(query, b""), lambda: self._get(query), within)

    async def _attempt(self, sealed: Sealed) -> Attempt:
        return await self._timed(sealed, lambda: self._post(sealed), self.reply_timeout)

    async def _timed(
        self, sealed: Sealed, ask: Callable[[], Awaitable[tuple[int, bytes]]], within: float
    ) -> Attempt:
        began = time.monotonic()
        try:
            async with asyncio.timeout(within):
                status, body = await ask()
        except TimeoutError:
            return Attempt(sealed, None, b"", time.monotonic() - began, f"no answer within {within} s")
        except aiohttp.ClientError as error:
            return Attempt(sealed, None, b"", time.monotonic() - began, f"connection failed: {error}")
        problem = "" if status == 200 else f"HTTP {status}"
        return Attempt(sealed, status, body, time.monotonic() - began, problem)

    async def _post(self, sealed: Sealed) -> tuple[int, bytes]:
        request = self._session().post(
            self.url, params=sealed.query, data=sealed.body, headers=HEADERS, allow_redirects=False
        )
        async with request as response:
            return response.status, await response.read()

    async def _get(self, query: dict[str, str]) -> tuple[int, bytes]:
        async with self._session().get(self.url, params=query, allow_redirects=False) as response:
            return response.status, await response.read()

    def _read(self, body: bytes, read: Reader) -> Reply:
        try:
            opened = self.envelope.open(body)
            return NOTHING if opened is None else read(opened)
        except BadReply as problem:
            return Reply("failure", raw=body, failure=str(problem))
