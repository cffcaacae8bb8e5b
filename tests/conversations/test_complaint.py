"""Complaints: guided, numbered, promised a day in working days; followed, added to, answered, reopened."""

from __future__ import annotations

import re

import sqlalchemy as sa

from bot.hospital import complaints
from storage.tables import alerts, tasks, ticket_entries, tickets
from tests.chat import Chat


async def file_a_complaint(chat: Chat) -> str:
    await chat.reads("""
        患者 投诉
        小护 发生了什么
        患者 骨科护士态度很差，叫了三遍都不理
        小护 在哪里、什么时候
        患者 昨天下午门诊三楼，不知道名字
        小护 您希望我们怎么做
        患者 希望道歉
        小护 骨科护士态度很差
        小护 希望：希望道歉
    """)
    answer = await chat.says("1")
    number = re.search(r"TS\d{6,}", answer)
    assert number, answer
    assert "已登记" in answer
    assert "11月25日" in answer  # the fifth working day after Wednesday 18 November
    return number[0]


async def test_a_complaint_is_guided_and_registered(chat: Chat) -> None:
    number = await file_a_complaint(chat)
    row = await chat.asks(lambda db: db.execute(sa.select(tickets)).one())
    assert (row.number, row.status, row.kind) == (number, "received", "complaint")
    assert row.account_given["wish"] == "希望道歉"
    assert list(await chat.asks(lambda db: db.execute(sa.select(tasks.c.kind)).scalars().all())) == [
        "complaint"
    ]


async def test_a_sentence_that_tells_it_skips_the_first_question(chat: Chat) -> None:
    await chat.reads("""
        患者 我要投诉收费处的人态度恶劣还乱收费
        小护 在哪里、什么时候
        患者 跳过
        小护 您希望我们怎么做
        患者 跳过
        小护 是否提交
        患者 不
        小护 发生了什么
        患者 取消
        小护 停下
    """)
    assert await chat.asks(lambda db: db.execute(sa.select(tickets)).first()) is None


async def test_pictures_belong_to_the_complaint(chat: Chat) -> None:
    await chat.says("投诉")
    answer = await chat.says("", type="image", payload={"MediaId": "M7"})
    assert "再用文字说说" in answer
    await chat.reads("""
        患者 厕所太脏了没有人打扫
        小护 在哪里
        患者 跳过
        小护 您希望
        患者 跳过
        小护 图片：1 张
        患者 确认
        小护 已登记
    """)
    kinds = await chat.asks(lambda db: db.execute(sa.select(ticket_entries.c.kind)).scalars().all())
    assert list(kinds) == ["picture"]


async def test_progress_addition_answer_and_reopening(chat: Chat) -> None:
    number = await file_a_complaint(chat)
    await chat.reads(f"""
        患者 投诉进度
        小护 {number}
        小护 11月25日
        患者 补充
        小护 要补充的内容
        患者 她还把病历摔在桌上
        小护 已补充到投诉 {number}
    """)
    now = chat.clock.now()
    await chat.does(lambda db: complaints.reply(db, now, number, "已对当事人批评教育。", "office"))
    await chat.reads("""
        患者 投诉进度
        小护 已答复
        患者 不满意
        小护 重新打开
        患者 没有人向我道歉
        小护 已转给负责人
        患者 投诉进度
        小护 已重新处理
    """)
    await chat.does(lambda db: complaints.reply(db, now, number, "护士长已致电道歉。", "office"))
    await chat.reads(f"""
        患者 满意
        小护 {number}
    """)
    status = await chat.asks(lambda db: db.execute(sa.select(tickets.c.status)).scalar())
    assert status == "accepted"


async def test_without_a_complaint_there_is_nothing_to_follow(chat: Chat) -> None:
    await chat.reads("""
        患者 投诉进度
        小护 没有查到您的投诉
        患者 满意
        小护 谢谢
    """)


async def test_a_red_flag_in_a_complaint_is_an_alarm_first(chat: Chat) -> None:
    await chat.reads("""
        患者 投诉
        小护 发生了什么
        患者 我妈现在喘不上气嘴唇发紫你们还不管
        小护 120
        小护 ~ 在哪里、什么时候
        患者 已经叫了救护车了，但是刚才分诊台没人理我们
    """)
    levels = await chat.asks(lambda db: db.execute(sa.select(alerts.c.level)).scalars().all())
    assert "E" in levels


async def test_praise_is_registered(chat: Chat) -> None:
    await chat.reads("""
        患者 表扬
        小护 想表扬谁
        患者 骨科张敏医生特别耐心
        小护 已登记
    """)


async def test_more_before_it_is_sent_in(chat: Chat) -> None:
    await chat.reads("""
        患者 投诉
        患者 护士态度很差，问什么都不理
        患者 跳过
        患者 1
        小护 ~ 请核对
        患者 跳过
        小护 请核对
        患者 补充
        患者 当时还有别的病人在场
        小护 还有别的病人在场
        小护 是否提交
        患者 投诉进度
        小护 是否提交
        小护 ~ 投诉进度
        患者 好的
        小护 已登记，编号TS
    """)
