"""The phone's page as the browser asks for it: one path below which everything lives."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import pytest

from tests.simulator.demo import Demo


async def test_the_page_loads_only_its_own_files_and_nothing_inline(demo: Demo) -> None:
    async with demo.client.get(f"{demo.base}/") as response:
        html = await response.text()
        policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert " style=" not in html
    assert not re.search(r"<script(?![^>]* src=)|<style|\son\w+=", html)
    files = re.findall(r'(?:src|href)="(static/[^"]+)"', html)
    for name in [*files, "static/chat.js", "static/trays.js", "static/wire.js", "static/dom.js"]:
        async with demo.client.get(f"{demo.base}/{name}") as response:
            assert response.status == 200, name
            text = await response.text()
            assert "://" not in re.sub(r"http://www\.w3\.org|weixin://|https\?:", "", text).replace(
                r":\/\/", ""
            ), name


async def test_only_known_files_are_served(demo: Demo) -> None:
    for name in ("phone.html", "..%2Fphone_page.py", "nothing.js"):
        async with demo.client.get(f"{demo.base}/static/{name}") as response:
            assert response.status == 404


async def test_everybodys_phone_is_there(demo: Demo) -> None:
    phones = (await demo.state())["phones"]
    assert [(p["name"], p["kind"], p["following"]) for p in phones] == [
        ("李秀英", "wx", True),
        ("赵敏", "wx", False),
        ("张护士", "wecom", True),
        ("李护士", "wecom", True),
        ("孙阿姨", "kf", True),
    ]


async def test_what_is_typed_is_pushed_and_answered(demo: Demo) -> None:
    assert await demo.act("李秀英", do="say", text="你好") == 202
    bubbles = (await demo.phone("李秀英"))["bubbles"]
    assert [(b["side"], b["text"]) for b in bubbles] == [("mine", "你好"), ("theirs", "你好")]
    assert [push["reply"] for push in (await demo.state())["pushes"]] == ["text"]


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
async def test_every_tap_has_its_push(demo: Demo, name: str, wish: dict[str, Any], event: str) -> None:
    assert await demo.act(name, **wish) == 202
    push = demo.server.pushes[-1]
    assert push.get("Event", push["MsgType"]) == event


async def test_staff_and_customers_have_phones_too(demo: Demo) -> None:
    assert await demo.act("张护士", do="say", text="收到") == 202
    assert await demo.act("孙阿姨", do="enter") == 202
    assert await demo.act("孙阿姨", do="say", text="你好") == 202
    assert await demo.act("张护士", do="voice") == 400
    assert [b["text"] for b in (await demo.phone("孙阿姨"))["bubbles"]] == ["你好"]


async def test_a_picture_is_sent_from_a_file(demo: Demo) -> None:
    phone = await demo.phone("李秀英")
    url = f"{demo.base}/phones/{phone['id']}/picture"
    async with demo.client.post(
        url, data=b"\xff\xd8 jpeg", headers={"Content-Type": "image/jpeg"}
    ) as response:
        assert response.status == 202
    await demo.platform.settle()
    async with demo.client.get(demo.server.pushes[-1]["PicUrl"]) as response:
        assert await response.read() == b"\xff\xd8 jpeg"


async def test_the_stream_tells_what_changes(demo: Demo) -> None:
    async with demo.client.get(f"{demo.base}/events") as stream:
        await demo.act("李秀英", do="say", text="你好")
        told = []
        async with asyncio.timeout(2):
            async for line in stream.content:
                if line.startswith(b"data: "):
                    told.append(json.loads(line[6:]))
                if told and told[-1]["what"] == "pushes":
                    break
    assert [event["what"] for event in told] == ["busy", "bubble", "bubble", "busy", "pushes"]
    assert told[2]["bubble"]["text"] == "你好"


async def test_time_moves_forward_only(demo: Demo) -> None:
    assert await demo.post("clock", {"seconds": 3600}) == 200
    assert await demo.post("clock", {"to": "2026-06-02T10:00"}) == 200
    assert (await demo.state())["now"] == "2026-06-02T02:00:00+00:00"
    assert await demo.post("clock", {"to": "2026-06-01T10:00"}) == 400
    assert await demo.post("clock", {"to": "tomorrow"}) == 400


async def test_faults_are_made_and_mended(demo: Demo) -> None:
    assert await demo.post("faults", {"kind": "error", "code": -1, "path": "custom/send", "times": 3}) == 200
    assert await demo.post("faults", {"copies": 2}) == 200
    assert await demo.post("faults", {"kind": "earthquake"}) == 400
    faults = (await demo.state())["faults"]
    assert faults["copies"] == 2
    assert faults["waiting"] == [{"kind": "error", "path": "custom/send", "code": -1, "times": 3}]
    await demo.act("李秀英", do="say", text="你好")
    assert len(demo.server.pushes) == 2
    async with demo.client.delete(f"{demo.base}/faults") as response:
        assert await response.json() == {"waiting": [], "copies": 1}


async def test_a_newcomer_can_be_added(demo: Demo) -> None:
    assert await demo.post("people", {"name": "钱先生"}) == 201
    assert (await demo.phone("钱先生"))["following"] is False
    await demo.act("钱先生", do="follow")
    assert (await demo.phone("钱先生"))["following"] is True


async def test_the_sms_tray_shows_what_the_port_took(demo: Demo) -> None:
    sms = {"id": "1", "at": "now", "to": "13800000001", "kind": "code", "text": "验证码 123456"}
    assert await demo.post("sms", sms) == 202
    assert (await demo.state())["sms"][0]["text"] == "验证码 123456"


async def test_another_sites_form_cannot_act(demo: Demo) -> None:
    async with demo.client.post(f"{demo.base}/clock", data={"seconds": "60"}) as response:
        assert response.status == 415
    assert await demo.post("phones/nobody", {"do": "say", "text": "hi"}) == 404


async def test_both_apis_live_beside_the_page(demo: Demo) -> None:
    body = {
        "grant_type": "client_credential",
        "appid": "wx5f0c2d3e4a1b6c7d",
        "secret": "simulated-app-secret",
    }
    async with demo.client.post(f"{demo.base}/api/cgi-bin/stable_token", json=body) as response:
        assert (await response.json(content_type=None))["expires_in"] == 7200
    query = {"corpid": "ww1a2b3c4d5e6f7a8b", "corpsecret": "simulated-wecom-secret"}
    async with demo.client.get(f"{demo.base}/qyapi/cgi-bin/gettoken", params=query) as response:
        assert (await response.json(content_type=None))["errcode"] == 0
