"""Plans in the console: who is at which step, and one person's plan stopped."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.console.flows import plan_words
from bot.console.flows.pages import when
from bot.flows import PLANS
from bot.flows.plan import Repeat, Step
from storage.tables import plan_decisions, plan_instances, touches, users, visits
from tests.console.conftest import COLLEAGUES, House

ANCHOR = datetime(2026, 11, 16, 1, tzinfo=UTC)


async def follows(house: House, plan: str = "joint", patient: str = "P05", **touch: Any) -> int:
    """Somebody follows a plan, with one contact to come."""

    def arrange(db: sa.Connection) -> int:
        now = house.clock.now()
        moments = {"anchor_at": ANCHOR, "created_at": now, "changed_at": now}
        row = {"patient_code": patient, "plan": plan, "version": 1, "episode": f"procedure:{patient}"}
        number: int = db.execute(
            plan_instances.insert().values(**row, **moments).returning(plan_instances.c.id)
        ).scalar_one()
        due = {"due_at": now + timedelta(days=1), "useful_until": now + timedelta(days=2)}
        named = {"key": f"{patient}/{plan}", "instance_id": number, "patient_code": patient}
        db.execute(
            touches.insert().values(
                **({"step": "d3", "rank": 1, "purpose": "care", "questions": "flags"} | named | due | touch)
            )
        )
        return number

    return await house.does(arrange)


async def test_plans_say_who_signed_them_how_many_follow_and_where_they_are(house: House) -> None:
    await follows(house)
    await follows(house, patient="P06", state="silent", reason="")
    nurse = await house.colleague()
    page = await nurse.sees("/console/flows")
    assert "骨关节术后随访" in page
    assert "未签字" in page
    assert "春节" in page
    page = await nurse.sees("/console/flows/joint")
    assert "/console/flows/joint/people?step=d3&amp;state=planned" in page
    assert "/console/flows/joint/people?step=d3&amp;state=silent" in page
    assert "第3天" in page
    assert (await nurse.get("/console/flows/no_such_plan"))[0] == 404


async def test_one_person_s_plan_is_stopped_with_what_was_to_come(house: House) -> None:
    number = await follows(house)
    nurse = await house.colleague()
    page = await nurse.sees("/console/flows/joint/people?step=d3&state=planned")
    assert "许*怡" in page
    assert "许静怡" not in page
    status, where = await nurse.post(
        f"/console/flows/joint/people/{number}/stop", back="?step=d3&state=planned"
    )
    assert (status, where) == (303, "/console/flows/joint/people?step=d3&state=planned")
    assert "没有人" in await nurse.sees(where)

    def state(db: sa.Connection) -> tuple[Any, ...]:
        return (
            db.execute(sa.select(plan_instances.c.state)).scalar_one(),
            db.execute(sa.select(touches.c.state)).scalar_one(),
            db.execute(sa.select(plan_decisions.c.reason)).scalar_one(),
        )

    assert await house.asks(state) == ("stopped", "cancelled", f"staff {COLLEAGUES['nurse']}")
    assert f"{COLLEAGUES['nurse']} 操作" in await nurse.sees("/console/flows/joint")


async def test_a_manager_pauses_a_plan_for_everybody_and_lets_it_go_on(house: House) -> None:
    await follows(house)
    nurse, manager = await house.colleague(), await house.colleague("manager")
    assert (await nurse.post("/console/flows/joint/pause"))[0] == 403
    assert "暂停 1 条" in await manager.sees("/console/flows/joint?ask=pause")
    assert (await manager.post("/console/flows/joint/pause"))[0] == 303
    assert "已暂停" in await nurse.sees("/console/flows")
    assert "已暂停" in await nurse.sees("/console/flows/joint")
    assert (await manager.post("/console/flows/joint/resume"))[0] == 303
    assert "已暂停" not in await nurse.sees("/console/flows/joint")


async def test_a_nurse_of_another_department_neither_sees_nor_stops_it(house: House) -> None:
    number = await follows(house)

    def arrange(db: sa.Connection) -> None:
        day = house.clock.now().date()
        row = {"code": "V901", "patient_code": "P05", "department_code": "KQ", "date": day}
        db.execute(visits.insert().values(**row, kind="outpatient"))
        mine = users.c.name == COLLEAGUES["nurse"]
        db.execute(users.update().where(mine).values(departments="EK"))

    await house.does(arrange)
    nurse = await house.colleague()
    assert "没有人" in await nurse.sees("/console/flows/joint/people?step=d3")
    assert (await nurse.post(f"/console/flows/joint/people/{number}/stop"))[0] == 404


def test_steps_say_when_they_are() -> None:
    assert when(Step("d3", days=3)) == "第3天 10:00"
    assert when(Step("t1", days=-1)) == "前1天 10:00"
    assert when(Step("h2", at=None, after=-timedelta(hours=2))) == "前2小时"
    assert when(Step("m1", months=1, repeat=Repeat(months=3))) == "满1个月 10:00，每3个月一次"
    assert (
        when(Step("w", weekday=0, repeat=Repeat(days=7, until=90))) == "当天起的周一 10:00，每7天一次到第90天"
    )


def test_every_plan_and_question_has_a_name_that_colleagues_read() -> None:
    shipped = list(PLANS.values())
    assert {one.id for one in shipped} <= set(plan_words.PLANS)
    assert {name for one in shipped for step in one.steps for name in step.questions} <= set(
        plan_words.QUESTIONS
    )
