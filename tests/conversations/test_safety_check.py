"""A danger sign that may not be happening now is asked about, and silence counts as happening."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from bot.outbox import alarm
from storage.rows import Row
from storage.tables import alerts
from tests.chat import Chat


async def raised(chat: Chat) -> Sequence[Row]:
    return await chat.asks(lambda db: db.execute(sa.select(alerts).order_by(alerts.c.id)).all())


async def test_a_doubt_that_was_alarmed_already_is_alarmed_once(chat: Chat) -> None:
    await chat.reads("""
        患者 胸闷
        小护 正在联系值班护士
        小护 1 我本人，正在发生
        患者 1
        小护 护士已经收到
    """)
    assert [row.level for row in await raised(chat)] == ["U"]


async def test_a_doubt_that_is_only_a_question_is_let_go(chat: Chat) -> None:
    await chat.reads("""
        患者 胸闷
        小护 4 只是想了解
        患者 4
        小护 没有就好
    """)


async def test_silence_counts_as_happening(chat: Chat) -> None:
    await chat.says("昨天胸痛，现在好了")
    rows = await raised(chat)
    if rows and rows[0].status == "asking":
        chat.passes(minutes=11)
        now = chat.clock.now()
        assert await chat.does(lambda db: alarm.raise_unanswered(db, now)) == 1
        rows = await raised(chat)
    assert [(row.level, row.status) for row in rows] == [("U", "open")]


async def test_a_danger_told_in_pieces_is_heard(chat: Chat) -> None:
    for piece in ("我妈", "突然"):
        assert "120" not in (await chat.says(piece)).replace("紧急情况请拨120", "")
        chat.passes(seconds=5)
    assert (await chat.says("说不出话了")).startswith("您说的情况可能很紧急")
    chat.passes(seconds=5)
    assert "您说的情况可能很紧急" not in await chat.says("好的谢谢")  # it was answered


async def test_pieces_an_hour_apart_are_no_sentence(chat: Chat) -> None:
    await chat.says("我妈")
    chat.passes(hours=1)
    await chat.says("你好")
    assert await raised(chat) == []


async def test_our_own_warning_sent_back_is_no_alarm(chat: Chat) -> None:
    warning = await chat.says("我喘不上气了")
    count = len(await raised(chat))
    chat.passes(hours=2)
    await chat.says(warning)
    assert len(await raised(chat)) == count
