"""The SMS port of the contract: a file, or an address that takes any 2xx."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from bot.channels.api import OutcomeUnknown, Refused, Unreached, open_session
from bot.channels.sms import Sms, open_sms

AT = datetime.fromisoformat("2026-11-18T10:00:00+08:00")
SMS = Sms("id-1", AT, "13800000001", "code", "验证码 123456")


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_session() as session:
        yield session


async def test_a_file_gets_one_json_line_a_message(session: aiohttp.ClientSession, tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "sms.jsonl"
    port = open_sms(path.as_uri(), session)
    assert port is not None

    await asyncio.gather(*(port.send(SMS) for _ in range(20)))

    lines = path.read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [
        {
            "id": "id-1",
            "at": "2026-11-18T10:00:00+08:00",
            "to": "13800000001",
            "kind": "code",
            "text": "验证码 123456",
        }
    ] * 20


async def test_a_file_that_cannot_be_written_is_tried_again(
    session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    (tmp_path / "occupied").write_text("")
    port = open_sms(f"file://{tmp_path}/occupied/sms.jsonl", session)
    assert port is not None
    with pytest.raises(Unreached):
        await port.send(SMS)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, None),
        (202, None),
        (204, None),
        (400, Refused),
        (301, Refused),
        (503, Unreached),
        (504, OutcomeUnknown),
    ],
)
async def test_a_gateway_takes_it_with_any_2xx(
    session: aiohttp.ClientSession, status: int, outcome: type[Exception] | None
) -> None:
    got = []

    async def take(request: web.Request) -> web.Response:
        got.append(await request.json())
        return web.Response(status=status)

    app = web.Application()
    app.router.add_post("/sms", take)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = open_sms(f"http://127.0.0.1:{runner.addresses[0][1]}/sms", session)
        assert port is not None
        if outcome is None:
            await port.send(SMS)
        else:
            with pytest.raises(outcome):
                await port.send(SMS)
    finally:
        await runner.cleanup()
    assert got[0]["kind"] == "code"


async def test_no_address_no_port(session: aiohttp.ClientSession) -> None:
    assert open_sms("", session) is None


async def test_nobody_listens(session: aiohttp.ClientSession) -> None:
    port = open_sms("http://127.0.0.1:9/sms", session)
    assert port is not None
    with pytest.raises(Unreached):
        await port.send(SMS)
