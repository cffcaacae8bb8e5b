"""Seeing, cancelling and moving bookings."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from storage.tables import appointments, slots
from tests.chat import Chat
from tests.hospital_folder import bound, open_hospital, slot_code


@pytest.fixture
async def hospital(chat: Chat) -> Chat:
    await chat.does(open_hospital)
    await chat.does(bound("oPatient", "P01"))
    return chat


async def book(chat: Chat, sentence: str, openid: str = "oPatient") -> None:
    await chat.says(sentence, openid)
    assert "预约成功" in await chat.says("1", openid)


async def rows(chat: Chat) -> list[tuple[str, str, str]]:
    """Number, slot and status of every appointment."""
    columns = (appointments.c.number, appointments.c.slot_code, appointments.c.status)
    found = await chat.asks(lambda db: db.execute(sa.select(*columns).order_by(appointments.c.id)).all())
    return [tuple(row) for row in found]


async def test_the_list_shows_number_time_doctor_and_place(hospital: Chat) -> None:
    assert "没有待就诊的预约" in await hospital.says("我的预约")
    await book(hospital, "周五上午张建国")
    await book(hospital, "下周一上午王海燕")
    await hospital.reads("""
        患者 我的预约
        小护 林*远的预约
        小护 11月20日 周五 08:30 骨科 张建国 主任医师，门诊楼3层东区，预约号 YY000001
        小护 11月23日 周一 08:30 心血管内科 王海燕 主任医师，门诊楼5层西区，预约号 YY000002
    """)
    hospital.passes(days=3)
    answer = await hospital.says("我约了什么")
    assert "YY000001" not in answer
    assert "YY000002" in answer


async def test_cancelling_the_only_booking(hospital: Chat) -> None:
    await book(hospital, "周五上午张建国")
    await hospital.reads("""
        患者 取消预约
        小护 确认取消这个预约吗
        小护 YY000001
        小护 ~ 已取消
        患者 不
        小护 保留不变
        患者 取消
        小护 确认取消这个预约吗
        患者 是
        小护 已取消
        小护 YY000001
    """)
    assert await rows(hospital) == [("YY000001", slot_code("D01", "2026-11-20 08:30"), "cancelled")]
    assert "余2" in (await hospital.says("周五上午骨科")).splitlines()[1]


async def test_which_of_several_is_asked_or_said(hospital: Chat) -> None:
    await book(hospital, "周五上午张建国")
    await book(hospital, "下周一上午王海燕")
    await hospital.reads("""
        患者 取消预约
        小护 取消哪一个
        小护 1 11月20日 周五 08:30 骨科 张建国
        患者 2
        小护 王海燕
        患者 2
        小护 保留不变
        患者 取消周五的预约
        小护 确认取消
        小护 张建国
        患者 1
        小护 已取消
        小护 YY000001
        患者 帮我把YY000002取消
        小护 王海燕
        患者 1
        小护 已取消
    """)


async def test_cancel_with_nothing_open_is_a_kind_word(hospital: Chat) -> None:
    assert "没有正在办理的事" in await hospital.says("取消")
    assert "没有正在办理的事" in await hospital.says("取消", "oStranger")


async def test_moving_keeps_the_number_and_frees_the_old_time(hospital: Chat) -> None:
    await book(hospital, "周五上午张建国")
    await hospital.reads("""
        患者 改到下周三上午10点半
        小护 原时间：11月20日 周五 08:30 张建国
        小护 新时间：11月25日 周三 10:30 张建国
        小护 ~ 改约成功
        患者 是
        小护 改约成功
        小护 YY000001
        小护 11月25日 周三 10:30
    """)
    assert await rows(hospital) == [("YY000001", slot_code("D01", "2026-11-25 10:30"), "booked")]


async def test_moving_step_by_step_with_another_doctor(hospital: Chat) -> None:
    await book(hospital, "周五上午张建国")
    await book(hospital, "下周一上午王海燕")
    await hospital.reads("""
        患者 改约
        小护 改哪一个
        患者 1
        小护 近期有号
        患者 换个医生
        小护 骨科
        患者 李文博 下周四上午
        小护 新时间：11月26日 周四 08:30 李文博
        患者 1
        小护 改约成功
        小护 YY000001
    """)
    assert (await rows(hospital))[0] == ("YY000001", slot_code("D03", "2026-11-26 08:30"), "booked")


async def test_old_and_new_day_in_one_sentence(hospital: Chat) -> None:
    await book(hospital, "周五上午张建国")
    await book(hospital, "下周一上午王海燕")
    await hospital.reads("""
        患者 把周五的预约改到下周一上午
        小护 原时间：11月20日 周五 08:30 张建国
        小护 新时间：11月23日 周一 08:30 张建国
        患者 不改了
        患者 取消
    """)


async def test_the_old_time_is_kept_when_the_new_one_is_gone(hospital: Chat) -> None:
    await book(hospital, "周五上午张建国")
    await hospital.says("改到下周三上午10点半")
    taken = slot_code("D01", "2026-11-25 10:30")
    await hospital.does(lambda db: db.execute(slots.update().where(slots.c.code == taken).values(capacity=0)))
    await hospital.reads("""
        患者 1
        小护 刚刚被约走了
        小护 ~ 改约成功
    """)
    assert await rows(hospital) == [("YY000001", slot_code("D01", "2026-11-20 08:30"), "booked")]


async def test_within_the_same_half_day(hospital: Chat) -> None:
    await book(hospital, "周五上午张建国")
    await hospital.reads("""
        患者 改成周五10点半
        小护 新时间：11月20日 周五 10:30 张建国
        患者 1
        小护 改约成功
    """)


async def test_nothing_to_move(hospital: Chat) -> None:
    assert "没有待就诊的预约" in await hospital.says("改约")


async def test_somebody_elses_bookings_stay_their_own(hospital: Chat) -> None:
    await book(hospital, "周五上午张建国")
    await hospital.does(bound("oOther", "P05"))
    await hospital.reads(
        """
        患者 取消YY000001
        小护 没有待就诊的预约
        小护 ~ 张建国
    """,
        "oOther",
    )


async def test_in_english(hospital: Chat) -> None:
    await hospital.does(bound("oEmma", "P06"))
    await hospital.reads(
        """
        患者 orthopaedics tomorrow afternoon
        患者 1
        患者 yes
        小护 Your visit is booked
        患者 my appointments
        小护 Thu 19 Nov 14:00 骨科 张建国
        患者 cancel my appointment
        小护 Shall I cancel this?
        患者 yes
        小护 is cancelled
        小护 YY000001
    """,
        "oEmma",
    )
