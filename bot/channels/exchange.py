"""One HTTP call to a platform, and what is known of it when it fails."""

from __future__ import annotations

from typing import Any

import aiohttp
import msgspec

NOT_DONE = frozenset({408, 413, 429, 500, 502, 503})  # the front door answered: the API behind it did not act


class Unreached(Exception):
    """The platform was not reached, or said that it did nothing. Trying again is safe."""


class NotConnected(Unreached):
    """There was not even a connection."""


class OutcomeUnknown(Exception):
    """Asked, but not answered: it may have been done. Trying again may do it twice."""


async def ask(session: aiohttp.ClientSession, method: str, url: str, **options: Any) -> dict[str, Any]:
    """One HTTP call answered with a JSON object, whatever content type it claims to be.

    Raises:
        Unreached: no connection, or the front door turned us away.
        OutcomeUnknown: it broke off, timed out, or was answered with something that is no JSON object.
    """
    try:
        async with session.request(method, url, **options) as response:
            content = await response.read()
            status = response.status
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        raise NotConnected(type(error).__name__) from error
    except aiohttp.InvalidURL as error:
        raise Unreached(type(error).__name__) from error
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise OutcomeUnknown(type(error).__name__) from error
    if status in NOT_DONE:
        raise Unreached(f"HTTP {status}")
    try:
        return msgspec.json.decode(content, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise OutcomeUnknown(f"HTTP {status}, no JSON") from error
