"""The SMS port: text messages and voice calls leave through a file or an address of the hospital's gateway."""

from __future__ import annotations

import asyncio
import os
import threading
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol
from urllib.parse import unquote, urlsplit

import aiohttp
import msgspec

from bot.channels.api import JSON, Refused
from bot.channels.errors import Reaction
from bot.channels.exchange import NOT_DONE, OutcomeUnknown, Unreached

Kind = Literal["code", "notice", "alarm", "voice"]


class Sms(msgspec.Struct, frozen=True):
    """One message or call. `id` stays the same when it has to be handed over again."""

    id: str
    at: datetime
    to: str
    kind: Kind
    text: str


class SmsPort(Protocol):
    """Where text messages and voice calls go."""

    async def send(self, sms: Sms) -> None:
        """Hand one over.

        Raises:
            Unreached: it was not taken; trying again is safe.
            OutcomeUnknown: it may have been taken.
            Refused: the gateway will never take this one.
        """
        ...


def open_sms(url: str, session: aiohttp.ClientSession) -> SmsPort | None:
    """The port behind XIAOHU_SMS__URL; None when there is none."""
    if not url:
        return None
    parts = urlsplit(url)
    if parts.scheme == "file":
        return SmsFile(Path(unquote(parts.path)))
    return SmsGateway(url, session)


class SmsFile:
    """Appends a JSON line a message; on the disk when `send` returns."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    async def send(self, sms: Sms) -> None:
        line = msgspec.json.encode(sms) + b"\n"
        try:
            await asyncio.to_thread(self._append, line)
        except OSError as error:
            raise Unreached(type(error).__name__) from error

    def _append(self, line: bytes) -> None:
        with self._lock:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # One write to a file opened for appending: lines of several processes never mix.
            with self._path.open("ab", buffering=0) as file:
                file.write(line)
                os.fsync(file.fileno())


class SmsGateway:
    """POSTs the same JSON; any 2xx means accepted."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self._url = url
        self._session = session

    async def send(self, sms: Sms) -> None:
        try:
            async with self._session.post(
                self._url, data=msgspec.json.encode(sms), headers=JSON, allow_redirects=False
            ) as response:
                status = response.status
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise Unreached(type(error).__name__) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise OutcomeUnknown(type(error).__name__) from error
        if 200 <= status < 300:
            return
        if status in NOT_DONE:
            raise Unreached(f"HTTP {status}")
        if status >= 500:
            raise OutcomeUnknown(f"HTTP {status}")
        raise Refused("sms", status, Reaction.PERMANENT)
