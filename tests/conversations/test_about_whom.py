"""为谁: with several patients linked nothing personal is shown before it is clear who is meant."""

from __future__ import annotations

from datetime import date, datetime

import pytest
import sqlalchemy as sa

from bot.domain.clock import StoppedClock
from storage.database import Database
from storage.tables import patients, points_entries
from tests.chat import Chat
from tests.hospital_folder import ZONE, bound, open_hospital


@pytest.fixture
async def chat(database: Database, clock: StoppedClock) -> Chat:
    chat = Chat(database, clock)
    await chat.does(open_hospital)
    await chat.does(ledgers)
    return chat


def ledgers(db: sa.Connection) -> None:
    """Everybody has as many points as nobody else: 1001, 2002, …"""
    rows = db.execute(sa.select(patients.c.code).order_by(patients.c.code)).scalars().all()
    for number, code in enumerate(rows, 1):
        values = {"patient_code": code, "at": datetime(2026, 11, 1, tzinfo=ZONE), "reason": "开户"}
        db.execute(points_entries.insert().values(**values, change=number * 1001))


POINTS = {"P01": "1001", "P02": "2002", "P03": "3003"}


async def family(chat: Chat) -> None:
    for patient, relation in (("P01", "self"), ("P02", "child"), ("P03", "parent")):
        await chat.does(bound("oPatient", patient, relation))


async def test_with_one_patient_nobody_is_asked(chat: Chat) -> None:
    await chat.does(bound("oPatient", "P01"))
    assert "1001" in await chat.says("我的积分")


async def test_with_several_the_names_are_masked_and_numbered(chat: Chat) -> None:
    await family(chat)
    await chat.reads("""
        患者 我的积分
        小护 为谁
        小护 1 林*远
        小护 2 林*雨
        小护 3 林*明
        小护 ~ 林志远
        小护 ~ 1001
        患者 3
        小护 3003
        小护 ~ 1001
        小护 ~ 2002
    """)


@pytest.mark.parametrize(
    ("said", "whose"),
    [
        ("我爸", "P03"),
        ("孩子", "P02"),
        ("女儿", "P02"),
        ("本人", "P01"),
        ("林小雨", "P02"),
        ("第三个", "P03"),
    ],
)
async def test_the_answer_may_be_a_word(chat: Chat, said: str, whose: str) -> None:
    await family(chat)
    await chat.says("我的积分")
    answer = await chat.says(said)
    assert [code for code, points in POINTS.items() if points in answer] == [whose]


@pytest.mark.parametrize(
    ("said", "whose"),
    [
        ("查一下我爸的积分", "P03"),
        ("孩子的积分有多少", "P02"),
        ("林德明的积分", "P03"),
        ("我自己的积分", "P01"),
    ],
)
async def test_the_sentence_itself_may_say_it(chat: Chat, said: str, whose: str) -> None:
    await family(chat)
    answer = await chat.says(said)
    assert [code for code, points in POINTS.items() if points in answer] == [whose]


async def test_the_choice_is_kept_for_that_dialogue_only(chat: Chat) -> None:
    await family(chat)
    await chat.says("我的积分")
    await chat.says("2")
    assert "为谁" in await chat.says("我的积分")


async def test_father_and_mother_are_told_apart(chat: Chat) -> None:
    await chat.does(bound("oPatient", "P03", "parent"))
    await chat.does(bound("oPatient", "P07", "parent"))
    assert "3003" in await chat.says("我爸的积分")
    assert "7007" in await chat.says("我妈的积分")
    assert "为谁" in await chat.says("爸妈的积分")


async def _same_mask(chat: Chat, born: date) -> None:
    def add(db: sa.Connection) -> None:
        row = {
            "code": "P90",
            "name": "林致远",
            "sex": "M",
            "birth_date": born,
            "id_number": "330101200001019876",
        }
        db.execute(patients.insert().values(**row))

    await chat.does(add)
    await chat.does(bound("oPatient", "P01"))
    await chat.does(bound("oPatient", "P90", "other"))


async def test_equal_masks_are_told_apart_by_age(chat: Chat) -> None:
    await _same_mask(chat, date(2000, 1, 1))
    await chat.reads("""
        患者 我的积分
        小护 1 林*远（41岁）
        小护 2 林*远（26岁）
        患者 1
        小护 1001
    """)


async def test_equal_ages_too_by_the_end_of_the_id_number(chat: Chat) -> None:
    await _same_mask(chat, date(1985, 3, 12))
    await chat.reads("""
        患者 我的积分
        小护 1 林*远（41岁）（身份证尾号32）
        小护 2 林*远（41岁）（身份证尾号76）
        患者 2
        小护 ~ 1001
    """)


async def test_somebody_who_is_not_linked(chat: Chat) -> None:
    await chat.does(bound("oPatient", "P01"))
    await chat.reads("""
        患者 我妈的积分
        小护 还没有关联
        小护 1 林*远
        小护 2 添加家人
        小护 ~ 1001
        患者 2
        小护 1 孩子
    """)


async def test_a_child_under_fourteen_does_not_act_alone(chat: Chat) -> None:
    await chat.does(bound("oChild", "P02"))
    await chat.does(bound("oTeen", "P04"))
    answer = await chat.says("我的积分", "oChild")
    assert "监护人" in answer
    assert "2002" not in answer
    assert "4004" in await chat.says("我的积分", "oTeen")


async def test_english_words_inside_other_words_mean_nobody(chat: Chat) -> None:
    await family(chat)
    await chat.says("我的积分")
    answer = await chat.says("what do you mean some time")
    assert not any(points in answer for points in POINTS.values())


async def test_two_patients_on_one_openid_never_mix(chat: Chat) -> None:
    await family(chat)
    names = {"P01": "1", "P02": "2", "P03": "3"}
    for turn in range(12):
        code = f"P0{turn % 3 + 1}"
        await chat.says("我的积分")
        answer = await chat.says(names[code])
        assert [one for one, points in POINTS.items() if points in answer] == [code]
        if turn % 4 == 0:
            chat.passes(minutes=31)


async def test_another_patient_in_the_middle_of_a_booking(chat: Chat) -> None:
    await chat.does(bound("oPatient", "P01"))
    await chat.does(bound("oPatient", "P03", "parent"))
    await chat.reads("""
        患者 给我自己挂周五上午骨科张建国
        小护 就诊人：林*远
        患者 给我爸挂
        小护 就诊人：林*明
        小护 张建国
        患者 我爸说改成下周一可以
        小护 就诊人：林*明
        小护 11月23日
        患者 还是换成我自己吧
        小护 就诊人：林*远
        患者 确认
        小护 预约成功
        小护 就诊人：林*远
    """)
