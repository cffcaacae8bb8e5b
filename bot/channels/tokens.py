"""Access tokens: fetched once, shared by every process through the database, renewed before they end."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bot.channels.api import OutcomeUnknown, Refused, Unreached
from bot.channels.limits import FORCED_REFRESH_APART, TOKEN_RENEWED_BEFORE
from bot.domain.clock import Clock
from storage.database import Database
from storage.queries import tokens

REFRESH_LASTS: Final = timedelta(seconds=15)  # one fetch at most; then another process may try
LOOK_AGAIN: Final = 0.05  # seconds between two looks whether the other process has the token
LOOKS: Final = 300


@dataclass(frozen=True, slots=True)
class Fetched:
    """A token as the platform gave it."""

    token: str
    lasts: timedelta


Fetch = Callable[[bool], Awaitable[Fetched]]
"""Asks the platform for a token; True: a new one by force. Raises what `api.ask` raises, and Refused."""


@dataclass(frozen=True, slots=True)
class _Known:
    token: str
    expires_at: datetime


class Tokens:
    """One account's token. However many ask at once, in however many processes, one of them fetches.

    *clock* must be the real one: the platform does not know ours.
    """

    def __init__(self, name: str, database: Database, clock: Clock, fetch: Fetch) -> None:
        self._name = name
        self._database = database
        self._clock = clock
        self._fetch = fetch
        self._me = secrets.token_hex(8)
        self._known: _Known | None = None
        self._dead = ""  # the platform gave it to us again although it had refused it
        self._lock = asyncio.Lock()

    async def get(self) -> str:
        """A token with more than five minutes to live, or that the platform will renew by itself.

        Raises:
            Unreached: the platform does not answer.
            Refused: the credentials are wrong.
        """
        if (known := self._fresh(self._known)) is not None:
            return known.token
        return await self._obtain("")

    async def replace(self, failed: str) -> str:
        """Drop *failed*, unless somebody has dropped it already, and fetch once.

        A platform that hands out the refused token again is asked for a new one by force.
        """
        token = await self._obtain(failed)
        return await self.force(failed) if token == failed else token

    async def force(self, failed: str) -> str:
        """A new token for certain; *failed* itself within 30 seconds of the last time."""
        return await self._obtain(failed, force=True)

    async def _obtain(self, failed: str, *, force: bool = False) -> str:
        async with self._lock:
            for _ in range(LOOKS):
                if (known := await self._shared(failed)) is not None:
                    self._known = known
                    return known.token
                if not force and failed and failed == self._dead:
                    return failed
                if await self._may_fetch():
                    if (known := await self._shared(failed)) is not None:  # fetched between our two looks
                        await self._give_up()
                        self._known = known
                        return known.token
                    return await self._fetch_and_share(failed, force=force)
                await asyncio.sleep(LOOK_AGAIN)
        raise Unreached(f"{self._name}: another process has been fetching the token for too long")

    async def _shared(self, failed: str) -> _Known | None:
        """What this or another process fetched in the meantime."""
        row = await self._database.read(lambda db: tokens.kept(db, self._name))
        if row is None or not row.token or row.token == failed:
            return None
        return self._fresh(_Known(row.token, row.expires_at))

    async def _may_fetch(self) -> bool:
        now = self._clock.now()
        return await self._database.write(
            lambda db: tokens.begin_refresh(db, self._name, self._me, now, now + REFRESH_LASTS)
        )

    async def _fetch_and_share(self, failed: str, *, force: bool) -> str:
        now = self._clock.now()
        try:
            if force and not await self._may_force(now):
                await self._give_up()
                return failed
            fetched = await self._fetch(force)
        except OutcomeUnknown as error:
            await self._give_up()
            raise Unreached(str(error)) from error  # a token fetched in vain harms nobody
        except (Refused, Unreached):
            await self._give_up()
            raise
        self._dead = fetched.token if fetched.token == failed else ""
        expires_at = now + fetched.lasts
        self._known = _Known(fetched.token, expires_at)
        await self._database.write(lambda db: tokens.keep(db, self._name, fetched.token, expires_at))
        return fetched.token

    async def _give_up(self) -> None:
        await self._database.write(lambda db: tokens.give_up_refresh(db, self._name, self._me))

    async def _may_force(self, now: datetime) -> bool:
        until = now + FORCED_REFRESH_APART
        holder = secrets.token_hex(8)  # never the last one's: a force is never renewed
        return await self._database.write(
            lambda db: tokens.take_lease(db, f"force:{self._name}", holder, now, until)
        )

    def _fresh(self, known: _Known | None) -> _Known | None:
        if known is None or known.expires_at - self._clock.now() <= TOKEN_RENEWED_BEFORE:
            return None
        return known
