"""`/api/v1` over real HTTP: the hospital's own systems."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import sqlalchemy as sa

from bot.conversation import desk
from bot.domain.clock import StoppedClock
from bot.domain.inbound import Inbound
from storage.queries import desk as conversations
from storage.tables import letters, tickets
from tests.hospital_folder import bound, open_hospital
from tests.serving import Server, serving, settings

TOKEN = "a-long-random-token"


class Client:
    """A hospital system with the token."""

    def __init__(self, server: Server, session: aiohttp.ClientSession) -> None:
        self.server, self.session = server, session

    async def call(self, method: str, path: str, body: Any = None, token: str = TOKEN) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token}"}
        url = f"{self.server.url}/api/v1/{path}"
        async with self.session.request(method, url, json=body, headers=headers) as answer:
            return answer.status, await answer.json()

    async def says(self, text: str, key: str) -> str:
        inbound = Inbound(
            account="wechat/default",
            openid="oU1",
            key=key,
            type="text",
            written_at=self.server.house.clock.now(),
            text=text,
        )
        return (await self.server.house.answering.answer(inbound)).text

    async def owed(self) -> list[str]:
        rows = await self.server.house.database.read(
            lambda db: db.execute(sa.select(letters).order_by(letters.c.id)).all()
        )
        return [row.body["text"] for row in rows]


@pytest.fixture
async def client(database_url: str, clock: StoppedClock) -> AsyncIterator[Client]:
    wanted = settings(database_url, XIAOHU_API__TOKEN=TOKEN)
    async with serving(wanted, clock) as server, aiohttp.ClientSession() as session:
        await server.house.database.write(open_hospital)
        await server.house.database.write(bound("oU1", "P01"))
        yield Client(server, session)


async def test_without_the_token_nothing_is_told(client: Client) -> None:
    status, body = await client.call("GET", "conversations", token="wrong")
    assert (status, body) == (401, {"error": "missing or wrong bearer token"})
    async with client.session.get(f"{client.server.url}/api/v1/openapi.json") as answer:
        assert answer.status == 401


async def test_a_purchase_and_its_refunds(client: Client) -> None:
    purchase = {"code": "C1", "patient_code": "P01", "amount": 30001, "at": "2026-11-18T09:00:00"}
    for _ in range(2):  # the same code twice has one effect
        assert await client.call("POST", "purchases", purchase) == (
            200,
            {"code": "C1", "earned": 32101, "balance": 32101},
        )
    refund = {"code": "R1", "purchase_code": "C1", "amount": "30001.00", "at": "2026-11-18T10:00:00+08:00"}
    for _ in range(2):
        status, body = await client.call("POST", "refunds", refund)
        assert (status, body["balance"]) == (200, 0)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (
            "purchases",
            {"code": "C1", "patient_code": "nobody", "amount": 1, "at": "2026-11-18T09:00:00"},
            404,
        ),
        ("purchases", {"code": "C1", "patient_code": "P01", "amount": -1, "at": "2026-11-18T09:00:00"}, 422),
        (
            "purchases",
            {"code": "C1", "patient_code": "P01", "amount": 1.005, "at": "2026-11-18T09:00:00"},
            422,
        ),
        ("purchases", {"code": "C1", "patient_code": "P01", "amount": 1, "at": "soon"}, 422),
        (
            "purchases",
            {"code": "C1", "patient_code": "P01", "amount": 1, "at": "2026-11-18T09:00:00", "points": 9},
            422,
        ),
        ("refunds", {"code": "R1", "purchase_code": "none", "amount": 1, "at": "2026-11-18T09:00:00"}, 404),
        ("tickets/TS999999/reply", {"text": "好", "by": "office"}, 404),
        ("reports/none/contact", {"by": "王医生", "at": "2026-11-18T09:00:00"}, 404),
        ("conversations/oNobody/take", None, 404),
        ("conversations/oU1/reply", {"text": "您好"}, 404),
    ],
)
async def test_bad_input_is_named(client: Client, path: str, body: Any, status: int) -> None:
    got, answer = await client.call("POST", path, body)
    if path == "conversations/oU1/reply":
        status = 409  # it exists, and nobody took it
    assert got == status, answer
    assert answer["error"]


async def test_a_complaint_before_a_court_takes_no_more_answers(client: Client) -> None:
    for place, text in enumerate(
        ("投诉", "骨科护士态度很差，叫了三遍都不理", "昨天下午门诊三楼", "希望道歉", "1")
    ):
        said = await client.says(text, f"{place}:oU1")
    number = said[said.index("TS") :][:8]  # TS and six digits
    assert (await client.call("POST", f"tickets/{number}/reply", {"text": "抱歉", "by": "office"}))[0] == 200
    frozen = tickets.update().values(legal="court")
    await client.server.house.database.write(lambda db: db.execute(frozen))
    status, answer = await client.call("POST", f"tickets/{number}/reply", {"text": "抱歉", "by": "office"})
    assert (status, answer) == (409, {"error": "frozen: others settle it"})


async def test_a_conversation_is_taken_answered_and_released(client: Client) -> None:
    await client.says("人工", "1:oU1")
    status, waiting = await client.call("GET", "conversations?state=waiting")
    assert (status, [one["openid"] for one in waiting]) == (200, ["oU1"])
    await client.call("POST", "conversations/oU1/take")
    assert await client.says("在吗", "2:oU1") == ""
    assert (await client.call("POST", "conversations/oU1/reply", {"text": "您好，我是护士小李"}))[0] == 200
    assert (await client.call("POST", "conversations/oU1/release"))[0] == 200
    owed = await client.owed()
    assert owed[0] == "您好，我是护士小李"
    assert "人工服务已结束" in owed[1]
    assert "请问有什么可以帮您" in await client.says("你好", "3:oU1")


async def test_a_nurse_who_has_it_keeps_it(client: Client) -> None:
    await client.says("人工", "1:oU1")
    database = client.server.house.database
    row = await database.read(lambda db: conversations.by_openid(db, "oU1"))
    assert row is not None
    await database.write(lambda db: desk.take(db, row.id, "li"))
    assert (await client.call("POST", "conversations/oU1/take"))[0] == 409


async def test_the_description_names_every_call(client: Client) -> None:
    status, body = await client.call("GET", "openapi.json")
    assert (status, body["openapi"]) == (200, "3.1.0")
    assert "/api/v1/conversations/{openid}/reply" in body["paths"]
