"""Booking a visit, in one sentence and step by step, and everything that can stand in the way."""

from __future__ import annotations

import asyncio
import re

import pytest
import sqlalchemy as sa

from storage.tables import appointments, bindings, contacts, conversations, patients, slots
from tests import sms
from tests.chat import Chat
from tests.hospital_folder import ACCOUNT, OPENED, add_slot, bound, open_hospital, slot_code


@pytest.fixture
async def hospital(chat: Chat) -> Chat:
    await chat.does(open_hospital)
    await chat.does(bound("oPatient", "P01"))
    return chat


async def booked(chat: Chat) -> list[tuple[str, str, str]]:
    """Patient, slot and status of every appointment, oldest first."""
    columns = (appointments.c.patient_code, appointments.c.slot_code, appointments.c.status)
    rows = await chat.asks(lambda db: db.execute(sa.select(*columns).order_by(appointments.c.id)).all())
    return [tuple(row) for row in rows]


async def test_a_complete_sentence_goes_straight_to_the_confirmation(hospital: Chat) -> None:
    await hospital.reads("""
        患者 下周三上午张建国主任的号
        小护 11月25日 周三 08:30
        小护 张建国 主任医师
        小护 骨科（门诊楼3层东区）
        小护 50元
        小护 林*远
        小护 ~ 预约成功
        患者 是
        小护 预约成功
        小护 YY000001
        小护 11月25日 周三 08:30
    """)
    assert await booked(hospital) == [("P01", slot_code("D01", "2026-11-25 08:30"), "booked")]


@pytest.mark.parametrize(
    "sentence",
    [
        "张建国主任 下周三 上午9点半",
        "我想约下周三上午9点半的张建国",
        "下周三9点半挂骨科张建国",
        "帮我挂个号，章建国医生，11月25号上午九点半",
        "zhang jianguo 11月25日上午9:30",
        "張建國醫生，下週三上午9點半",
    ],
)
async def test_who_and_when_in_any_order_and_spelling(hospital: Chat, sentence: str) -> None:
    answer = await hospital.says(sentence)
    assert "11月25日 周三 09:30" in answer
    assert "张建国" in answer
    assert "预约成功" in await hospital.says("确认")


async def test_step_by_step(hospital: Chat) -> None:
    await hospital.reads("""
        患者 预约挂号
        小护 哪个科室
        小护 骨科
        患者 骨科
        小护 11月19日 周四 上午
        患者 后天
        小护 11月20日 周五 08:30 张建国
        小护 11月20日 周五 14:00 张敏
        患者 上午李文博
        小护 就诊人：林*远
        小护 11月20日 周五 08:30
        患者 9点半
        小护 时间：11月20日 周五 09:30
        小护 李文博
        患者 好的
        小护 预约成功
    """)
    assert await booked(hospital) == [("P01", slot_code("D03", "2026-11-20 09:30"), "booked")]


async def test_numbers_choose_and_what_is_shown_is_really_free(hospital: Chat) -> None:
    answer = await hospital.says("明天下午骨科")
    assert "1 11月19日 周四 14:00 张建国" in answer
    await hospital.reads("""
        患者 2
        小护 11月19日 周四 15:00
        患者 1
        小护 预约成功
    """)
    await hospital.does(bound("oOther", "P05"))
    assert "15:00 张建国 主任医师 50元 余1" in await hospital.says("明天下午骨科", "oOther")


async def test_a_symptom_instead_of_a_department(hospital: Chat) -> None:
    await hospital.reads("""
        患者 膝盖疼，想挂明天上午的号
        小护 建议看骨科
        小护 11月19日 周四 08:30
        患者 取消
        患者 挂号
        患者 牙疼
        小护 口腔科
    """)


@pytest.mark.parametrize("wanted", ["皮肤科", "神经外科", "肛肠科", "眼科"])
async def test_a_department_that_is_not_here_is_never_taken_for_another(hospital: Chat, wanted: str) -> None:
    answer = await hospital.says(f"预约明天上午{wanted}")
    assert f"本院暂时没有{wanted}" in answer
    assert "3 骨科" in answer
    assert "儿科" in await hospital.says("儿科")


async def test_two_doctors_of_one_surname_are_asked_about(hospital: Chat) -> None:
    await hospital.reads("""
        患者 张医生明天的号
        小护 哪位医生
        小护 1 张建国
        小护 2 张敏
        患者 张敏
        小护 11月19日 周四 08:30 张敏
    """)


async def test_an_ambiguous_day_is_asked_about(hospital: Chat) -> None:
    await hospital.reads("""
        患者 周三骨科
        小护 哪一天
        小护 1 11月18日 周三（今天）
        小护 2 11月25日 周三
        患者 2
        小护 11月25日 周三 08:30 张建国
    """)


async def test_a_past_day_is_refused_kindly(hospital: Chat) -> None:
    await hospital.reads("""
        患者 预约昨天上午骨科
        小护 已经过去了
        小护 11月18日 周三
    """)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("不是周五，是下周一", "11月23日 周一"),
        ("改成下周三上午", "11月25日 周三"),
        ("换成张敏", "张敏"),
        ("换个医生", "李文博"),
        ("改成10点半", "11月20日 周五 10:30"),
        ("不是骨科，是消化内科", "消化内科"),
        ("换个时间", "张建国近期有号"),
    ],
)
async def test_an_earlier_answer_is_taken_back_at_the_confirmation(
    hospital: Chat, said: str, expected: str
) -> None:
    assert "11月20日 周五 08:30" in await hospital.says("周五上午张建国的号")
    answer = await hospital.says(said)
    assert expected in answer
    assert "预约成功" not in answer


async def test_no_asks_what_to_change(hospital: Chat) -> None:
    await hospital.reads("""
        患者 周五上午张建国的号
        患者 不
        小护 换个时间
        小护 换个医生
        患者 2
        小护 李文博
        患者 取消
        小护 停下
    """)
    await hospital.reads("""
        患者 周五上午张建国的号
        患者 2
        患者 不约了
        小护 这次没有预约
    """)
    assert await booked(hospital) == []


async def test_a_question_in_between_is_answered_and_the_booking_goes_on(hospital: Chat) -> None:
    await hospital.reads("""
        患者 周五上午张建国的号
        患者 停车在哪？
        小护 地下停车场
        小护 我们接着刚才的
        小护 11月20日 周五 08:30
        患者 1
        小护 预约成功
    """)


async def test_thirty_minutes_of_silence_start_afresh(hospital: Chat) -> None:
    await hospital.says("周五上午张建国的号")
    hospital.passes(minutes=31)
    answer = await hospital.says("1")
    assert "重新开始" in answer
    assert await booked(hospital) == []


async def test_at_most_three_open_bookings(hospital: Chat) -> None:
    for sentence in ("周五上午张建国", "下周一上午王海燕", "下周二上午陈思远"):
        await hospital.says(sentence)
        assert "预约成功" in await hospital.says("1")
    await hospital.reads("""
        患者 下周四上午刘强
        小护 最多同时有3个
        小护 ~ 预约成功
    """)
    hospital.passes(days=10)
    await hospital.reads("""
        患者 下周四上午刘强
        小护 确认预约吗
    """)


async def test_one_booking_a_doctor_and_half_day(hospital: Chat) -> None:
    await hospital.reads("""
        患者 周五上午张建国
        患者 1
        小护 预约成功
        患者 周五上午10点半张建国
        小护 同一医生同一半天只能约一个
    """)


async def test_until_thirty_minutes_before_the_start(hospital: Chat) -> None:
    await hospital.does(add_slot("D01", "2026-11-18 11:00", code="soon"))
    await hospital.says("今天上午11点张建国")
    hospital.passes(minutes=31)
    await hospital.does(lambda db: db.execute(conversations.update().values(spoke_at=hospital.clock.now())))
    await hospital.reads("""
        患者 1
        小护 已经不能预约了
    """)
    assert await booked(hospital) == []


async def test_a_full_day_offers_the_nearest_times(hospital: Chat) -> None:
    await hospital.does(
        lambda db: db.execute(slots.update().where(slots.c.doctor_code == "D01").values(capacity=0))
    )
    await hospital.reads("""
        患者 周五上午张建国的号
        小护 已约满
        小护 1 加入候补：11月20日 周五 08:30 张建国
        小护 骨科 李文博
        患者 2
        小护 确认预约吗
        患者 1
        小护 预约成功
    """)


async def test_no_clinic_that_day_offers_the_nearest_times(hospital: Chat) -> None:
    answer = await hospital.says("这周日骨科")
    assert "没有号" in answer
    assert "候补" not in answer
    assert "1 11月23日 周一" in answer


async def test_a_hospital_without_times_is_no_dead_end(hospital: Chat) -> None:
    await hospital.does(lambda db: db.execute(slots.delete()))
    answer = await hospital.says("预约骨科")
    assert "0571-88880000" in answer
    assert "人工" in answer


async def test_a_child_is_booked_for_by_the_parent_only(hospital: Chat) -> None:
    await hospital.does(bound("oPatient", "P02", "child"))
    await hospital.reads("""
        患者 明天上午儿科孙悦
        小护 为谁
        患者 孩子
        小护 就诊人：林*雨
        小护 11月19日 周四 08:30
        患者 1
        小护 预约成功
    """)
    await hospital.does(bound("oChild", "P02"))
    assert "监护人" in await hospital.says("明天上午儿科孙悦", "oChild")


async def test_a_relative_in_the_sentence_chooses(hospital: Chat) -> None:
    await hospital.does(bound("oPatient", "P03", "parent"))
    await hospital.reads("""
        患者 给我爸挂周五上午王海燕的号
        小护 就诊人：林*明
        患者 1
        小护 预约成功
    """)
    assert (await booked(hospital))[0][0] == "P03"


async def test_a_teenager_books_alone(hospital: Chat) -> None:
    await hospital.does(bound("oTeen", "P04"))
    await hospital.says("周五上午张建国", "oTeen")
    assert "预约成功" in await hospital.says("1", "oTeen")


async def test_nobody_books_for_who_has_died(hospital: Chat) -> None:
    await hospital.does(bound("oSon", "P08", "parent"))
    answer = await hospital.says("周五上午张建国", "oSon")
    assert "确认预约吗" not in answer
    assert await booked(hospital) == []


async def test_in_english(hospital: Chat) -> None:
    await hospital.does(bound("oEmma", "P06"))
    await hospital.reads(
        """
        患者 orthopaedics tomorrow afternoon
        小护 Thu 19 Nov 14:00 张建国
        患者 1
        小护 Shall I book it?
        小护 50 yuan
        患者 yes
        小护 Your visit is booked
        小护 YY000001
    """,
        "oEmma",
    )


async def test_in_traditional_chinese(hospital: Chat) -> None:
    await hospital.does(bound("oWing", "P07"))
    await hospital.says("聽日上午骨科張敏", "oWing")
    assert "預約成功" in await hospital.says("1", "oWing")


async def test_any_day_means_the_earliest(hospital: Chat) -> None:
    await hospital.reads("""
        患者 骨科
        患者 都可以
        小护 1 11月18日 周三 10:30 张建国
    """)
    assert "1 11月18日 周三 10:30 张建国" in await hospital.says("骨科最近的号")


async def test_a_date_that_is_only_a_number_of_the_month(hospital: Chat) -> None:
    await hospital.reads("""
        患者 骨科
        患者 20号
        小护 11月20日 周五 08:30
    """)


async def test_a_week_shows_its_days(hospital: Chat) -> None:
    answer = await hospital.says("下周骨科")
    assert "1 11月23日 周一 上午" in answer
    assert "11月20日" not in answer


async def test_a_long_clinic_is_shown_with_its_end(hospital: Chat) -> None:
    await hospital.does(add_slot("D06", "2026-11-26 08:00", minutes=240, capacity=20))
    await hospital.reads("""
        患者 下周四上午9点半陈思远
        小护 11月26日 周四 08:00-12:00
        患者 1
        小护 预约成功
        小护 11月26日 周四 08:00-12:00
    """)


async def test_a_stranger_is_linked_first_and_then_goes_on(hospital: Chat) -> None:
    """The sentence is not asked for again."""
    await hospital.says("周五上午10点半张建国的号", "oStranger")
    await hospital.says("13800000005", "oStranger")
    code = await sms.code(hospital, "13800000005")
    await hospital.reads(
        f"""
        患者 {code}
        小护 绑定成功
        小护 就诊人：许*怡
        小护 11月20日 周五 10:30
        患者 1
        小护 预约成功
    """,
        "oStranger",
    )


async def test_the_sentence_is_kept_while_it_is_asked_for_whom(hospital: Chat) -> None:
    await hospital.does(bound("oPatient", "P03", "parent"))
    await hospital.reads("""
        患者 周五上午10点半张建国
        小护 为谁
        患者 2
        小护 林*明
        小护 11月20日 周五 10:30
    """)


async def test_two_hundred_at_once_for_the_last_place(hospital: Chat) -> None:
    """Each has confirmed the same place; one gets it, the others read what else there is."""
    await hospital.does(add_slot("D01", "2026-11-19 19:00", code="last"))
    await hospital.does(_two_hundred_patients)
    openids = [f"o{number:03d}" for number in range(200)]
    for openid in openids:
        await hospital.says("明天晚上7点张建国", openid)
    answers = await asyncio.gather(*(hospital.says("1", openid) for openid in openids))
    winners = [answer for answer in answers if "预约成功" in answer]
    refused = [answer for answer in answers if "预约成功" not in answer]
    assert len(winners) == 1
    assert re.search(r"YY\d{6,}", winners[0])
    assert len(refused) == 199
    for answer in refused:
        assert "刚刚被约走了" in answer
        assert "1 加入候补" in answer
        assert "2 11月19日 周四 15:00 骨科 张建国" in answer
    assert [status for _, code, status in await booked(hospital) if code == "last"] == ["booked"]


def _two_hundred_patients(db: sa.Connection) -> None:
    for number in range(200):
        code = f"N{number:03d}"
        db.execute(patients.insert().values(code=code, name=f"甲乙{number}", sex="F"))
        contact = {
            "account": ACCOUNT,
            "openid": f"o{number:03d}",
            "created_at": OPENED,
            "noticed_at": OPENED,
        }
        contact_id = db.execute(contacts.insert().values(**contact).returning(contacts.c.id)).scalar_one()
        db.execute(conversations.insert().values(contact_id=contact_id))
        row = {"contact_id": contact_id, "patient_code": code, "relation": "self", "level": 1}
        db.execute(bindings.insert().values(**row, created_at=OPENED))


async def test_another_weekday_is_of_the_week_that_was_settled(hospital: Chat) -> None:
    await hospital.reads("""
        患者 挂骨科下周三
        小护 11月25日 周三
        患者 不是周三，是周四
        小护 11月26日 周四
        小护 ~ 11月19日
        患者 那周五呢
        小护 11月27日 周五
        患者 改成这周四
        小护 11月19日 周四
    """)


async def test_next_week_and_then_a_day_of_it(hospital: Chat) -> None:
    await hospital.reads("""
        患者 挂骨科下周
        患者 周四
        小护 11月26日 周四
    """)


async def test_a_day_that_is_over_is_told_of_in_the_middle_too(hospital: Chat) -> None:
    await hospital.reads("""
        患者 挂骨科周五
        患者 挂昨天的
        小护 已经过去了
    """)
