"""Which department? Never a diagnosis, never a word about a drug."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from storage.tables import conversations, tasks
from tests.chat import Chat
from tests.hospital_folder import bound, open_hospital


@pytest.fixture
async def hospital(chat: Chat) -> Chat:
    await chat.does(open_hospital)
    await chat.does(bound("oPatient", "P01"))
    return chat


async def test_a_symptom_becomes_a_department_and_a_booking(hospital: Chat) -> None:
    await hospital.reads("""
        患者 膝盖疼挂什么科
        小护 骨科（门诊楼3层东区）
        小护 张建国 主任医师
        小护 膝关节置换
        小护 不是诊断
        小护 120
        小护 1 预约骨科
        小护 2 请护士解答
        患者 1
        小护 骨科近期有号
        患者 周五上午张建国
        患者 1
        小护 预约成功
    """)


async def test_the_day_said_with_the_symptom_is_kept(hospital: Chat) -> None:
    await hospital.reads("""
        患者 牙疼，下周二下午看什么科好
        小护 口腔科
        患者 1
        小护 11月24日 周二 14:00
    """)


async def test_the_word_alone_asks_what_is_wrong(hospital: Chat) -> None:
    await hospital.reads("""
        患者 挂什么科
        小护 哪里不舒服
        患者 就是不得劲
        小护 还不能判断
        小护 人工
        患者 拉肚子
        小护 消化内科
    """)


async def test_a_stranger_may_ask_too(hospital: Chat) -> None:
    assert "儿科（儿童楼1层）" in await hospital.says("孩子发烧咳嗽看什么科", "oStranger")


async def test_what_no_department_here_sees_goes_to_a_nurse(hospital: Chat) -> None:
    await hospital.reads("""
        患者 头晕看什么科
        小护 ~ 消化
        小护 ~ 心血管
    """)


@pytest.mark.parametrize("question", ["头孢一天吃几次", "术后多久可以停阿司匹林", "降压药可以两种一起吃吗"])
async def test_a_medicine_question_is_handed_to_a_nurse(hospital: Chat, question: str) -> None:
    answer = await hospital.says(question)
    for word in ("mg", "毫克", "一天三次", "可以停", "可以吃"):
        assert word not in answer
    assert "120" in answer
    assert "请护士解答" in answer
    await hospital.reads("""
        患者 1
        小护 转接护士
    """)
    found = await hospital.asks(lambda db: db.execute(sa.select(tasks)).one())
    assert (found.kind, found.reason) == ("handoff", "健康或用药咨询")
    handover = await hospital.asks(lambda db: db.execute(sa.select(conversations.c.handover)).scalar_one())
    assert handover["slots"]["told"] == question


async def test_no_help_wanted(hospital: Chat) -> None:
    await hospital.reads("""
        患者 膝盖疼挂什么科
        患者 不用了
        小护 120
    """)


async def test_another_symptom_instead(hospital: Chat) -> None:
    await hospital.reads("""
        患者 膝盖疼挂什么科
        患者 还有牙疼呢
        小护 口腔科
    """)


@pytest.mark.parametrize(
    ("text", "department"),
    [
        ("my knee has hurt for a week", "骨科"),
        ("My daughter has a fever and a cough, which department?", "儿科"),
        ("I have had a stomach ache since Monday", "消化内科"),
        ("my blood pressure is a bit high, whom should I see?", "心血管内科"),
        ("toothache", "口腔科"),
    ],
)
async def test_in_english(hospital: Chat, text: str, department: str) -> None:
    await hospital.does(bound("oEmma", "P06"))
    answer = await hospital.says(text, "oEmma")
    assert f"1 Book {department}" in answer
    assert "120" in answer


async def test_when_it_began_is_not_when_to_come(hospital: Chat) -> None:
    await hospital.reads("""
        患者 今天早上起来膝盖就疼，应该挂哪个科
        小护 预约骨科
        患者 1
        小护 骨科近期有号
    """)


async def test_a_symptom_in_the_middle_of_a_booking(hospital: Chat) -> None:
    await hospital.reads("""
        患者 挂心内科
        小护 近期有号
        患者 老是头晕三天了
        小护 告诉医生
        小护 近期有号
    """)


async def test_the_department_and_the_booking_in_one_sentence(hospital: Chat) -> None:
    await hospital.reads("""
        患者 膝盖疼挂什么科，明天有号吗
        小护 骨科
        患者 1
        小护 11月19日
        患者 1
        小护 确认
        患者 1
        小护 预约成功
        小护 ~ 请问
        患者 谢谢
        小护 不客气
    """)
