"""What `xiaohu demo` puts together, with a little server in the place of the real one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import web

from bot.simulator import (
    PLATFORM,
    AccountConfig,
    CustomerConfig,
    ManualClock,
    PatientConfig,
    Platform,
    SimulatorConfig,
    WecomConfig,
    build_simulator,
)
from tests.simulator.server import Server, WecomServer, serve
from tests.simulator.world import DESK, REMINDER, STAFF, START


@dataclass
class Demo:
    """The demo's parts: a server, the simulator mounted at `/simulator/`, a browser's HTTP."""

    platform: Platform
    server: Server
    client: aiohttp.ClientSession
    base: str

    async def state(self) -> Any:
        async with self.client.get(f"{self.base}/state") as response:
            return await response.json()

    async def phone(self, name: str) -> Any:
        return next(phone for phone in (await self.state())["phones"] if phone["name"] == name)

    async def post(self, path: str, body: Any) -> int:
        async with self.client.post(f"{self.base}/{path}", json=body) as response:
            return response.status

    async def act(self, name: str, **wish: Any) -> int:
        phone = await self.phone(name)
        status = await self.post(f"phones/{phone['id']}", wish)
        await self.platform.settle()
        return status


@asynccontextmanager
async def running_demo() -> AsyncIterator[Demo]:
    async with AsyncExitStack() as stack:
        server, wecom_server = Server(AccountConfig(webhook_url="")), WecomServer(WecomConfig(webhook_url=""))
        home = await serve(stack, server, wecom_server)
        server.config = AccountConfig(webhook_url=f"{home}/wechat", templates=(REMINDER,))
        wecom_server.config = WecomConfig(webhook_url=f"{home}/wecom", members=STAFF, kf_accounts=(DESK,))
        config = SimulatorConfig(
            accounts=(server.config,),
            wecom=wecom_server.config,
            patients=(
                PatientConfig(openid="oLi", name="李秀英", hint="膝关节置换术后"),
                PatientConfig(openid="oZhao", name="赵敏", following=False),
            ),
            customers=(CustomerConfig(external_userid="wmSun", name="孙阿姨"),),
            scenes=(("ward7", "七病区床头"),),
        )
        simulator = build_simulator(config, ManualClock(START))
        app = web.Application()
        app.add_subapp("/simulator/", simulator)
        runner = web.AppRunner(app, shutdown_timeout=1)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        base = f"http://127.0.0.1:{runner.addresses[0][1]}/simulator"
        simulator[PLATFORM].base_url = base
        client = await stack.enter_async_context(aiohttp.ClientSession())
        yield Demo(simulator[PLATFORM], server, client, base)
