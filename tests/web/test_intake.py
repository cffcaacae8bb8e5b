"""Many patients write in the same moment: received together, answered each for itself."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from bot.conversation.receive import Reception
from bot.domain.inbound import Inbound, Reply
from bot.hospital import points
from bot.web.intake import Intake
from storage.database import open_database
from storage.dialect import lock_row
from storage.tables import contacts, conversations, messages, patients
from tests.chat import Chat
from tests.conftest import NOW
from tests.hospital_folder import ACCOUNT, bound, contact, open_hospital


def message(openid: str, text: str, key: str = "1") -> Inbound:
    return Inbound(
        account=ACCOUNT, openid=openid, key=f"{key}:{openid}", type="text", written_at=NOW, text=text
    )


@pytest.fixture
def intake(chat: Chat) -> Intake:
    return Intake(chat.database, chat.reception, chat.clock, lambda: None)


async def all_write(intake: Intake, *inbounds: Inbound) -> list[Reply]:
    return await asyncio.gather(*(intake.receive(one) for one in inbounds))


async def test_everybody_reads_the_answer_to_what_they_wrote(chat: Chat, intake: Intake) -> None:
    await chat.does(open_hospital)
    await chat.does(bound("oLin", "P01"))
    texts = {
        "oLin": "我的积分有多少",
        **{f"o{number}": "停车在哪里" for number in range(70)},
        "oEn": "Where can I park?",
    }
    replies = dict(
        zip(texts, await all_write(intake, *(message(*one) for one in texts.items())), strict=True)
    )
    assert "积分" in replies["oLin"].text
    assert "(Automatic reply)" in replies["oEn"].text
    for number in range(70):
        assert "停车" in replies[f"o{number}"].text
        assert "积分" not in replies[f"o{number}"].text
    kept = await chat.asks(
        lambda db: db.execute(sa.select(messages.c.key, messages.c.text, messages.c.dir)).all()
    )
    answers = {row.key: row.text for row in kept if row.dir == "out"}
    assert answers == {f"re:1:{openid}": reply.text for openid, reply in replies.items()}


async def test_a_retry_among_others_reads_what_it_read_before(chat: Chat, intake: Intake) -> None:
    (first,) = await all_write(intake, message("oOne", "你好"))
    again, *_ = await all_write(
        intake, message("oOne", "你好"), message("oTwo", "你好"), message("oThree", "你好")
    )
    assert again == first
    assert await chat.asks(lambda db: db.scalar(sa.select(sa.func.count()).select_from(messages))) == 6


async def test_forms_go_on_for_each(chat: Chat, intake: Intake) -> None:
    await chat.does(open_hospital)
    openids = [f"o{number}" for number in range(20)]
    await all_write(intake, *(message(one, "我要投诉", "1") for one in openids))
    replies = await all_write(intake, *(message(one, "取消", "2") for one in openids))
    assert len({reply.text for reply in replies}) == 1
    assert "已停下" in replies[0].text


async def test_giving_points_to_somebody_who_writes_in_the_same_moment(chat: Chat, intake: Intake) -> None:
    """What the one does puts a question into the other's conversation; neither is lost."""
    await chat.does(open_hospital)
    await chat.does(bound("oLin", "P01"))
    await chat.does(bound("oXu", "P05"))
    await chat.does(lambda db: points.record_purchase(db, "C1", "P01", Decimal("10001"), NOW))
    phone = await chat.asks(lambda db: db.scalar(sa.select(patients.c.phone).where(patients.c.code == "P05")))
    assert "500 积分" in await chat.says(f"送积分 500 给 {phone}", "oLin")
    given, complains = await all_write(intake, message("oLin", "1", "9"), message("oXu", "我要投诉", "9"))
    assert "正在等待对方接受" in given.text
    assert complains.text
    forms = await chat.asks(lambda db: db.scalars(_forms_of("oXu")).one())
    assert len(forms) == 2
    assert forms[-1]["form"] == "complaint"


class _Stumbling(Reception):
    """Cannot read one of the texts, as an unknown defect might make it."""

    def _answer(self, talk, row):  # type: ignore[no-untyped-def]
        if talk.said.text == "坏":
            raise ZeroDivisionError
        return super()._answer(talk, row)


async def test_one_that_fails_fails_alone(chat: Chat) -> None:
    chat.reception.__class__ = _Stumbling
    intake = Intake(chat.database, chat.reception, chat.clock, lambda: None)
    good, bad, fine = await asyncio.gather(
        intake.receive(message("oOne", "你好")),
        intake.receive(message("oTwo", "坏")),
        intake.receive(message("oThree", "你好")),
        return_exceptions=True,
    )
    assert isinstance(bad, ZeroDivisionError)
    assert isinstance(good, Reply)
    assert isinstance(fine, Reply)
    assert good.text == fine.text != ""


async def test_who_is_held_up_holds_up_nobody_else(chat: Chat, intake: Intake, database_url: str) -> None:
    if chat.database.dialect == "sqlite":
        pytest.skip("one writer: there is nobody to wait for")
    held = await chat.does(lambda db: contact(db, "oHeld"))
    other, holding, let_go = open_database(database_url), asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with other._engine.begin() as connection:  # type: ignore[attr-defined]
            await connection.run_sync(
                lambda db: lock_row(db, sa.select(conversations).where(conversations.c.contact_id == held))
            )
            holding.set()
            await let_go.wait()

    holder = asyncio.create_task(hold())
    await holding.wait()
    waiting = asyncio.create_task(intake.receive(message("oHeld", "你好")))
    others = asyncio.gather(*(intake.receive(message(f"o{number}", "你好")) for number in range(10)))
    assert all(reply.text for reply in await asyncio.wait_for(others, 5))
    assert not waiting.done()
    let_go.set()
    assert (await waiting).text
    await holder
    await other.close()


async def test_whose_unionid_is_not_known_speaks_for_nobody_else(chat: Chat, intake: Intake) -> None:
    """The platform answers "" for many; that does not make them one person."""
    await chat.does(open_hospital)
    await chat.does(bound("oLin", "P01"))
    await chat.says("你好", "oStranger")
    await chat.does(lambda db: db.execute(contacts.update().values(unionid="")))
    mine, theirs = await all_write(
        intake, message("oLin", "我的积分", "5"), message("oStranger", "我的积分", "5")
    )
    assert "您的积分余额" in mine.text
    assert "手机号" in theirs.text


def _forms_of(openid: str) -> sa.Select[tuple[Any]]:
    return (
        sa.select(conversations.c.forms)
        .join(contacts, contacts.c.id == conversations.c.contact_id)
        .where(contacts.c.openid == openid)
    )
