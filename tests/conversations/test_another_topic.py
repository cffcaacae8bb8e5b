"""In the middle of one thing people ask for another: it is answered, and the first is taken up again."""

from __future__ import annotations

import pytest

from tests.chat import Chat
from tests.hospital_folder import bound, open_hospital


@pytest.fixture
async def hospital(chat: Chat) -> Chat:
    await chat.does(open_hospital)
    await chat.does(bound("oPatient", "P01"))
    return chat


async def test_the_menu_gives_way_to_a_sentence(hospital: Chat) -> None:
    await hospital.reads("""
        患者 菜单
        小护 预约挂号
        患者 我要挂骨科
        小护 骨科近期有号
        小护 ~ 没有看懂
    """)


async def test_the_menu_gives_way_to_the_question_below_it(hospital: Chat) -> None:
    await hospital.reads("""
        患者 我要挂骨科
        患者 菜单
        患者 周五上午
        小护 11月20日 周五
        小护 ~ 没有看懂
    """)


async def test_the_menu_answers_what_is_asked_meanwhile(hospital: Chat) -> None:
    await hospital.reads("""
        患者 菜单
        患者 停车收费吗
        小护 前30分钟免费
        小护 ~ 报告查询
        患者 99
        小护 没有看懂
    """)


async def test_a_question_in_the_middle_of_a_complaint(hospital: Chat) -> None:
    await hospital.reads("""
        患者 投诉
        小护 发生了什么
        患者 有停车场吗？
        小护 前30分钟免费
        小护 接着刚才的
        小护 发生了什么
        患者 缴费窗口排了两小时队没人管
        小护 在哪里
        患者 骨科门诊，昨天上午，王海燕医生
        小护 希望我们怎么做
        患者 你们的停车场要收费吗？
        小护 前30分钟免费
        小护 希望我们怎么做
        患者 希望多开几个窗口
        小护 请核对
        小护 ~ 停车
        患者 周末上班吗
        小护 周六上午开诊
        小护 请核对
        小护 ~ 周末上班吗
        患者 补充一下，后来还骂了人，态度特别恶劣
        小护 还骂了人
        患者 1
        小护 已登记，编号TS
    """)


async def test_another_wish_in_the_middle_of_a_complaint(hospital: Chat) -> None:
    await hospital.reads("""
        患者 投诉
        患者 帮我挂明天上午骨科的号
        小护 骨科
        小护 11月19日
        患者 1
        小护 确认
        患者 1
        小护 预约成功
        小护 发生了什么
    """)


async def test_a_story_that_names_a_place_is_no_booking(hospital: Chat) -> None:
    await hospital.reads("""
        患者 投诉
        患者 骨科张敏医生态度恶劣，当着大家骂我
        小护 在哪里
        患者 骨科 昨天上午
        小护 希望我们怎么做
        患者 停车场
        小护 请核对
        小护 停车场
    """)


async def test_praise_is_not_taken_for_a_question(hospital: Chat) -> None:
    await hospital.reads("""
        患者 表扬
        患者 可以停车吗
        小护 前30分钟免费
        患者 刘强医生特别耐心
        小护 TS
    """)


async def test_a_topics_very_name_is_not_taken_for_a_choice(hospital: Chat) -> None:
    await hospital.reads("""
        患者 降压药可以两种一起吃吗
        小护 预约挂号
        患者 我的预约
        小护 没有待就诊的预约
        小护 ~ 请问要看哪个科室
    """)
