from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import pytest

from bot.simulator import AccountConfig, ManualClock, Platform, SimulatorConfig, WecomConfig
from tests.simulator.demo import Demo, running_demo
from tests.simulator.server import Server, WecomServer, serve
from tests.simulator.world import DESK, REMINDER, STAFF, START, NewWorld, World


@pytest.fixture
async def new_world() -> AsyncIterator[NewWorld]:
    """Build worlds: `await new_world(mode=Mode.PLAIN, kind=…, simulator={"pushes": 4})`."""
    async with AsyncExitStack() as stack:

        async def build(
            *, simulator: dict[str, Any] | None = None, wecom: dict[str, Any] | None = None, **account: Any
        ) -> World:
            account.setdefault("templates", (REMINDER,))
            server = Server(AccountConfig(webhook_url="", **account))
            wecom_server = WecomServer(WecomConfig(webhook_url=""))
            home = await serve(stack, server, wecom_server)
            server.config = AccountConfig(webhook_url=f"{home}/wechat", **account)
            corporation = {"members": STAFF, "kf_accounts": (DESK,), **(wecom or {})}
            wecom_server.config = WecomConfig(webhook_url=f"{home}/wecom", **corporation)
            options = {"reply_timeout": 0.5, "wecom": wecom_server.config, **(simulator or {})}
            clock = ManualClock(START)
            platform = Platform(SimulatorConfig(accounts=(server.config,), **options), clock)
            base = await stack.enter_async_context(platform.serving())
            client = await stack.enter_async_context(aiohttp.ClientSession())
            return World(platform, server, clock, base, client, wecom_server)

        yield build


@pytest.fixture
async def world(new_world: NewWorld) -> World:
    """A verified service account in safe mode."""
    return await new_world()


@pytest.fixture
async def demo() -> AsyncIterator[Demo]:
    async with running_demo() as demo:
        yield demo
