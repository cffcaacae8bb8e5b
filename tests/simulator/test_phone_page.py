"""The phone's page as the browser asks for it: one path below which everything lives."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
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
from tests.simulator.conftest import DESK, REMINDER, STAFF, START, serve
from tests.simulator.server import Server, WecomServer


@dataclass
class Page:
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


@pytest.fixture
async def page() -> AsyncIterator[Page]:
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
        yield Page(simulator[PLATFORM], server, client, base)


async def test_the_page_loads_only_its_own_files_and_nothing_inline(page: Page) -> None:
    async with page.client.get(f"{page.base}/") as response:
        html = await response.text()
        policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert " style=" not in html
    assert not re.search(r"<script(?![^>]* src=)|<style|\son\w+=", html)
    files = re.findall(r'(?:src|href)="(static/[^"]+)"', html)
    for name in [*files, "static/chat.js", "static/trays.js", "static/wire.js", "static/dom.js"]:
        async with page.client.get(f"{page.base}/{name}") as response:
            assert response.status == 200, name
            text = await response.text()
            assert "://" not in re.sub(r"http://www\.w3\.org|weixin://|https\?:", "", text).replace(
                r":\/\/", ""
            ), name


async def test_only_known_files_are_served(page: Page) -> None:
    for name in ("phone.html", "..%2Fphone_page.py", "nothing.js"):
        async with page.client.get(f"{page.base}/static/{name}") as response:
            assert response.status == 404


async def test_everybodys_phone_is_there(page: Page) -> None:
    phones = (await page.state())["phones"]
    assert [(p["name"], p["kind"], p["following"]) for p in phones] == [
        ("李秀英", "wx", True),
        ("赵敏", "wx", False),
        ("张护士", "wecom", True),
        ("李护士", "wecom", True),
        ("孙阿姨", "kf", True),
    ]


async def test_what_is_typed_is_pushed_and_answered(page: Page) -> None:
    assert await page.act("李秀英", do="say", text="你好") == 202
    bubbles = (await page.phone("李秀英"))["bubbles"]
    assert [(b["side"], b["text"]) for b in bubbles] == [("mine", "你好"), ("theirs", "你好")]
    assert [push["reply"] for push in (await page.state())["pushes"]] == ["text"]


@pytest.mark.parametrize(
    ("name", "wish", "event"),
    [
        ("赵敏", {"do": "follow"}, "subscribe"),
        ("赵敏", {"do": "scan", "scene": "ward7"}, "subscribe"),
        ("李秀英", {"do": "scan", "scene": "ward7"}, "SCAN"),
        ("李秀英", {"do": "unfollow"}, "unsubscribe"),
        ("李秀英", {"do": "voice", "seconds": 4}, "voice"),
        ("李秀英", {"do": "place"}, "location"),
        ("李秀英", {"do": "video"}, "video"),
        ("李秀英", {"do": "choose", "text": "满意", "item": "1"}, "text"),
        ("李秀英", {"do": "allow", "template": "T-reminder"}, "subscribe_msg_popup_event"),
    ],
)
async def test_every_tap_has_its_push(page: Page, name: str, wish: dict[str, Any], event: str) -> None:
    assert await page.act(name, **wish) == 202
    push = page.server.pushes[-1]
    assert push.get("Event", push["MsgType"]) == event


async def test_staff_and_customers_have_phones_too(page: Page) -> None:
    assert await page.act("张护士", do="say", text="收到") == 202
    assert await page.act("孙阿姨", do="enter") == 202
    assert await page.act("孙阿姨", do="say", text="你好") == 202
    assert await page.act("张护士", do="voice") == 400
    assert [b["text"] for b in (await page.phone("孙阿姨"))["bubbles"]] == ["你好"]


async def test_a_picture_is_sent_from_a_file(page: Page) -> None:
    phone = await page.phone("李秀英")
    url = f"{page.base}/phones/{phone['id']}/picture"
    async with page.client.post(
        url, data=b"\xff\xd8 jpeg", headers={"Content-Type": "image/jpeg"}
    ) as response:
        assert response.status == 202
    await page.platform.settle()
    async with page.client.get(page.server.pushes[-1]["PicUrl"]) as response:
        assert await response.read() == b"\xff\xd8 jpeg"


async def test_the_stream_tells_what_changes(page: Page) -> None:
    async with page.client.get(f"{page.base}/events") as stream:
        await page.act("李秀英", do="say", text="你好")
        told = []
        async with asyncio.timeout(2):
            async for line in stream.content:
                if line.startswith(b"data: "):
                    told.append(json.loads(line[6:]))
                if told and told[-1]["what"] == "pushes":
                    break
    assert [event["what"] for event in told] == ["busy", "bubble", "bubble", "busy", "pushes"]
    assert told[2]["bubble"]["text"] == "你好"


async def test_time_moves_forward_only(page: Page) -> None:
    assert await page.post("clock", {"seconds": 3600}) == 200
    assert await page.post("clock", {"to": "2026-06-02T10:00"}) == 200
    assert (await page.state())["now"] == "2026-06-02T02:00:00+00:00"
    assert await page.post("clock", {"to": "2026-06-01T10:00"}) == 400
    assert await page.post("clock", {"to": "tomorrow"}) == 400


async def test_faults_are_made_and_mended(page: Page) -> None:
    assert await page.post("faults", {"kind": "error", "code": -1, "path": "custom/send", "times": 3}) == 200
    assert await page.post("faults", {"copies": 2}) == 200
    assert await page.post("faults", {"kind": "earthquake"}) == 400
    faults = (await page.state())["faults"]
    assert faults["copies"] == 2
    assert faults["waiting"] == [{"kind": "error", "path": "custom/send", "code": -1, "times": 3}]
    await page.act("李秀英", do="say", text="你好")
    assert len(page.server.pushes) == 2
    async with page.client.delete(f"{page.base}/faults") as response:
        assert await response.json() == {"waiting": [], "copies": 1}


async def test_a_newcomer_can_be_added(page: Page) -> None:
    assert await page.post("people", {"name": "钱先生"}) == 201
    assert (await page.phone("钱先生"))["following"] is False
    await page.act("钱先生", do="follow")
    assert (await page.phone("钱先生"))["following"] is True


async def test_the_sms_tray_shows_what_the_port_took(page: Page) -> None:
    sms = {"id": "1", "at": "now", "to": "13800000001", "kind": "code", "text": "验证码 123456"}
    assert await page.post("sms", sms) == 202
    assert (await page.state())["sms"][0]["text"] == "验证码 123456"


async def test_another_sites_form_cannot_act(page: Page) -> None:
    async with page.client.post(f"{page.base}/clock", data={"seconds": "60"}) as response:
        assert response.status == 415
    assert await page.post("phones/nobody", {"do": "say", "text": "hi"}) == 404


async def test_both_apis_live_beside_the_page(page: Page) -> None:
    body = {
        "grant_type": "client_credential",
        "appid": "wx5f0c2d3e4a1b6c7d",
        "secret": "simulated-app-secret",
    }
    async with page.client.post(f"{page.base}/api/cgi-bin/stable_token", json=body) as response:
        assert (await response.json(content_type=None))["expires_in"] == 7200
    query = {"corpid": "ww1a2b3c4d5e6f7a8b", "corpsecret": "simulated-wecom-secret"}
    async with page.client.get(f"{page.base}/qyapi/cgi-bin/gettoken", params=query) as response:
        assert (await response.json(content_type=None))["errcode"] == 0
