"""A simulated platform, the server it pushes to, and a client of its API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp

from bot.simulator import KfAccount, ManualClock, Member, Platform, Template
from tests.simulator.server import Server, WecomServer

START = datetime(2026, 6, 1, 2, 0, tzinfo=UTC)  # a Monday, 10:00 in Beijing

REMINDER = Template(
    id="T-reminder",
    title="就诊提醒",
    content="{{first.DATA}}\n项目：{{thing1.DATA}}\n时间：{{time2.DATA}}\n状态：{{enum3.DATA}}\n{{remark.DATA}}",
    choices={"enum3": ("已预约", "已取消")},
)

STAFF = (
    Member(userid="ZhangHushi", name="张护士", mobile="13800000011"),
    Member(userid="li", name="李护士"),
)
DESK = KfAccount(open_kfid="wkDesk", name="护理咨询", servicers=("ZhangHushi", "li"))


@dataclass
class World:
    """A simulated platform, the server it pushes to, and a client of its API."""

    platform: Platform
    server: Server
    clock: ManualClock
    base: str
    client: aiohttp.ClientSession
    wecom_server: WecomServer

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

    async def wecom_token(self, *, kf: bool = False) -> str:
        config = self.platform.wecom.config
        secret = config.kf_secret if kf else config.secret
        answer = await self.get("/qyapi/cgi-bin/gettoken", corpid=config.corp_id, corpsecret=secret)
        return str(answer["access_token"])

    async def wecom_call(self, path: str, body: Any) -> Any:
        """POST to WeCom's API with the token of the app, or of 微信客服 for its paths."""
        token = await self.wecom_token(kf=path.startswith("kf/"))
        return await self.post(f"/qyapi/cgi-bin/{path}", body, access_token=token)

    async def wecom_ask(self, path: str, **query: str) -> Any:
        token = await self.wecom_token(kf=path.startswith("kf/"))
        return await self.get(f"/qyapi/cgi-bin/{path}", access_token=token, **query)

    async def writes(self, openid: str, content: str = "您好") -> Any:
        """A customer-service text."""
        body = {"touser": openid, "msgtype": "text", "text": {"content": content}}
        return await self.call("message/custom/send", body)


NewWorld = Callable[..., Awaitable[World]]
