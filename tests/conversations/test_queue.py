"""Waiting for a person: how many are before you, and whether anybody is there."""

from __future__ import annotations

from datetime import timedelta

from storage.tables import roster, users
from tests.chat import Chat
from tests.hospital_folder import contact, open_hospital


async def a_nurse(chat: Chat, name: str = "li") -> None:
    await chat.inserts(users, name=name, role="nurse", created_at=chat.clock.now())


async def test_the_place_in_the_queue_is_told(chat: Chat) -> None:
    await chat.does(open_hospital)
    await a_nurse(chat)
    assert "前面还有" not in await chat.says("人工", "oFirst")
    chat.passes(minutes=1)
    assert "前面还有1位" in await chat.says("人工", "oSecond")
    chat.passes(minutes=11)
    assert "前面还有" not in await chat.says("还要多久", "oFirst")
    assert "前面还有1位" in await chat.says("还要多久", "oSecond")
    await chat.says("结束", "oFirst")
    chat.passes(minutes=11)
    answer = await chat.says("还要多久", "oSecond")
    assert "正在排队" in answer
    assert "前面还有" not in answer


async def test_nobody_is_there_and_it_is_said(chat: Chat) -> None:
    await chat.does(open_hospital)
    answer = await chat.says("人工")
    assert "现在没有护士在线" in answer
    assert "120" in answer


async def test_when_somebody_will_be_there(chat: Chat) -> None:
    await chat.does(open_hospital)
    await a_nurse(chat)
    start = chat.clock.now() + timedelta(hours=3)
    await chat.inserts(roster, user_name="li", start_at=start, end_at=start + timedelta(hours=8))
    await chat.does(lambda db: contact(db, "oPatient"))
    answer = await chat.says("人工")
    assert "现在没有护士在线" in answer
    assert "13:00起有人值班" in answer
