"""Doors under attack: what is not the platform's leaves nothing behind, what is odd but genuine is not lost.

The envelope is sealed here by hand, not by our own code: AES-256-CBC, PKCS#7 to 32, SHA-1 (platform.md §1.3-1.4).
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import struct
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from bot.domain.clock import StoppedClock
from storage.tables import appointments, contacts, letters, messages, points_entries, tasks
from tests.hospital_folder import bound, open_hospital
from tests.serving import AES_KEY, APP_ID, TOKEN, Server, serving, settings

API_TOKEN = "a-long-random-token"
ENVIRONMENT = {
    "XIAOHU_WECHAT__MODE": "safe",
    "XIAOHU_API__TOKEN": API_TOKEN,
    "XIAOHU_WECOM__CORP_ID": "ww1",
    "XIAOHU_WECOM__TOKEN": TOKEN,
    "XIAOHU_WECOM__AES_KEY": AES_KEY,
    "XIAOHU_WECOM__AGENT_ID": "218",
}
MESSAGE = (
    "<xml><ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName><![CDATA[oU1]]></FromUserName>"
    "<CreateTime>{at}</CreateTime><MsgType><![CDATA[{kind}]]></MsgType>{rest}</xml>"
)


def push(
    rest: str = "<Content>你好</Content><MsgId>1</MsgId>", *, kind: str = "text", at: str = "1700000000"
) -> str:
    return MESSAGE.format(at=at, kind=kind, rest=rest)


def sha1(*parts: str) -> str:
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()


def seal(xml: bytes, receiver: str = APP_ID) -> str:
    """The base64 text of `<Encrypt>`."""
    key = base64.b64decode(AES_KEY + "=")
    inside = os.urandom(16) + struct.pack(">I", len(xml)) + xml + receiver.encode()
    pad = 32 - len(inside) % 32
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return base64.b64encode(encryptor.update(inside + bytes([pad]) * pad) + encryptor.finalize()).decode()


@dataclass
class Attacker:
    """Somebody with our address; with the keys too where a test lets them."""

    server: Server
    session: aiohttp.ClientSession
    answers: list[str] = field(default_factory=list)

    async def knocks(self, body: bytes, *, door: str = "/wechat", query: dict[str, str] | None = None) -> int:
        url = self.server.url + door
        async with self.session.post(url, params=query or {}, data=body) as answer:
            self.answers.append(await answer.text())
            return answer.status

    async def signs(self, xml: str | bytes, *, door: str = "/wechat", receiver: str = APP_ID) -> int:
        """A push that is sealed and signed as the platform does."""
        inside = xml if isinstance(xml, bytes) else xml.encode()
        sealed = seal(inside, receiver)
        query = {"timestamp": "1700000000", "nonce": "n", "encrypt_type": "aes"}
        query["msg_signature"] = sha1(TOKEN, "1700000000", "n", sealed)
        body = f"<xml><ToUserName>gh_1</ToUserName><Encrypt>{sealed}</Encrypt></xml>"
        return await self.knocks(body.encode(), door=door, query=query)

    async def calls(self, path: str, body: Any = None, *, method: str = "POST", **headers: str) -> int:
        raw = {"data": body} if isinstance(body, bytes) else {"json": body}
        given = {"Authorization": f"Bearer {API_TOKEN}", **headers}
        url = f"{self.server.url}/api/v1/{path}"
        async with self.session.request(method, url, headers=given, **raw) as answer:
            self.answers.append(await answer.text())
            return answer.status

    async def rows(self, table: sa.Table) -> int:
        count = sa.select(sa.func.count()).select_from(table)
        return await self.server.house.database.read(lambda db: int(db.execute(count).scalar_one()))


@pytest.fixture
async def attacker(database_url: str, clock: StoppedClock) -> AsyncIterator[Attacker]:
    async with serving(settings(database_url, **ENVIRONMENT), clock) as server:
        await server.house.database.write(open_hospital)
        async with aiohttp.ClientSession() as session:
            yield Attacker(server, session)


async def test_the_seal_of_this_file_is_the_platforms(attacker: Attacker) -> None:
    assert await attacker.signs(push()) == 200
    assert "<Encrypt>" in attacker.answers[0]
    assert await attacker.rows(messages) == 2


BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "'
    + b"x" * 500
    + b'">'
    + b'<!ENTITY b "&a;&a;&a;&a;">' * 50
    + b"]>"
)


UNSIGNED = (
    b"",
    b"<",
    b"<xml>",
    b"<xml></xml>",
    b"\x00" * 100,
    b"\xff\xfe<\x00x\x00m\x00l\x00>\x00",
    b"{}",
    b"<xml><Encrypt></Encrypt></xml>",
    b"<xml><Encrypt><a/></Encrypt></xml>",
    b"<xml><Encrypt>!!!</Encrypt></xml>",
    b"<xml><Encrypt>AAAA</Encrypt><Encrypt>BBBB</Encrypt></xml>",
    b"<html><Encrypt>AAAA</Encrypt></html>",
    b"<xml>" + b"<a>" * 3000,
    b"<xml>" + b"<a>" * 1900 + b"</a>" * 1900 + b"</xml>",
    BOMB + b"<xml>&b;</xml>",
    b'<!doctype xml SYSTEM "file:///etc/passwd"><xml/>',
    b'<?xml version="1.0" encoding="UTF-7"?><xml/>',
    b'<xml xmlns:a="b"><a:Encrypt>A</a:Encrypt></xml>',
    push().encode(),
    b"x" * 65_537,
)


@pytest.mark.parametrize("door", ["/wechat", "/wecom"])
async def test_what_nobody_signed(attacker: Attacker, door: str) -> None:
    for body in UNSIGNED:
        began = time.monotonic()
        for query in (
            {},
            {"timestamp": "1", "nonce": "2", "signature": "0" * 40, "msg_signature": "秘密\x00"},
        ):
            assert 400 <= await attacker.knocks(body, door=door, query=query) < 500, body[:60]
        assert time.monotonic() - began < 1, body[:60]
    assert set(attacker.answers) == {""}
    assert await attacker.rows(messages) == await attacker.rows(contacts) == 0


async def test_addresses_that_are_asked_for_by_nobody(attacker: Attacker) -> None:
    for door in ("/wechat", "/wecom", "/wechat/other", "/wecom/..%2f"):
        for query in ({}, {"signature": "0", "timestamp": "1", "nonce": "\x00", "echostr": "<x>"}):
            async with attacker.session.get(attacker.server.url + door, params=query) as answer:
                assert 400 <= answer.status < 500
                assert "<x>" not in await answer.text()


async def test_every_flipped_byte_is_noticed(attacker: Attacker) -> None:
    sealed = seal(push().encode())
    query = {"timestamp": "1", "nonce": "2", "msg_signature": sha1(TOKEN, "1", "2", sealed)}
    for place in range(0, len(sealed), 37):
        altered = sealed[:place] + ("A" if sealed[place] != "A" else "B") + sealed[place + 1 :]
        body = f"<xml><Encrypt>{altered}</Encrypt></xml>".encode()
        assert await attacker.knocks(body, query=query) == 403
    for name in query:
        wrong = query | {name: query[name][:-1] + "x"}
        assert await attacker.knocks(f"<xml><Encrypt>{sealed}</Encrypt></xml>".encode(), query=wrong) == 403
    assert await attacker.rows(messages) == 0


async def test_plain_text_with_an_old_signature_is_not_taken_in_safe_mode(attacker: Attacker) -> None:
    query = {"timestamp": "1", "nonce": "2", "signature": sha1(TOKEN, "1", "2")}
    assert await attacker.knocks(push().encode(), query=query) == 403
    assert await attacker.rows(messages) == 0


async def test_a_push_for_somebody_else(attacker: Attacker) -> None:
    assert await attacker.signs(push(), receiver="wxsomebodyelse") == 403
    assert await attacker.signs(push(), door="/wecom", receiver=APP_ID) == 403
    assert await attacker.rows(messages) == 0


async def test_a_truncated_ciphertext_though_signed(attacker: Attacker) -> None:
    for sealed in (
        seal(push().encode())[:-44],
        seal(push().encode())[:8],
        base64.b64encode(b"x" * 32).decode(),
    ):
        query = {"timestamp": "1", "nonce": "2", "msg_signature": sha1(TOKEN, "1", "2", sealed)}
        assert await attacker.knocks(f"<xml><Encrypt>{sealed}</Encrypt></xml>".encode(), query=query) == 403
    assert await attacker.rows(messages) == 0


NO_MESSAGES = (
    "<xml></xml>",
    "<xml>text</xml>",
    "not xml",
    push(at="never"),
    push(at="99999999999999999999"),
    push(at="-99999999999999"),
    push().replace("oU1", ""),
    push().replace("<FromUserName><![CDATA[oU1]]></FromUserName>", ""),
    "<!DOCTYPE x><xml/>",
)


async def test_signed_and_yet_no_message(attacker: Attacker) -> None:
    for xml in NO_MESSAGES:
        assert await attacker.signs(xml) == 400, xml
    assert await attacker.rows(messages) == 0


ODD = (
    push("<MsgId>7</MsgId>"),
    push("<Content></Content><MsgId>7</MsgId>"),
    push("<Content>你好</Content><MsgId>not a number</MsgId>"),
    push("<Content>你好</Content>"),
    push("<Content><b>你好</b></Content><MsgId>7</MsgId>"),
    push("<Content>一</Content><Content>二</Content><MsgId>7</MsgId>"),
    push(f"<Content>{'长' * 10_000}</Content><MsgId>7</MsgId>"),
    push("<Content><![CDATA[]]]]><![CDATA[>]]></Content><MsgId>7</MsgId>"),
    push("<Content>\x00\x08\x0b你好\ufffe</Content><MsgId>7</MsgId>"),
    push("<Content>👨‍👩‍👧‍👦🏥</Content><MsgId>7</MsgId>"),
    push("<Content>{{7*7}}{% for x in range(9) %}</Content><MsgId>7</MsgId>"),
    push("<Content>' OR 1=1; DROP TABLE messages;--</Content><MsgId>7</MsgId>"),
    push("<Content>" + "&#x1F600;" * 50 + "</Content><MsgId>7</MsgId>"),
    push("<New><Deep>" + "<a>" * 300 + "</a>" * 300 + "</Deep></New><MsgId>7</MsgId>", kind="hologram"),
    push("<MediaId>M</MediaId><Format>amr</Format><Recognition/><MsgId>7</MsgId>", kind="voice"),
    push("<Event><![CDATA[brand_new_event]]></Event>", kind="event"),
    push("", kind="event"),
    push("<Event>TEMPLATESENDJOBFINISH</Event><MsgID>x</MsgID>", kind="event"),
    push("<Event>subscribe_msg_popup_event</Event><SubscribeMsgPopupEvent/>", kind="event"),
    push("<Event>CLICK</Event><EventKey/>", kind="event"),
    push("<Event>LOCATION</Event><Latitude>NaN</Latitude>", kind="event"),
    push(at="0"),
    push(at="253402300799"),
)


async def test_odd_but_genuine_is_kept_and_answered(attacker: Attacker) -> None:
    for number, xml in enumerate(ODD):
        attacker.answers.clear()
        xml = xml.replace("oU1", f"oU{number}")
        assert await attacker.signs(xml) == 200, xml[:300]
        assert await attacker.signs(xml) == 200
        assert attacker.answers[0].startswith("<xml>") == attacker.answers[1].startswith("<xml>")
    incoming = sa.select(sa.func.count()).select_from(messages).where(messages.c.dir == "in")
    kept = await attacker.server.house.database.read(lambda db: db.execute(incoming).scalar_one())
    assert kept == len(ODD)


async def test_a_body_that_never_ends_is_left_alone(
    attacker: Attacker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.web.webhooks.BODY_PATIENCE", 0.2)
    host, port = attacker.server.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"POST /wechat HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n<xml>")
    await writer.drain()
    first = await asyncio.wait_for(reader.readline(), 3)
    assert b" 408 " in first
    writer.close()
    assert await attacker.rows(messages) == 0


async def test_a_body_without_an_announced_length_is_cut_off(attacker: Attacker) -> None:
    async def pour() -> AsyncIterator[bytes]:
        for _ in range(200):
            yield b"x" * 1000

    async with attacker.session.post(attacker.server.url + "/wechat", data=pour()) as answer:
        assert answer.status == 413
    headers = {"Content-Encoding": "gzip"}
    async with attacker.session.post(
        attacker.server.url + "/wechat", data=b"\x1f\x8b", headers=headers
    ) as answer:
        assert answer.status == 413


PURCHASE = {"code": "X1", "patient_code": "P01", "amount": "12.50", "at": "2026-11-18T09:00"}


NO_PURCHASES: tuple[Any, ...] = (
    b"",
    b"{",
    b"\xff\xfe",
    b"null",
    b"[]",
    b'"x"',
    b"[" * 100_000,
    b'{"code": "\\ud800", "patient_code": "P01", "amount": 1, "at": "2026-11-18T09:00"}',
    PURCHASE | {"amount": "NaN"},
    PURCHASE | {"amount": "Infinity"},
    PURCHASE | {"amount": "1e400"},
    PURCHASE | {"amount": "99999999999999999999"},
    PURCHASE | {"amount": -1},
    PURCHASE | {"amount": 0},
    PURCHASE | {"amount": "1.001"},
    PURCHASE | {"amount": True},
    PURCHASE | {"amount": {"$gt": 0}},
    PURCHASE | {"at": "yesterday"},
    PURCHASE | {"at": "0001-01-01T00:00:00+14:00"},
    PURCHASE | {"at": "9999-12-31T23:59:59-12:00"},
    PURCHASE | {"code": ""},
    PURCHASE | {"code": "X\x00"},
    PURCHASE | {"code": "长" * 500},
    PURCHASE | {"patient_code": "P01\x00"},
    PURCHASE | {"patient_code": "nobody"},
    PURCHASE | {"patient_code": None},
    PURCHASE | {"points": 10**6},
    {},
)


async def test_purchases_that_cannot_be(attacker: Attacker) -> None:
    for body in NO_PURCHASES:
        status = await attacker.calls("purchases", body)
        assert 400 <= status < 500, str(body)[:200]
        assert "error" in attacker.answers[-1] or status == 413
    assert await attacker.rows(points_entries) == 0


NO_CALLS: tuple[tuple[str, str, Any], ...] = (
    ("POST", "refunds", {"code": "R", "purchase_code": "none\x00", "amount": "1", "at": "2026-11-18T09:00"}),
    ("POST", "tickets/TS%00/reply", {"text": "好", "by": "x"}),
    ("POST", "tickets/TS000001/reply", {"text": "", "by": "x"}),
    ("POST", "tickets/TS000001/reply", {"text": "好", "by": "x", "status": "closed"}),
    ("POST", "reports/%2e%2e%2fR1/contact", {"by": "x", "at": "2026-11-18T09:00"}),
    ("POST", "reports/R\x00/contact", {"by": "x", "at": "2026-11-18T09:00"}),
    ("GET", "conversations?state=all", None),
    ("GET", "conversations?state=%00", None),
    ("POST", "conversations/oU1%00/take", None),
    ("POST", "conversations/nobody/reply", {"text": "好"}),
    ("POST", "conversations/nobody/reply", {"text": 5}),
    ("DELETE", "purchases", None),
    ("POST", "nothing/here", {}),
)


async def test_calls_that_cannot_be(attacker: Attacker) -> None:
    for method, path, body in NO_CALLS:
        assert 400 <= await attacker.calls(path, body, method=method) < 500, path
    assert (
        await attacker.rows(letters) == await attacker.rows(tasks) == await attacker.rows(appointments) == 0
    )


NO_TOKENS = ("", "Bearer", "Bearer ", "Basic YTpi", "Bearer é", f"bearer{API_TOKEN}", "Bearer " + "x" * 5000)


async def test_without_the_token(attacker: Attacker) -> None:
    for header in NO_TOKENS:
        for path in ("purchases", "conversations", "nothing"):
            assert await attacker.calls(path, PURCHASE, Authorization=header) == 401, header
    assert await attacker.rows(points_entries) == 0


async def test_an_answer_with_the_same_idempotency_key_goes_once(attacker: Attacker) -> None:
    await attacker.server.house.database.write(bound("oU1", "P01"))
    assert await attacker.calls("conversations/oU1/take") == 200
    for key in ("k1", "k1", "k1"):
        status = await attacker.calls("conversations/oU1/reply", {"text": "您好"}, **{"Idempotency-Key": key})
        assert status == 200
    assert await attacker.rows(letters) == 1
