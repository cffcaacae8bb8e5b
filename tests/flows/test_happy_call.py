"""The happy call: one work item for the chat or the phone, a low score that is made good, and who is not asked."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.conversation import followup
from bot.flows import PLANS
from bot.flows.engine.firing import next_calling_hour
from bot.flows.engine.projection import Projection
from bot.outbox.wording import Wording
from storage.tables import patients, tasks
from tests.chat import ZONE
from tests.flows.conftest import Ward, at
from tests.hospital_folder import bound


async def discharged(ward: Ward, day: str = "2026-11-17") -> None:
    await ward.visit(day="2026-11-12", kind="inpatient", discharged_on=at(f"{day} 00:00").date())


async def answers(ward: Ward, *texts: str) -> str:
    """Answer one question after the other; what is said last."""
    said = ""
    for text in texts:
        said = await ward.says(text)
    return said


async def open_tasks(ward: Ward) -> list[str]:
    found = sa.select(tasks.c.kind).where(tasks.c.status == "open").order_by(tasks.c.id)
    return list(await ward.asks(lambda db: db.execute(found).scalars().all()))


async def test_the_script_in_its_order(ward: Ward) -> None:
    await discharged(ward)
    await ward.looks("2026-11-18 10:30")
    assert await ward.steps() == ["happy_call/d1"]
    said = await ward.last_text()
    for expected, answer in (
        ("今天感觉怎么样", "1"),
        ("现在有没有", "5"),
        ("药都按时吃了吗", "1"),
        ("复诊约好了吗", "1"),
        ("听懂", "1"),
        ("打哪个电话", "1"),
        ("满意吗", "5"),
        ("想对我们说", "没有"),
    ):
        assert expected in said
        said = await ward.says(answer)
    assert "谢谢" in said
    assert await open_tasks(ward) == []


async def test_who_does_not_answer_is_rung_up(ward: Ward) -> None:
    await discharged(ward)
    await ward.looks("2026-11-18 10:30")
    await ward.looks("2026-11-18 15:00")
    assert await open_tasks(ward) == ["silence"]
    due = await ward.asks(lambda db: db.execute(sa.select(tasks.c.due_at)).scalar())
    assert due is not None
    assert due.astimezone(ZONE) == at("2026-11-18 16:00")


async def test_an_answer_in_the_chat_spares_the_call(ward: Ward) -> None:
    await discharged(ward)
    await ward.looks("2026-11-18 10:30")
    await ward.looks("2026-11-18 15:00")
    ward.clock.moment = at("2026-11-18 15:30")
    await ward.says("1")
    assert await open_tasks(ward) == []


async def test_a_call_spares_the_question(ward: Ward) -> None:
    await ward.operation(day="2026-11-17")
    await ward.lives_through("2026-11-18 10:30", "2026-11-18 20:30")
    assert await open_tasks(ward) == ["silence"]
    key = (await ward.asks(lambda db: db.execute(sa.select(tasks.c.key)).scalar())) or ""
    await ward.does(lambda db: followup.phoned(db, key, ward.clock.now()))
    assert (await ward.reasons())["d1"] == "answered phone"
    assert "answered phone" in await ward.decisions()
    await ward.looks("2026-11-19 12:00")
    assert await ward.steps() == ["abdominal/d1", "abdominal/d1"]


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("08:10", "2026-11-18 10:00"),
        ("10:40", "2026-11-18 10:40"),
        ("12:00", "2026-11-18 16:00"),
        ("18:00", "2026-11-18 18:00"),
        ("19:30", "2026-11-19 10:00"),
    ],
)
def test_people_are_rung_up_at_good_hours(now: str, due: str) -> None:
    assert next_calling_hour(at(f"2026-11-18 {now}"), ZONE) == at(due)


LOW = ("1", "5", "1", "1", "1", "1", "2")  # all is well, and yet not content


async def test_a_low_score_is_asked_about_again_after_a_week_and_only_once(ward: Ward) -> None:
    await discharged(ward)
    await ward.looks("2026-11-18 10:30")
    assert "一个工作日" in await answers(ward, *LOW)
    assert await open_tasks(ward) == ["low_score"]
    await ward.says("没有")
    await ward.looks("2026-11-25 09:30")
    assert await ward.steps() == ["happy_call/d1"]
    await ward.looks("2026-11-25 10:30")
    assert await ward.steps() == ["happy_call/d1", "happy_call/csat_again"]
    assert "一周前" in await ward.last_text()
    await ward.says("1")
    assert await open_tasks(ward) == ["low_score", "low_score"]
    await ward.looks("2026-12-02 10:30")
    assert len(await ward.steps()) == 2


async def test_a_good_score_is_not_asked_about_again(ward: Ward) -> None:
    await discharged(ward)
    await ward.looks("2026-11-18 10:30")
    await answers(ward, *LOW[:-1], "4", "没有")
    await ward.looks("2026-11-25 10:30")
    assert await ward.steps() == ["happy_call/d1"]


async def test_who_lost_a_pregnancy_is_not_asked_how_satisfied_she_is(ward: Ward) -> None:
    await ward.visit("V0", day="2026-11-14", status="loss", kind="outpatient")
    await discharged(ward)
    await ward.looks("2026-11-18 10:30")
    assert (await ward.reasons())["d1"] == "withheld pregnancy_loss"


async def test_a_child_is_asked_about_through_its_guardian_alone(ward: Ward) -> None:
    await ward.does(bound("oChild", "P02"))
    await ward.visit("V7", patient="P02", day="2026-11-17")
    await ward.looks("2026-11-18 10:30")
    assert (await ward.reasons("P02"))["d1"] == "withheld no_guardian"


async def test_nobody_asks_the_dead(ward: Ward) -> None:
    await discharged(ward)
    day = at("2026-11-17 00:00").date()
    await ward.does(lambda db: db.execute(patients.update().values(deceased_on=day)))
    await ward.looks("2026-11-18 10:30")
    assert await ward.steps() == []


async def test_nobody_is_surveyed_twice_in_thirty_days(ward: Ward) -> None:
    await discharged(ward)
    await ward.looks("2026-11-18 10:30")
    await answers(ward, *LOW[:-1], "5", "没有")
    for days, expected in ((20, "withheld surveyed_lately"), (32, "asked")):
        day = at("2026-11-18 10:30") + timedelta(days=days)
        await ward.visit(f"V{days}", day=f"{day - timedelta(days=1):%Y-%m-%d}")
        await ward.looks(f"{day:%Y-%m-%d %H:%M}")
        assert (await ward.reasons())["d1"] == expected


async def test_what_no_plan_foresaw_is_shown_beforehand_too(ward: Ward) -> None:
    await discharged(ward)
    await ward.looks("2026-11-18 10:30")
    await answers(ward, *LOW, "没有")

    def lines(db: sa.Connection) -> list[tuple[str, str]]:
        ahead = Projection(db, PLANS, Wording(ZONE), ZONE, unsigned_run=True)
        found = ahead.lines(at("2026-11-25 00:00"), at("2026-11-26 00:00"), "P05")
        return [(line.step, line.decision) for line in found]

    assert await ward.asks(lines) == [("csat_again", "send")]
