"""The console over real HTTP: one invented hospital, a colleague of every role, and patients who write."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import cache
from typing import Any, TypeVar

import aiohttp
import pytest
import sqlalchemy as sa

from bot.console.access import hash_password
from bot.console.permissions import ROLES
from bot.domain.clock import Clock, StoppedClock
from bot.domain.inbound import Inbound
from storage.tables import users
from tests.hospital_folder import bound, open_hospital
from tests.serving import Server, serving, settings

T = TypeVar("T")
PASSWORD = "a long enough passphrase"
COLLEAGUES = {role: f"{title}甲" for role, title in ROLES.items()} | {"nurse2": "护士乙"}


@cache
def hashed() -> str:
    return hash_password(PASSWORD)


class Visitor:
    """Somebody with a browser, signed in or not."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url, self.session = url, session

    async def get(self, path: str, **headers: str) -> tuple[int, str]:
        async with self.session.get(self.url + path, headers=headers, allow_redirects=False) as answer:
            return answer.status, answer.headers.get("Location", "") or await answer.text(errors="replace")

    async def sees(self, path: str) -> str:
        status, text = await self.get(path)
        assert status == 200, f"{path}: {status} {text[:200]}"
        return text

    async def post(self, path: str, **fields: Any) -> tuple[int, str]:
        async with self.session.post(self.url + path, data=fields, allow_redirects=False) as answer:
            return answer.status, answer.headers.get("Location", "") or await answer.text(errors="replace")


class House:
    """A running server and those who use it."""

    def __init__(self, server: Server, clock: Clock, stack: AsyncExitStack) -> None:
        self.server, self.clock, self._stack = server, clock, stack
        self._numbers = itertools.count(1)

    async def visitor(self) -> Visitor:
        session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
        return Visitor(self.server.url, await self._stack.enter_async_context(session))

    async def colleague(self, role: str = "nurse") -> Visitor:
        visitor = await self.visitor()
        status, where = await visitor.post("/console/login", name=COLLEAGUES[role], password=PASSWORD)
        assert status == 303, where
        return visitor

    async def says(self, text: str, openid: str = "oU1", type: str = "text") -> str:
        inbound = Inbound(
            account="wechat/default",
            openid=openid,
            key=f"{next(self._numbers)}",
            type=type,
            written_at=self.clock.now(),
            text=text,
        )
        return (await self.server.house.answering.answer(inbound)).text

    def passes(self, **span: float) -> None:
        assert isinstance(self.clock, StoppedClock)
        self.clock.moment += timedelta(**span)

    async def asks(self, query: Callable[[sa.Connection], T]) -> T:
        return await self.server.house.database.read(query)

    async def does(self, query: Callable[[sa.Connection], T]) -> T:
        return await self.server.house.database.write(query)


def hire(db: sa.Connection, clock: Clock) -> None:
    """A colleague of every role, and a second nurse."""
    db.execute(
        users.insert(),
        [
            {"name": name, "role": role.rstrip("2"), "password_hash": hashed(), "created_at": clock.now()}
            for role, name in COLLEAGUES.items()
        ],
    )


@pytest.fixture
async def house(database_url: str, clock: StoppedClock) -> AsyncIterator[House]:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(serving(settings(database_url), clock))
        await server.house.database.write(open_hospital)
        await server.house.database.write(bound("oU1", "P01"))
        await server.house.database.write(lambda db: hire(db, clock))
        yield House(server, clock, stack)
