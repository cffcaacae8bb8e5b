"""Answers in words of one's own: a danger, a complaint, something that no option says."""

from __future__ import annotations

import sqlalchemy as sa

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
