"""Waiting for a full time, and being offered a freed place for thirty minutes."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from bot.handlers import waiting_offer
from storage.tables import appointments, contacts, letters, patients, slots
from tests.chat import Chat
from tests.hospital_folder import add_slot, bound, open_hospital

EVENING = "明天晚上7点张建国"  # the one place of the slot "last"


@pytest.fixture
async def hospital(chat: Chat) -> Chat:
    """oPatient has the only place; oSecond and oThird can write too."""
    await chat.does(open_hospital)
    await chat.does(add_slot("D01", "2026-11-19 19:00", code="last"))
    await chat.does(bound("oPatient", "P01"))
    await chat.does(bound("oSecond", "P05"))
    await chat.does(bound("oThird", "P07"))
    await chat.says(EVENING)
    assert "预约成功" in await chat.says("1")
    return chat


async def waits(chat: Chat, openid: str) -> None:
    await chat.says(EVENING, openid)
    answer = await chat.says("1", openid)
    assert "已登记" in answer or "已登記" in answer


async def gives_back(chat: Chat) -> None:
    await chat.says("取消预约")
    assert "已取消" in await chat.says("1")


async def ticks(chat: Chat) -> int:
    now, wording = chat.clock.now(), chat.reception.wording
    return await chat.does(lambda db: waiting_offer.tick(db, now, wording))


async def statuses(chat: Chat) -> dict[str, str]:
    columns = (appointments.c.patient_code, appointments.c.status)
    query = sa.select(*columns).order_by(appointments.c.id)
    return {row.patient_code: row.status for row in await chat.asks(lambda db: db.execute(query).all())}


async def offers(chat: Chat) -> list[str]:
    """Who was written to, in that order."""
    query = (
        sa.select(contacts.c.openid)
        .join(letters, letters.c.contact_id == contacts.c.id)
        .where(letters.c.key.like("waiting_offer:%"))
        .order_by(letters.c.id)
    )
    return list(await chat.asks(lambda db: db.execute(query).scalars().all()))


async def test_joining_when_full(hospital: Chat) -> None:
    await hospital.reads(
        f"""
        患者 {EVENING}
        小护 已约满
        小护 1 加入候补：11月19日 周四 19:00 张建国
        患者 是
        小护 已登记
        小护 第1位
        患者 我的预约
        小护 候补第1位
        患者 {EVENING}
        患者 候补
        小护 已经在这个时间的候补名单里
    """,
        "oSecond",
    )
    assert await statuses(hospital) == {"P01": "booked", "P05": "waiting"}


async def test_a_cancelled_place_is_offered_to_the_first_and_accepted(hospital: Chat) -> None:
    await waits(hospital, "oSecond")
    await waits(hospital, "oThird")
    await gives_back(hospital)
    assert await offers(hospital) == ["oSecond"]
    letter = await hospital.asks(lambda db: db.execute(sa.select(letters)).one())
    assert "11月19日 周四 19:00" in letter.body["text"]
    assert "1 接受" in letter.body["text"]
    assert letter.purpose == "transaction"
    assert letter.body["template"] == "reminder"
    assert (letter.useful_until - hospital.clock.now()).total_seconds() == 30 * 60
    hospital.passes(minutes=29)
    await hospital.reads(
        """
        患者 1
        小护 预约成功
        小护 YY000002
    """,
        "oSecond",
    )
    assert await statuses(hospital) == {"P01": "cancelled", "P05": "booked", "P07": "waiting"}


async def test_a_held_place_is_nobody_elses(hospital: Chat) -> None:
    await waits(hospital, "oSecond")
    await gives_back(hospital)
    assert "已约满" in await hospital.says(EVENING)


async def test_refused_goes_to_the_next(hospital: Chat) -> None:
    await waits(hospital, "oSecond")
    await waits(hospital, "oThird")
    await gives_back(hospital)
    assert "让给下一位" in await hospital.says("2", "oSecond")
    assert await offers(hospital) == ["oSecond", "oThird"]
    assert "預約成功" in await hospital.says("1", "oThird")


async def test_unanswered_for_thirty_minutes_goes_to_the_next(hospital: Chat) -> None:
    await waits(hospital, "oSecond")
    await waits(hospital, "oThird")
    await gives_back(hospital)
    hospital.passes(minutes=29)
    assert await ticks(hospital) == 0
    hospital.passes(minutes=1)
    assert await ticks(hospital) == 1
    assert await ticks(hospital) == 0
    assert await offers(hospital) == ["oSecond", "oThird"]
    answer = await hospital.says("接受", "oSecond")
    assert "预约成功" not in answer
    assert "預約成功" in await hospital.says("接受", "oThird")


async def test_too_late_an_answer_takes_nothing_though_the_clock_has_not_ticked(hospital: Chat) -> None:
    await waits(hospital, "oSecond")
    await gives_back(hospital)
    hospital.passes(minutes=31)
    for word in ("1", "接受"):
        assert "预约成功" not in await hospital.says(word, "oSecond")


async def test_the_offer_waits_while_another_dialogue_is_open(hospital: Chat) -> None:
    await waits(hospital, "oSecond")
    await hospital.says("周五上午李文博", "oSecond")  # asked to confirm this one
    await gives_back(hospital)
    await hospital.reads(
        """
        患者 1
        小护 11月20日 周五 08:30
        小护 预约成功
        小护 您候补的号有名额了
        患者 1
        小护 11月19日 周四 19:00
        小护 预约成功
    """,
        "oSecond",
    )


async def test_the_word_accepts_in_the_middle_of_another_dialogue(hospital: Chat) -> None:
    await waits(hospital, "oSecond")
    await hospital.says("周五上午李文博", "oSecond")
    await gives_back(hospital)
    await hospital.reads(
        """
        患者 接受
        小护 预约成功
        小护 11月19日 周四 19:00
        小护 我们接着刚才的
        小护 11月20日 周五 08:30
    """,
        "oSecond",
    )


async def test_the_offer_survives_a_question_in_between(hospital: Chat) -> None:
    await waits(hospital, "oSecond")
    await gives_back(hospital)
    await hospital.reads(
        """
        患者 停车在哪
        小护 地下停车场
        小护 您候补的号有名额了
        患者 1
        小护 预约成功
    """,
        "oSecond",
    )


async def test_a_raised_capacity_is_offered_by_the_clock(hospital: Chat) -> None:
    await waits(hospital, "oSecond")
    await hospital.does(
        lambda db: db.execute(slots.update().where(slots.c.code == "last").values(capacity=2))
    )
    assert "已約滿" in await hospital.says(EVENING, "oThird")  # who waits comes first
    assert await ticks(hospital) == 1
    assert "预约成功" in await hospital.says("1", "oSecond")


async def test_moving_away_frees_the_place_too(hospital: Chat) -> None:
    await waits(hospital, "oSecond")
    await hospital.says("改到周五上午")
    assert "改约成功" in await hospital.says("1")
    assert await offers(hospital) == ["oSecond"]


async def test_who_died_or_was_unlinked_is_passed_over(hospital: Chat) -> None:
    await waits(hospital, "oSecond")
    await waits(hospital, "oThird")
    today = hospital.clock.now().date()
    await hospital.does(
        lambda db: db.execute(patients.update().where(patients.c.code == "P05").values(deceased_on=today))
    )
    await gives_back(hospital)
    assert await offers(hospital) == ["oThird"]


async def test_the_list_ends_when_it_is_too_late(hospital: Chat) -> None:
    await waits(hospital, "oSecond")
    hospital.passes(days=1, hours=8, minutes=31)
    assert await ticks(hospital) == 0
    assert await statuses(hospital) == {"P01": "booked", "P05": "cancelled"}


async def test_leaving_the_list(hospital: Chat) -> None:
    await waits(hospital, "oSecond")
    await hospital.reads(
        """
        患者 取消预约
        小护 候补
        患者 1
        小护 已取消
    """,
        "oSecond",
    )
    await gives_back(hospital)
    assert await offers(hospital) == []


async def test_the_next_in_line_is_spoken_for_by_the_same_person(hospital: Chat) -> None:
    await hospital.does(bound("oPatient", "P03", "parent"))
    await hospital.says(f"给我爸挂{EVENING}的号")
    assert "已登记" in await hospital.says("1")
    await hospital.says("取消预约")
    await hospital.says("1")  # for whom: oneself
    await hospital.reads("""
        患者 1
        小护 已取消
        小护 您候补的号有名额了
        小护 林*明
        患者 1
        小护 预约成功
    """)
    assert await offers(hospital) == []


async def test_no_offer_to_accept(hospital: Chat) -> None:
    assert "没有为您保留的候补名额" in await hospital.says("接受")
