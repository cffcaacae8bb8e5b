"""Ringing patients: a plan's questions by telephone, scripts that branch, and when to try again."""

from __future__ import annotations

from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from bot.console.calls.pages import next_try
from bot.console.calls.script import CARE, alarming, asked, facts_of, read_out
from bot.hospital.questions import QUESTIONS
from bot.outbox.wording import Wording
from storage.tables import alerts, leads, letters, plan_instances, tasks, touches
from tests.chat import ZONE
from tests.conftest import NOW
from tests.console.conftest import COLLEAGUES, House

ME = COLLEAGUES["nurse"]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


async def silent(house: House, questions: str = "temp joint_wound") -> int:
    """A patient at high risk who did not answer; the task to ring them."""
    await house.says("你好")
    now = house.clock.now()

    def plan(db: sa.Connection) -> int:
        common = {"patient_code": "P01", "version": 1}
        instance = db.execute(
            plan_instances.insert()
            .values(
                **common,
                plan="joint",
                episode="procedure:OP1",
                anchor_at=now - timedelta(days=3),
                created_at=now,
                changed_at=now,
            )
            .returning(plan_instances.c.id)
        ).scalar_one()
        touch = db.execute(
            touches.insert()
            .values(
                key="k",
                instance_id=instance,
                patient_code="P01",
                contact_id=1,
                step="d3",
                purpose="care",
                rank=1,
                questions=questions,
                due_at=now,
                useful_until=now + timedelta(days=1),
                asked_at=now - timedelta(hours=5),
                state="silent",
            )
            .returning(touches.c.id)
        ).scalar_one()
        number: int = db.execute(
            tasks.insert()
            .values(
                at=now,
                key=f"silence:{touch}",
                contact_id=1,
                patient_code="P01",
                kind="silence",
                reason="高风险随访未回复,请电话联系:joint d3",
                status="open",
                due_at=now,
            )
            .returning(tasks.c.id)
        ).scalar_one()
        return number

    return await house.does(plan)


async def task_of(house: House, number: int) -> Any:
    return await house.asks(lambda db: db.execute(sa.select(tasks).where(tasks.c.id == number)).one())


async def touch_of(house: House) -> Any:
    return await house.asks(lambda db: db.execute(sa.select(touches)).one())


async def test_a_plan_s_questions_are_asked_by_telephone_and_end_what_the_chat_asks(house: House) -> None:
    task = await silent(house)
    nurse = await house.colleague()
    page = await nurse.sees(f"/console/calls/{task}")
    assert "骨关节术后随访 第3天" in page
    assert "今天最高体温是？" in page
    assert "没发烧" in page
    _, part = await nurse.post(f"/console/calls/{task}/answer", key="temp", text="1")
    assert "伤口" in part
    _, part = await nurse.post(f"/console/calls/{task}/answer", key="temp", text="1")  # pressed twice
    assert (await touch_of(house)).answers == {"temp": "1"}
    _, part = await nurse.post(f"/console/calls/{task}/answer", key="joint_wound", text="1")
    assert "问完了" in part
    assert (await touch_of(house)).state == "answered"
    assert (await task_of(house, task)).status == "open"  # until it is written down how it ended
    await nurse.post(f"/console/calls/{task}/outcome", outcome="reached", note="恢复得好")
    row = await task_of(house, task)
    assert (row.status, row.outcome, row.assigned_to) == ("done", "打通，没有问题", ME)


async def test_a_dangerous_answer_on_the_telephone_is_an_alarm_at_once(house: House) -> None:
    task = await silent(house)
    nurse = await house.colleague()
    _, part = await nurse.post(f"/console/calls/{task}/answer", key="temp", text="3")
    assert "警报" in part
    assert "问完了" in part  # nothing more is asked: somebody acts
    [alarm] = await house.asks(lambda db: db.execute(sa.select(alerts)).all())
    assert (alarm.level, alarm.patient_code) == ("U", "P01")
    assert "电话：" in alarm.text_span


async def test_what_answers_no_option_is_asked_again(house: House) -> None:
    task = await silent(house, "glu")
    nurse = await house.colleague()
    _, part = await nurse.post(f"/console/calls/{task}/answer", key="glu", text="挺好的")
    assert "再问一次" in part
    assert (await nurse.post("/console/calls/999/answer", key="glu", text="6"))[0] == 404


async def test_an_answer_in_the_chat_ends_the_call_and_nobody_rings(house: House) -> None:
    task = await silent(house, "temp")
    nurse = await house.colleague()
    assert 'href="/console/calls/' in await nurse.sees("/console/calls")
    await house.says("1")
    row = await task_of(house, task)
    assert row.status != "open"
    assert "没有要打的电话" in await nurse.sees("/console/calls")


def test_every_question_of_the_bank_can_be_read_out_with_its_options() -> None:
    wording = Wording(ZONE)
    facts = facts_of(SimpleNamespace(anchor_at=NOW), ZONE)  # type: ignore[arg-type]
    for key, question in QUESTIONS.items():
        asked_out = read_out(key, wording, facts)
        assert asked_out.text, key
        if question.kind in ("choice", "several"):
            numbers = [number for number, _ in asked_out.options]
            assert set(question.options) <= set(numbers) | {"0"}, (key, asked_out)


def test_a_script_asks_on_only_where_it_matters() -> None:
    keys = [one.key for one in asked(CARE, {})]
    assert keys == ["feel", "flags", "medicine", "next"]
    keys = [one.key for one in asked(CARE, {"flags": "有一点", "medicine": "没拿到"})]
    assert keys == ["feel", "flags", "since", "medicine", "medicine_help", "next"]
    assert alarming(CARE, {"flags": "都没有", "since": "今天，越来越重"}) == []  # it was not to be asked
    assert len(alarming(CARE, {"flags": "有，比较重", "feel": "不好"})) == 2


@pytest.mark.parametrize(
    ("now", "tried", "best", "expected"),
    [
        ("2026-11-18 10:30", [], None, "2026-11-18 14:00"),  # the morning is used up
        ("2026-11-18 10:30", [], 1, "2026-11-18 16:00"),  # when this patient writes to us
        ("2026-11-18 17:00", ["2026-11-18 10:30"], None, "2026-11-19 14:00"),
        ("2026-11-18 18:30", [], None, "2026-11-19 10:00"),
    ],
)
def test_the_next_try_is_at_another_hour(now: str, tried: list[str], best: int | None, expected: str) -> None:
    assert next_try(at(now), ZONE, [at(one) for one in tried], best) == at(expected)


async def test_three_in_vain_and_the_patient_reads_how_to_reach_us(house: House) -> None:
    task = await silent(house)
    nurse = await house.colleague()
    for tries in range(1, 4):
        await nurse.post(f"/console/calls/{task}/outcome", outcome="no_answer")
        row = await task_of(house, task)
        assert row.status == ("open" if tries < 3 else "done")
    assert row.outcome == "3次未接通"
    texts = await house.asks(lambda db: db.execute(sa.select(letters)).all())
    assert any("没有打通" in one.body["text"] for one in texts)


async def test_an_agreed_time_is_kept_and_must_be_to_come(house: House) -> None:
    task = await silent(house)
    nurse = await house.colleague()
    for wrong in ("", "2026-11-18T09:00", "bald"):
        status, _ = await nurse.post(f"/console/calls/{task}/outcome", outcome="later", at=wrong)
        assert status == 422
    await nurse.post(f"/console/calls/{task}/outcome", outcome="later", at="2026-11-19T09:20")
    assert (await task_of(house, task)).due_at == at("2026-11-19 09:20")


async def test_who_refuses_is_not_rung_again_about_the_same(house: House) -> None:
    task = await silent(house)
    now = house.clock.now()
    await house.does(
        lambda db: db.execute(
            tasks.insert().values(
                at=now, key="low", contact_id=1, patient_code="P01", kind="low_score", status="open"
            )
        )
    )
    nurse = await house.colleague()
    await nurse.post(f"/console/calls/{task}/outcome", outcome="refused")
    assert "没有要打的电话" in await nurse.sees("/console/calls")


async def test_a_lead_comes_back_the_next_day_until_something_became_of_it(house: House) -> None:
    nurse = await house.colleague()
    await nurse.post("/console/leads", phone="13911112222", name="周先生", note="想问种植牙")
    assert "周先生" not in await nurse.sees("/console/calls")
    house.passes(hours=25)
    nurse = await house.colleague()
    assert "周先生" in await nurse.sees("/console/calls")
    await nurse.post("/console/leads/1", stage="booked")
    assert "周先生" not in await nurse.sees("/console/calls")
    assert (await nurse.post("/console/leads/1", stage="sold"))[0] == 422
    assert await house.asks(lambda db: db.execute(sa.select(leads.c.stage)).scalar()) == "booked"
