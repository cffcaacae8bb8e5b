"""Greetings, the menu, what nobody understands, and a person."""

from __future__ import annotations

import sqlalchemy as sa

from storage.tables import alerts, conversations, tasks
from tests.chat import Chat


async def test_hello_is_answered_with_the_notice_once(chat: Chat) -> None:
    await chat.reads("""
        患者 你好
        小护 自动回复助手
        小护 请问有什么可以帮您
        患者 你好
        小护 ~ 不能代替医生诊断
        小护 自动回复
    """)
    chat.passes(days=31)
    assert "不能代替医生诊断" in await chat.says("你好")


async def test_what_nobody_understands_is_no_dead_end(chat: Chat) -> None:
    await chat.reads("""
        患者 嫦娥为什么要奔月
        小护 人工
    """)


async def test_an_emergency_reads_120_first_and_alone(chat: Chat) -> None:
    answer = await chat.says("我妈突然喘不上气嘴唇发紫")
    assert answer.startswith("您说的情况可能很紧急")
    assert "120" in answer
    assert "助手" not in answer
    rows = await chat.asks(lambda db: db.execute(sa.select(alerts)).all())
    assert [row.level for row in rows] == ["E"]


async def test_a_retry_gets_the_same_answer_and_leaves_one_alarm(chat: Chat) -> None:
    first = await chat.says("我妈突然喘不上气嘴唇发紫", key="7:oPatient")
    again = await chat.says("我妈突然喘不上气嘴唇发紫", key="7:oPatient")
    assert again == first
    assert len(await chat.asks(lambda db: db.execute(sa.select(alerts)).all())) == 1


async def test_a_person_is_asked_for_and_let_go(chat: Chat) -> None:
    await chat.reads("""
        患者 人工
        小护 转接护士
        患者 在吗在吗
    """)
    assert await chat.says("还没有人吗") == ""
    chat.passes(minutes=11)
    assert "排队" in await chat.says("喂")
    assert "120" in await chat.says("我喘不上气了")
    await chat.reads("""
        患者 结束
        小护 我又回来了
        患者 你好
        小护 请问有什么可以帮您
    """)
    owner = await chat.asks(lambda db: db.execute(sa.select(conversations.c.owner)).scalar())
    assert owner == "bot"
    kinds = await chat.asks(lambda db: db.execute(sa.select(tasks.c.kind)).scalars().all())
    assert list(kinds) == ["handoff"]


async def test_a_voice_note_goes_to_a_nurse(chat: Chat) -> None:
    answer = await chat.says("", type="voice", payload={"MediaId": "M1"})
    assert "120" in answer
    kinds = await chat.asks(lambda db: db.execute(sa.select(tasks.c.kind)).scalars().all())
    assert list(kinds) == ["media"]


async def test_the_script_of_a_conversation_stays(chat: Chat) -> None:
    """道歉 is written alike in both scripts: it must not turn a Traditional dialogue into a Simplified one."""
    await chat.reads("""
        患者 投訴
        小护 發生了什麼
        患者 護士態度好差
        小护 什麼時候
        患者 跳過
        小护 怎麼做
        患者 道歉
        小护 是否提交
        小护 （自動回覆）
    """)


async def test_a_number_without_a_question_is_not_a_greeting(chat: Chat) -> None:
    await chat.reads("""
        患者 1
        小护 没有看懂
    """)


async def test_danger_that_the_platform_heard_in_a_voice_message(chat: Chat) -> None:
    heard = {"MediaId": "M1", "Recognition": "我妈突然喘不上气嘴唇发紫。"}
    answer = await chat.says("", type="voice", payload=heard)
    assert answer.startswith("您说的情况可能很紧急")
    rows = await chat.asks(lambda db: db.execute(sa.select(alerts.c.level)).scalars().all())
    assert list(rows) == ["E"]
    harmless = {"MediaId": "M2", "Recognition": "我想挂个骨科的号"}
    assert "护士会查看" in await chat.says("", type="voice", payload=harmless)
    kinds = await chat.asks(lambda db: db.execute(sa.select(tasks.c.kind)).scalars().all())
    assert "media" in kinds
