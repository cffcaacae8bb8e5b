"""The real server and the simulated platform, facing each other over HTTP, on one clock that stands still."""

from __future__ import annotations

import json
import socket
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from bot.domain.clock import StoppedClock
from bot.domain.letter import Letter, Purpose
from bot.outbox import letters as outbox
from bot.outbox.postman import Counts, Postman
from bot.simulator import (
    AccountConfig,
    KfAccount,
    Member,
    Platform,
    SimulatorConfig,
    Template,
    User,
    WecomConfig,
)
from storage.queries import conversations
from storage.rows import Row
from storage.tables import contacts, letters, messages, tasks
from tests.serving import AES_KEY, APP_ID, TOKEN, Server, serving, settings

T = TypeVar("T")

REMINDER = Template(
    id="T-care",
    title="就诊提醒",
    content="项目：{{thing1.DATA}}\n时间：{{time2.DATA}}\n备注：{{thing3.DATA}}",
)
FIELDS = {"thing1": "subject", "time2": "when", "thing3": "note"}


@dataclass
class Post:
    """Everything a test of the postman touches."""

    server: Server
    platform: Platform
    clock: StoppedClock

    @property
    def postman(self) -> Postman:
        return self.server.house.worker.postman

    async def asks(self, query: Callable[[sa.Connection], T]) -> T:
        return await self.server.house.database.read(query)

    async def does(self, query: Callable[[sa.Connection], T]) -> T:
        return await self.server.house.database.write(query)

    def passes(self, **span: float) -> None:
        self.clock.moment += timedelta(**span)

    async def follower(self, openid: str = "oPatient", **options: Any) -> User:
        """Somebody who has followed for long and never wrote."""
        user = self.platform.follow(openid, **options)
        await self.contact(openid)
        return user

    async def contact(self, openid: str, account: str = "wechat/default") -> int:
        now = self.clock.now()
        row = await self.does(lambda db: conversations.open_thread(db, account, openid, now))
        number: int = row.id
        return number

    async def owes(
        self, openid: str = "oPatient", text: str = "明天请按时复诊。", key: str = "", **fields: Any
    ) -> int:
        """Put a letter to somebody in the outbox; its number."""
        row = await self.asks(
            lambda db: db.execute(sa.select(contacts).where(contacts.c.openid == openid)).one()
        )
        return await self.puts(contact_id=row.id, text=text, key=key, **fields)

    async def puts(self, text: str = "明天请按时复诊。", key: str = "", **fields: Any) -> int:
        fields = {"purpose": Purpose.TRANSACTION, "not_before": self.clock.now(), **fields}
        letter = Letter(key=key or f"test:{text}", text=text, **fields)
        now = self.clock.now()
        number = await self.does(lambda db: outbox.put(db, letter, now))
        assert number is not None
        return number

    async def delivers(self) -> Counts:
        return await self.postman.deliver_due()

    async def letter(self, number: int) -> Row:
        return await self.asks(lambda db: db.execute(sa.select(letters).where(letters.c.id == number)).one())

    async def sent(self, openid: str = "oPatient") -> list[Row]:
        """What the thread says went out by itself, passive replies left out."""
        return list(
            await self.asks(
                lambda db: db.execute(
                    sa.select(messages)
                    .join(contacts, contacts.c.id == messages.c.contact_id)
                    .where(
                        contacts.c.openid == openid,
                        messages.c.dir == "out",
                        messages.c.channel != "passive",
                    )
                    .order_by(messages.c.id)
                ).all()
            )
        )

    async def tasks(self) -> list[Row]:
        return list(await self.asks(lambda db: db.execute(sa.select(tasks).order_by(tasks.c.id)).all()))

    def calls(self, path: str) -> int:
        return len(self.platform.calls.to(path))


@asynccontextmanager
async def away(url: str) -> AsyncIterator[None]:
    """SQLite: another process holds on to it. PostgreSQL: it takes no connections and drops those it has."""
    if url.startswith("sqlite"):
        holder = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        yield
        holder.execute("ROLLBACK")
        holder.close()
        return
    name = make_url(url).database
    server = make_url(url).set(database="postgres").render_as_string(hide_password=False)
    with psycopg.connect(server, autocommit=True) as manager:
        manager.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        manager.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        yield
        manager.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Street:
    """Builds posts: `await street.opens(sms=False)`."""

    def __init__(self, stack: AsyncExitStack, database_url: str, clock: StoppedClock) -> None:
        self._stack = stack
        self._database_url = database_url
        self._clock = clock

    async def opens(self, *, templates: bool = True, sms: bool = True, **environment: str) -> Post:
        port = free_port()
        base = f"http://127.0.0.1:{port}"
        wecom = WecomConfig(
            webhook_url="",
            members=(
                Member(userid="nurse1", name="张护士", mobile="13900000001"),
                Member(userid="nurse2", name="李护士", mobile="13900000002"),
            ),
            kf_accounts=(KfAccount(open_kfid="wkDesk", name="护理咨询"),),
        )
        values = {
            "XIAOHU_WECHAT__API_BASE": f"{base}/api",
            "XIAOHU_WECOM__CORP_ID": wecom.corp_id,
            "XIAOHU_WECOM__AGENT_ID": str(wecom.agent_id),
            "XIAOHU_WECOM__SECRET": wecom.secret,
            "XIAOHU_WECOM__TOKEN": wecom.token,
            "XIAOHU_WECOM__AES_KEY": wecom.aes_key,
            "XIAOHU_WECOM__API_BASE": f"{base}/qyapi",
            "XIAOHU_WECOM__KF_SECRET": wecom.kf_secret,
            "XIAOHU_SMS__URL": f"{base}/sms" if sms else "",
        }
        if templates:
            known = {
                purpose: {"id": "T-care", "title": "就诊提醒", "fields": FIELDS}
                for purpose in ("care", "transaction")
            }
            values["XIAOHU_WECHAT__TEMPLATES"] = json.dumps(known)
        server = await self._stack.enter_async_context(
            serving(settings(self._database_url, **{**values, **environment}), self._clock)
        )
        account = AccountConfig(
            webhook_url=f"{server.url}/wechat",
            app_id=APP_ID,
            app_secret="secret",
            token=TOKEN,
            aes_key=AES_KEY,
            templates=(REMINDER,),
        )
        wecom = replace(wecom, webhook_url=f"{server.url}/wecom")
        platform = Platform(SimulatorConfig(accounts=(account,), wecom=wecom, reply_timeout=5.0), self._clock)
        await self._stack.enter_async_context(platform.serving(port=port))
        return Post(server, platform, self._clock)


@pytest.fixture
async def street(database_url: str, clock: StoppedClock) -> AsyncIterator[Street]:
    async with AsyncExitStack() as stack:
        yield Street(stack, database_url, clock)


@pytest.fixture
async def post(street: Street) -> Post:
    """A hospital with an official account, a template, WeCom and SMS."""
    return await street.opens()


def at(hour: int, minute: int = 0) -> datetime:
    """That time of the tests' Wednesday in Shanghai."""
    from tests.chat import ZONE

    return datetime(2026, 11, 18, hour, minute, tzinfo=ZONE)
