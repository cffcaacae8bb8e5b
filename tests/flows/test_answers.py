"""Answers: numbers in any shape, words, readings, the nurse, and what each leads to."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.flows import PLANS
from bot.hospital.questions import QUESTIONS, Level, read
from bot.outbox.wording import MESSAGES
from storage.tables import tasks, tickets
from tests.flows.conftest import Ward


@pytest.mark.parametrize(
    ("key", "text", "value", "level"),
    [
        ("feel", "1", "1", Level.FINE),
        ("feel", "３", "3", Level.SAME_DAY),
        ("feel", "四", "4", Level.URGENT),
        ("feel", "选4", "4", Level.URGENT),
        ("feel", "②", "2", Level.FINE),
        ("feel", "不太好", "3", Level.SAME_DAY),
        ("feel", "很不好。", "4", Level.URGENT),
        ("feel", "3 不太好", "3", Level.SAME_DAY),
        ("feel", "0", "0", Level.TASK),
        ("flags", "1、4", "1 4", Level.EMERGENCY),
        ("flags", "5 都没有", "5", Level.FINE),
        ("flags", "都没有", "5", Level.FINE),
        ("pain", "0", "0", Level.FINE),
        ("pain", "七分", "7", Level.URGENT),
        ("pain", "10", "10", Level.URGENT),
        ("bp", "135/85", "135/85", Level.FINE),
        ("bp", "血压 182，95", "182/95", Level.URGENT),
        ("bp", "高压150低压112", "150/112", Level.URGENT),
        ("glu", "空腹6.8", "6.8", Level.FINE),
        ("glu", "血糖3.5", "3.5", Level.URGENT),
        ("glu", "16.7", "16.7", Level.URGENT),
        ("glu", "63mg/dl", "3.5", Level.URGENT),
        ("mood", "0", "0", Level.FINE),
        ("reminder", "取消", "2", Level.FINE),
        ("reminder", "會來".translate({0x6703: "会", 0x4F86: "来"}), "1", Level.FINE),
    ],
)
def test_an_answer_is_understood(key: str, text: str, value: str, level: Level) -> None:
    answer = read(QUESTIONS[key], text)
    assert answer is not None
    assert (answer.value, answer.level) == (value, level)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("feel", "6"),
        ("feel", "3天没大便了"),
        ("feel", "明天能改到下午吗"),
        ("feel", "1 3"),
        ("pain", "11"),
        ("bp", "135"),
        ("bp", "2026-11-18"),
        ("glu", "3天没测"),
        ("glu", "谢谢"),
    ],
)
def test_what_is_no_answer_is_not_taken_for_one(key: str, text: str) -> None:
    assert read(QUESTIONS[key], text) is None


def test_every_question_of_every_plan_is_in_the_bank_and_has_its_words() -> None:
    for plan in PLANS.values():
        for step in plan.steps:
            assert step.text or step.questions, (plan.id, step.id)
            for key in (*step.questions, *([step.text.partition("/")[2]] if step.text else [])):
                assert step.text or key in QUESTIONS
                for language in ("zh-Hans", "en"):
                    assert Path(MESSAGES / "plan" / f"{key}.{language}.txt").exists(), key


async def test_zero_calls_a_nurse(ward: Ward) -> None:
    await ward.operation("cataract", day="2026-11-17")
    await ward.looks("2026-11-18 10:30")
    assert "护士" in await ward.says("0")
    assert await ward.tasks() == ["plan"]


async def test_an_emergency_answer_is_an_alarm_and_ends_the_questions(ward: Ward) -> None:
    await ward.operation("tonsil", day="2026-11-17", patient="P05")
    await ward.looks("2026-11-18 10:30")
    answer = await ward.says("2")
    assert "120" in answer
    assert "自动回复" not in answer
    assert await ward.alerts() == [("E", "bleed_throat")]


async def test_free_text_about_health_reaches_a_nurse(ward: Ward) -> None:
    await ward.operation("cataract", day="2026-11-17")
    await ward.looks("2026-11-18 10:30")
    await ward.says("眼睛有点磨，怎么办")
    assert "plan" in await ward.tasks()


async def test_what_is_unclear_twice_goes_to_a_nurse(ward: Ward) -> None:
    await ward.operation("cataract", day="2026-11-17")
    await ward.looks("2026-11-18 10:30")
    await ward.says("嗯哼")
    await ward.says("啦啦")
    assert "handoff" in await ward.tasks()


async def test_pain_that_rose_by_three_is_a_task(ward: Ward) -> None:
    await ward.operation(day="2026-11-17")
    await ward.operation("dental", day="2026-11-20", code="OP2")
    await ward.looks("2026-11-18 10:30")
    await ward.says("1")
    await ward.says("1")
    await ward.looks("2026-11-21 10:30")
    assert (await ward.steps())[-1] == "dental/d1"
    await ward.says("5")
    assert await ward.alerts() == [("S", "pain")]


async def test_two_high_fasting_readings_in_a_week_are_a_task(ward: Ward) -> None:
    await ward.tag("糖尿病")  # on a Wednesday
    await ward.looks("2026-11-19 08:30")
    await ward.says("空腹10.5")
    assert await ward.alerts() == []
    await ward.looks("2026-11-23 08:30")
    await ward.says("11")
    assert await ward.alerts() == [("S", "glu")]
    assert "plan" in await ward.tasks()


async def test_low_sugar_is_urgent_and_names_no_dose(ward: Ward) -> None:
    await ward.tag("糖尿病")
    await ward.looks("2026-11-19 08:30")
    assert "低血糖处理" in await ward.says("3.5")
    assert await ward.alerts() == [("U", "glu")]


async def test_a_dizzy_patient_with_low_pressure_is_urgent(ward: Ward) -> None:
    await ward.tag("高血压")
    await ward.looks("2026-11-19 08:30")
    assert "头晕" in await ward.says("88/55")
    await ward.says("2")
    assert ("U", "dizzy") in await ward.alerts()


async def test_the_happy_call_asks_one_thing_after_the_other(ward: Ward) -> None:
    await ward.visit(day="2026-11-15", kind="inpatient", discharged_on=date(2026, 11, 17))
    await ward.looks("2026-11-18 10:30")
    assert await ward.steps() == ["happy_call/d1"]
    assert (await ward.letters())[0].purpose == "survey"
    for answer, following in (
        ("1", "发烧"),
        ("5", "药"),
        ("1", "复诊"),
        ("1", "听懂"),
        ("1", "电话"),
        ("2", "满意"),
    ):
        assert following in await ward.says(answer)
    assert "抱歉" in await ward.says("1")
    assert "low_score" in await ward.tasks()


async def test_after_a_danger_the_happy_call_asks_nothing_more(ward: Ward) -> None:
    await ward.visit(day="2026-11-17")
    await ward.looks("2026-11-18 10:30")
    answer = await ward.says("4")
    assert "药" not in answer
    assert ("U", "feel") in await ward.alerts()
    assert "满意" not in await ward.says("5")


async def test_who_complains_is_not_surveyed(ward: Ward) -> None:
    await ward.visit(day="2026-11-17")
    await ward.does(
        lambda db: db.execute(
            tickets.insert().values(
                at=ward.clock.now(), contact_id=1, patient_code="P05", kind="complaint", status="received"
            )
        )
    )
    await ward.looks("2026-11-18 10:30")
    assert (await ward.reasons())["d1"] == "withheld open_complaint"


async def test_a_task_says_when_it_is_due(ward: Ward) -> None:
    await ward.operation("cataract", day="2026-11-17")
    await ward.looks("2026-11-18 10:30")
    await ward.says("0")
    row = await ward.asks(lambda db: db.execute(sa.select(tasks)).one())
    assert row.due_at > row.at


async def test_a_booking_while_a_question_is_open_comes_first(ward: Ward) -> None:
    await ward.operation("cataract", day="2026-11-17")
    await ward.looks("2026-11-18 10:30")
    answer = await ward.says("我想挂个骨科的号")
    assert "骨科" in answer
    assert "近期有号" in answer
    assert "接着刚才的" not in answer
    await ward.says("取消")
    assert await ward.tasks() == []


async def test_a_question_to_the_hospital_is_answered_and_the_plans_is_asked_again(ward: Ward) -> None:
    await ward.operation("cataract", day="2026-11-17")
    await ward.looks("2026-11-18 10:30")
    answer = await ward.says("停车收费吗")
    assert "前30分钟免费" in answer
    assert "接着刚才的" in answer
    assert await ward.tasks() == []
