"""The webhook over real HTTP, pushed by the simulated platform."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
import sqlalchemy as sa

from bot.domain.clock import StoppedClock
from bot.simulator import AccountConfig, ManualClock, Mode, Platform, SimulatorConfig
from storage.tables import messages
from tests.conftest import NOW
from tests.serving import AES_KEY, APP_ID, TOKEN, Server, serving, settings


@pytest.fixture(params=list(Mode))
def mode(request: pytest.FixtureRequest) -> Mode:
    return Mode(request.param)


@pytest.fixture
async def server(database_url: str, mode: Mode, clock: StoppedClock) -> AsyncIterator[Server]:
    async with serving(settings(database_url, XIAOHU_WECHAT__MODE=mode.value), clock) as server:
        yield server


@pytest.fixture
async def platform(server: Server, mode: Mode) -> AsyncIterator[Platform]:
    account = AccountConfig(
        app_id=APP_ID, token=TOKEN, aes_key=AES_KEY, mode=mode, webhook_url=f"{server.url}/wechat"
    )
    platform = Platform(SimulatorConfig(accounts=(account,), reply_timeout=5), ManualClock(NOW))
    async with platform.serving():
        yield platform


async def stored(server: Server) -> list[str]:
    query = sa.select(messages.c.dir).order_by(messages.c.id)
    return list(await server.house.database.read(lambda db: db.execute(query).scalars().all()))


async def test_the_address_is_verified_and_a_patient_is_answered(server: Server, platform: Platform) -> None:
    user = platform.follow("oUser1")
    reply = await user.says("你好")
    assert "请问有什么可以帮您" in reply.text
    assert await stored(server) == ["in", "out"]


@pytest.mark.parametrize("mode", [Mode.SAFE], indirect=True)
async def test_the_same_push_many_times_at_once_is_one_message(server: Server) -> None:
    """Three retries, and twenty processes asking at the same moment."""
    xml = (
        "<xml><ToUserName>gh_1</ToUserName><FromUserName>oU1</FromUserName><CreateTime>1700000000</CreateTime>"
        "<MsgType>text</MsgType><Content>我喘不上气了</Content><MsgId>99</MsgId></xml>"
    )
    account = server.house.official_accounts["default"]
    inbound = account.read(*_sealed(xml))
    replies = await asyncio.gather(*(server.house.answering.answer(inbound) for _ in range(20)))
    assert len({reply.text for reply in replies}) == 1
    assert "120" in replies[0].text
    assert await stored(server) == ["in", "out"]


def _sealed(xml: str) -> tuple[dict[str, str], bytes]:
    from bot.channels.envelope import Envelope, parse

    closed = Envelope(TOKEN, AES_KEY, APP_ID).close(xml, "1700000000", "n")
    fields = parse(closed.encode())
    query = {
        "timestamp": "1700000000",
        "nonce": "n",
        "encrypt_type": "aes",
        "msg_signature": fields["MsgSignature"],
    }
    return query, closed.encode()


@pytest.mark.parametrize("mode", [Mode.SAFE], indirect=True)
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"<xml><Encrypt><![CDATA[AAAA]]></Encrypt></xml>", 403),
        (b"x" * 70_000, 413),
        (b"<!DOCTYPE x [<!ENTITY a 'b'>]><xml>&a;</xml>", 400),
        (b"", 400),
    ],
)
async def test_what_is_not_the_platform_is_refused_and_not_kept(
    server: Server, body: bytes, status: int
) -> None:
    async with aiohttp.ClientSession() as session:
        query = {"timestamp": "1", "nonce": "2", "signature": "0" * 40, "msg_signature": "0" * 40}
        async with session.post(f"{server.url}/wechat", params=query, data=body) as answer:
            assert answer.status == status
            assert await answer.text() == ""
        async with session.get(f"{server.url}/wechat", params=query | {"echostr": "e"}) as answer:
            assert answer.status == 403
        async with session.post(f"{server.url}/wechat/nobody", data=b"x") as answer:
            assert answer.status == 404
    assert await stored(server) == []


@pytest.mark.parametrize("mode", [Mode.SAFE], indirect=True)
async def test_health_readiness_and_metrics(server: Server) -> None:
    async with aiohttp.ClientSession() as session:
        for path in ("/healthz", "/readyz", "/metrics"):
            async with session.get(server.url + path) as answer:
                assert answer.status == 200, path
