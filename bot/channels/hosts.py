"""A platform's address, and the one that stands in for it while it cannot be reached."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import structlog

from bot.channels.exchange import NotConnected, ask
from bot.channels.limits import STANDBY, STANDBY_FOR

log = structlog.get_logger()


class Host:
    """Where an account's API is. A call that never connected did nothing, so it may go to the other address."""

    def __init__(self, base_url: str) -> None:
        self._base = base_url.rstrip("/")
        self._standby = STANDBY.get(self._base, "")
        self._away_until = 0.0  # by the event loop's clock

    async def ask(
        self, session: aiohttp.ClientSession, method: str, path: str, **options: Any
    ) -> dict[str, Any]:
        """One call answered with a JSON object. Raises what `ask` raises."""
        if not self._standby:
            return await ask(session, method, self._base + path, **options)
        loop = asyncio.get_running_loop()
        if loop.time() >= self._away_until:
            try:
                return await ask(session, method, self._base + path, **options)
            except NotConnected:
                self._away_until = loop.time() + STANDBY_FOR
                log.warning("platform_standby", host=self._standby)
        return await ask(session, method, self._standby + path, **options)

    @property
    def base(self) -> str:
        """The address to begin with."""
        return self._base
