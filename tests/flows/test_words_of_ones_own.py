"""Answers in words of one's own: a danger, a complaint, something that no option says."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.hospital.questions import QUESTIONS, read
from storage.tables import tickets, touches
from tests.flows.conftest import Ward


async def kept(ward: Ward, step: str) -> dict[str, str]:
    """What was answered to a contact."""
    found = sa.select(touches.c.answers).where(touches.c.step == step)
    return dict((await ward.asks(lambda db: db.execute(found).scalar())) or {})


async def test_a_danger_told_in_answer_to_a_question_is_its_answer(ward: Ward) -> None:
    await ward.operation(day="2026-11-17")
    await ward.looks("2026-11-18 10:30")
    assert "120" in await ward.says("我胸口疼得厉害，喘不上气")
    assert await kept(ward, "d1") == {"pain:said": "我胸口疼得厉害，喘不上气"}
    assert (await ward.reasons())["d1"] == "answered danger"
    assert "answered danger" in await ward.decisions()
    await ward.lives_through("2026-11-18 11:00", "2026-11-18 20:30")
    assert await ward.steps() == ["abdominal/d1"]
    assert "silence" not in await ward.tasks()
    assert "吃饭喝水" not in await ward.says("2")  # the question is not open any more


async def test_words_where_a_number_was_wanted_do_not_disturb_the_next_number(ward: Ward) -> None:
    await ward.operation("joint", day="2026-11-15")
    await ward.looks("2026-11-18 10:30")
    await ward.says("伤口那里有点胀，走路不太舒服怎么办")
    answers = await kept(ward, "d3")
    assert list(answers) == ["pain:said"]
    await ward.operation("joint", day="2026-11-17", code="OP2")
    await ward.looks("2026-11-20 10:30")
    assert "腿" in await ward.says("6")
    assert await ward.alerts() == []


async def test_a_remark_that_is_a_complaint_becomes_one(ward: Ward) -> None:
    await ward.visit(day="2026-11-17")
    await ward.looks("2026-11-18 10:30")
    for answer in ("1", "1", "4"):
        await ward.says(answer)
    assert "什么时候" in await ward.says("护士打针打错了还骂人，我要投诉")
    for answer in ("昨天下午骨科", "道歉", "1"):
        await ward.says(answer)
    assert len(await ward.asks(lambda db: db.execute(sa.select(tickets.c.id)).all())) == 1
    assert "骂人" in (await kept(ward, "d1"))["remark"]


async def test_a_remark_that_thanks_stays_a_remark(ward: Ward) -> None:
    await ward.visit(day="2026-11-17")
    await ward.looks("2026-11-18 10:30")
    for answer in ("1", "1", "5"):
        await ward.says(answer)
    assert "谢谢" in await ward.says("护士很耐心，辛苦了")
    assert await ward.asks(lambda db: db.execute(sa.select(tickets.c.id)).all()) == []


async def test_who_says_stop_is_not_asked_the_same_again(ward: Ward) -> None:
    await ward.operation(day="2026-11-17")
    await ward.looks("2026-11-18 10:30")
    answer = await ward.says("停止随访")
    assert "已停止随访" in answer
    assert "疼痛" not in answer
    assert "没有看懂" not in await ward.says("你好")
    await ward.lives_through("2026-11-18 11:00", "2026-11-19 12:00")
    assert await ward.steps() == ["abdominal/d1"]
    assert await ward.tasks() == []


async def test_who_stops_advertisements_is_still_asked(ward: Ward) -> None:
    await ward.operation(day="2026-11-17")
    await ward.looks("2026-11-18 10:30")
    assert "疼痛" in await ward.says("退订")


async def test_the_reminder_of_a_visit_outlives_the_end_of_care(ward: Ward) -> None:
    await ward.visit("V3", day="2026-11-20", status="booked")
    await ward.looks("2026-11-19 10:30")
    assert "就诊安排" in await ward.says("停止随访")


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("bp", "一百三十五，八十五", "135/85"),
        ("bp", "高压一百六低压九十五", "160/95"),
        ("bp", "一百零八比七十", "108/70"),
        ("glu", "空腹六点八", "6.8"),
        ("glu", "十一点二", "11.2"),
        ("glu", "有一点头晕，6.8", "6.8"),
        ("spo2", "九十五", "95"),
        ("preop_today_ate", "没吃没喝", "1"),
        ("preop_today_ate", "喝过水", "2"),
        ("preop_bowel", "有渣", "2"),
        ("coming", "我要改时间", "2"),
    ],
)
def test_answers_as_they_are_spoken(key: str, text: str, value: str) -> None:
    answer = read(QUESTIONS[key], text)
    assert answer is not None
    assert answer.value == value


@pytest.mark.parametrize("text", ["没测，有一些不舒服", "有一点头晕", "一会儿测"])
def test_a_number_word_alone_is_no_reading(text: str) -> None:
    assert read(QUESTIONS["glu"], text) is None


async def test_who_is_not_the_patient_is_written_to_no_more(ward: Ward) -> None:
    await ward.operation(day="2026-11-17")
    await ward.looks("2026-11-18 10:30")
    said = await ward.says("不是本人")
    if "1" in said:
        said = await ward.says("1")
    assert "疼痛" not in said
    await ward.lives_through("2026-11-18 11:00", "2026-11-21 12:00", every=timedelta(hours=3))
    assert await ward.steps() == ["abdominal/d1"]


async def test_an_answer_belongs_to_the_newest_question(ward: Ward) -> None:
    await ward.operation("joint", day="2026-11-17")
    await ward.looks("2026-11-18 10:30")  # have you fever, …
    await ward.lives_through("2026-11-18 11:00", "2026-11-20 10:30", every=timedelta(hours=1))
    assert "疼痛" in await ward.last_text()
    await ward.says("3")  # pain, and not the third of the flags
    assert await ward.alerts() == []
    assert (await kept(ward, "d3"))["pain"] == "3"
