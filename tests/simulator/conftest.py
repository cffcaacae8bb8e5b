from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.simulator import AccountConfig, ManualClock, Platform, SimulatorConfig, Template
from tests.simulator.server import Server

START = datetime(2026, 6, 1, 2, 0, tzinfo=UTC)  # a Monday, 10:00 in Beijing

REMINDER = Template(
    id="T-reminder",
    title="就诊提醒",
    content="{{first.DATA}}\n项目：{{thing1.DATA}}\n时间：{{time2.DATA}}\n状态：{{enum3.DATA}}\n{{remark.DATA}}",
    choices={"enum3": ("已预约", "已取消")},
)


@dataclass
class World:
    """A simulated platform, the server it pushes to, and a client of its API."""

    platform: Platform
    server: Server
    clock: ManualClock
    base: str
    client: aiohttp.ClientSession

    async def get(self, path: str, **query: str) -> Any:
        async with self.client.get(f"{self.base}{path}", params=query) as response:
            assert response.status == 200
            return await response.json(content_type=None)

    async def post(self, path: str, body: Any, **query: str) -> Any:
        async with self.client.post(f"{self.base}{path}", json=body, params=query) as response:
            assert response.status == 200
            return await response.json(content_type=None)

    async def token(self) -> str:
        config = self.platform.account().config
        body = {"grant_type": "client_credential", "appid": config.app_id, "secret": config.app_secret}
        answer = await self.post("/api/cgi-bin/stable_token", body)
        return str(answer["access_token"])

    async def call(self, path: str, body: Any) -> Any:
        """POST to the official account's API with a good token."""
        return await self.post(f"/api/cgi-bin/{path}", body, access_token=await self.token())

    async def ask(self, path: str, **query: str) -> Any:
        """GET from the official account's API with a good token."""
        return await self.get(f"/api/cgi-bin/{path}", access_token=await self.token(), **query)

    async def writes(self, openid: str, content: str = "您好") -> Any:
        """A customer-service text."""
        body = {"touser": openid, "msgtype": "text", "text": {"content": content}}
        return await self.call("message/custom/send", body)


NewWorld = Callable[..., Awaitable[World]]


@pytest.fixture
async def new_world() -> AsyncIterator[NewWorld]:
    """Build worlds: `await new_world(mode=Mode.PLAIN, kind=…, simulator={"pushes": 4})`."""
    async with AsyncExitStack() as stack:

        async def build(*, simulator: dict[str, Any] | None = None, **account: Any) -> World:
            account.setdefault("templates", (REMINDER,))
            server = Server(AccountConfig(webhook_url="http://127.0.0.1/", **account))
            app = web.Application()
            app.router.add_route("*", "/wechat", server.handle)
            runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            url = f"http://127.0.0.1:{runner.addresses[0][1]}/wechat"
            server.config = AccountConfig(webhook_url=url, **account)
            options = {"reply_timeout": 0.5, **(simulator or {})}
            clock = ManualClock(START)
            platform = Platform(SimulatorConfig(accounts=(server.config,), **options), clock)
            base = await stack.enter_async_context(platform.serving())
            client = await stack.enter_async_context(aiohttp.ClientSession())
            return World(platform, server, clock, base, client)

        yield build


@pytest.fixture
async def world(new_world: NewWorld) -> World:
    """A verified service account in safe mode."""
    return await new_world()
