"""WeCom over real HTTP: the app, cards with a button, and 微信客服 pulled after its bell."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest
import sqlalchemy as sa

from bot.channels.wecom import WeComApp
from bot.domain.clock import StoppedClock
from bot.domain.inbound import Inbound
from bot.simulator import KfAccount, ManualClock, Member, Platform, SimulatorConfig, WecomConfig
from storage.tables import alerts, messages, users
from tests.conftest import NOW
from tests.serving import Server, serving, settings

# The platform's own published vectors (platform.md §3.1).
VECTOR = WeComApp("default", "wx5823bf96d3bd56c7", "QDG6eK", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C")
PUSHED = (
    "RypEvHKD8QQKFhvQ6QleEB4J58tiPdvo+rtK1I9qca6aM/wvqnLSV5zEPeusUiX5L5X/0lWfrf0QADHHhGd3QczcdCUpj911L3vg3W/sYYvuJ"
    "Ts3TUUkSUXxaccAS0qhxchrRYt66wiSpGLYL42aM6A8dTT+6k4aSknmPj48kzJs8qLjvd4Xgpue06DOdnLxAUHzM6+kDZ+HMZfJYuR+LtwGc2"
    "hgf5gsijff0ekUNXZiqATP7PF5mZxZ3Izoun1s4zG4LUMnvw2r+KqCKIw+3IQH03v+BCA9nMELNqbSf6tiWSrXJB3LAVGUcallcrw8V2t9EL4"
    "EhzJWrQUax5wLVMNS0+rUPA3k22Ncx4XXZS9o0MBH27Bo6BpNelZpS+/uh9KsNlY6bHCmJU9p8g7m3fVKn28H3KDYA5Pl/T8Z1ptDAVe0lXdQ"
    "2YoyyH2uyPIGHBZZIs2pDBS8R07+qN+E7Q=="
)


def test_the_published_vectors() -> None:
    echo = "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ=="
    query = {
        "timestamp": "1409659589",
        "nonce": "263014780",
        "echostr": echo.replace("+", " "),  # as it arrives when nobody encoded the plus
        "msg_signature": "5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3",
    }
    assert VECTOR.verify(query) == "1616140317555161061"
    pushed = VECTOR.read(
        {
            "timestamp": "1409659813",
            "nonce": "1372623149",
            "msg_signature": "477715d11cdb4164915debcba66cb864d751f3e6",
        },
        f"<xml><ToUserName>wx5823bf96d3bd56c7</ToUserName><Encrypt>{PUSHED}</Encrypt></xml>".encode(),
    )
    assert isinstance(pushed, Inbound)
    assert (pushed.openid, pushed.text, pushed.key) == ("mycreate", "hello", "4561255354251345929:mycreate")


@dataclass
class World:
    """The server and a corporation around it."""

    server: Server
    platform: Platform

    async def delivers(self) -> None:
        """The postman goes round once."""
        await self.server.house.worker.once()

    async def texts(self) -> list[str]:
        """The account of every text that came in."""
        query = sa.select(messages.c.account).where(messages.c.dir == "in", messages.c.type == "text")
        return list(await self.server.house.database.read(lambda db: db.execute(query).scalars().all()))


async def _free_port() -> int:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = int(server.sockets[0].getsockname()[1])
    server.close()
    await server.wait_closed()
    return port


@pytest.fixture
async def world(database_url: str, clock: StoppedClock) -> AsyncIterator[World]:
    port = await _free_port()
    wecom = WecomConfig(
        webhook_url=f"http://127.0.0.1:{port}/wecom",
        members=(Member(userid="nurse1", name="李护士"),),
        kf_accounts=(KfAccount(open_kfid="wkDesk", name="护士台"),),
    )
    platform = Platform(SimulatorConfig(wecom=wecom, reply_timeout=5), ManualClock(NOW))
    async with platform.serving() as base:
        wanted = settings(
            database_url,
            XIAOHU_WECOM__CORP_ID=wecom.corp_id,
            XIAOHU_WECOM__AGENT_ID=str(wecom.agent_id),
            XIAOHU_WECOM__SECRET=wecom.secret,
            XIAOHU_WECOM__KF_SECRET=wecom.kf_secret,
            XIAOHU_WECOM__TOKEN=wecom.token,
            XIAOHU_WECOM__AES_KEY=wecom.aes_key,
            XIAOHU_WECOM__API_BASE=f"{base}/qyapi",
        )
        async with serving(wanted, clock, port=port) as server:
            yield World(server, platform)


async def test_a_customer_is_welcomed_answered_once_and_remembered(world: World) -> None:
    customer = world.platform.kf.customer("wmPatient1")
    await customer.enters()
    await customer.receives("欢迎", within=5)
    await customer.says("我想看看菜单，菜单")
    await customer.says("菜单")
    async with asyncio.timeout(10):
        while "不知道挂什么科" not in customer.screen or len(await world.texts()) < 2:
            await world.delivers()
            await asyncio.sleep(0.05)
    assert set(await world.texts()) == {"kf/wkDesk"}


async def test_an_alarm_reaches_the_nurse_as_a_card_and_is_taken_there(world: World) -> None:
    database = world.server.house.database
    nurse = {"name": "李护士", "role": "nurse", "wecom_userid": "Nurse1", "created_at": NOW}
    await database.write(lambda db: db.execute(users.insert().values(**nurse)))
    customer = world.platform.kf.customer("wmPatient1")
    await customer.says("我妈突然喘不上气，嘴唇发紫")
    member = world.platform.wecom.member("nurse1")
    async with asyncio.timeout(10):
        while "120" not in customer.screen:
            await world.delivers()
            await asyncio.sleep(0.05)
    await member.receives("警报", kind="template_card", within=5)
    await member.presses("认领")
    alert = await database.read(lambda db: db.execute(sa.select(alerts)).one())
    assert (alert.status, alert.acknowledged_by) == ("acknowledged", "李护士")


async def test_a_colleague_may_talk_to_the_app(world: World) -> None:
    member = world.platform.wecom.member("nurse1")
    reply = await member.says("菜单")
    assert "预约挂号" in reply.text


async def test_a_forged_call_is_refused(world: World) -> None:
    async with aiohttp.ClientSession() as session:
        query = {"msg_signature": "0" * 40, "timestamp": "1", "nonce": "2", "echostr": "AAAA"}
        async with session.get(f"{world.server.url}/wecom", params=query) as answer:
            assert answer.status == 403
        async with session.post(f"{world.server.url}/wecom", params=query, data=b"<xml/>") as answer:
            assert answer.status in (400, 403)
