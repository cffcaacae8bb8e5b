"""Calling a platform's API: one shared session, a base address from the settings, a token, an error table."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any, Protocol

import aiohttp
import msgspec
import structlog
from prometheus_client import Counter, Histogram

from bot.channels.errors import Reaction, reaction
from bot.channels.exchange import OutcomeUnknown as OutcomeUnknown
from bot.channels.exchange import Unreached as Unreached
from bot.channels.exchange import ask as ask
from bot.channels.hosts import Host
from bot.channels.limits import CALLS_AT_ONCE, CONNECT_TIMEOUT, TOTAL_TIMEOUT

log = structlog.get_logger()

CALLS = Counter("xiaohu_api_calls_total", "Calls of the platforms' APIs", ["platform", "path", "code"])
SECONDS = Histogram("xiaohu_api_seconds", "Time a platform took to answer", ["platform"])

RID = re.compile(r"rid: ?([0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8})")
JSON = {"Content-Type": "application/json; charset=utf-8"}


class Refused(Exception):
    """The platform said no. `reaction` is what its code asks us to do."""

    def __init__(self, path: str, code: int, reaction: Reaction, rid: str = "") -> None:
        super().__init__(f"{path}: {code}")
        self.path = path
        self.code = code
        self.reaction = reaction
        self.rid = rid


class TokenKeeper(Protocol):
    """Where the access token comes from."""

    async def get(self) -> str:
        """A token that should work."""
        ...

    async def replace(self, failed: str) -> str:
        """The token to use after *failed* was refused."""
        ...

    async def force(self, failed: str) -> str:
        """The last resort: a token that is new for certain; *failed* itself when that is not allowed now."""
        ...


def open_session() -> aiohttp.ClientSession:
    """The one session of the process. Idle connections are dropped before a server drops them:
    a request on a connection that is just being closed has an unknown outcome."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=10),
        timeout=aiohttp.ClientTimeout(
            total=TOTAL_TIMEOUT, connect=CONNECT_TIMEOUT, sock_connect=CONNECT_TIMEOUT
        ),
    )


class Api:
    """One account's access to one platform."""

    def __init__(
        self,
        name: str,
        base_url: str,
        session: aiohttp.ClientSession,
        reactions: Mapping[int, Reaction],
        tokens: TokenKeeper,
    ) -> None:
        self.name = name
        self.tokens = tokens
        self._host = Host(base_url)
        self._session = session
        self._reactions = reactions
        self._at_once = asyncio.Semaphore(CALLS_AT_ONCE)

    async def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Call an API; its answer.

        A dead token is replaced once, by force the second time.

        Raises:
            Refused: the platform said no.
            Unreached: nothing was done.
            OutcomeUnknown: it may have been done.
        """
        return await self._call("POST", path, msgspec.json.encode(body))

    async def get(self, path: str) -> dict[str, Any]:
        """The same for the few calls that have no body."""
        return await self._call("GET", path, None)

    async def download(self, path: str, most: int, **query: str) -> tuple[str, bytes]:
        """A file the platform keeps: its content type and at most *most* bytes.

        Raises:
            Refused: the platform answered with an error (it keeps media three days).
            Unreached: it was not reached, or the file is larger.
        """
        token = await self.tokens.get()
        try:
            async with self._session.get(
                f"{self._host.base}{path}", params={"access_token": token, **query}
            ) as response:
                content = await response.content.read(most + 1)
                while len(content) <= most and (more := await response.content.read(most + 1 - len(content))):
                    content += more
                kind = response.content_type
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unreached(type(error).__name__) from error
        if len(content) > most:
            raise Unreached("too large")
        if content[:1] == b"{":
            answer = msgspec.json.decode(content, type=dict[str, Any])
            raise self._refusal(path, errcode(answer), answer)
        CALLS.labels(self.name, path, 0).inc()
        return kind, content

    async def _call(self, method: str, path: str, content: bytes | None) -> dict[str, Any]:
        token = await self.tokens.get()
        answer = await self._ask(method, path, token, content)
        for renew in (self.tokens.replace, self.tokens.force):
            if self._reaction(answer) is not Reaction.RENEW_TOKEN:
                break
            fresh = await renew(token)
            if fresh == token:
                continue
            token = fresh
            answer = await self._ask(method, path, token, content)
        code = errcode(answer)
        CALLS.labels(self.name, path, code).inc()
        if code == 0:
            return answer
        raise self._refusal(path, code, answer)

    def _reaction(self, answer: Mapping[str, Any]) -> Reaction:
        return reaction(self._reactions, errcode(answer))

    def _refusal(self, path: str, code: int, answer: Mapping[str, Any]) -> Refused:
        found = RID.search(str(answer.get("errmsg", "")))
        rid = found[1] if found else ""
        wanted = reaction(self._reactions, code)
        report = log.error if wanted is Reaction.PERMANENT else log.warning
        report("platform_refused", platform=self.name, path=path, code=code, rid=rid, reaction=wanted.value)
        return Refused(path, code, wanted, rid)

    async def _ask(self, method: str, path: str, token: str, content: bytes | None) -> dict[str, Any]:
        async with self._at_once:
            with SECONDS.labels(self.name).time():
                return await self._host.ask(
                    self._session,
                    method,
                    path,
                    params={"access_token": token},
                    data=content,
                    headers=JSON,
                )


def errcode(answer: Mapping[str, Any]) -> int:
    """0 when the answer names none: successful ones often do not."""
    code = answer.get("errcode", 0)
    return code if isinstance(code, int) else -1
