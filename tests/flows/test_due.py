"""What only some patients are asked: by the operation's name, a finding, a day that is due, a tag of today."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa

from storage.tables import patient_tags, report_items, reports
from tests.flows.conftest import Ward, at
from tests.flows.test_visits import books


async def report(ward: Ward, issued: str = "2026-11-18 09:00", flag: str = "", **more: Any) -> None:
    """The report of a health check comes in, with one item."""
    row = {
        "code": "R1",
        "patient_code": "P05",
        "kind": "exam",
        "title": "体检报告",
        "status": "ready",
        "issued_at": datetime.fromisoformat(issued).replace(tzinfo=at(issued).tzinfo),
    }
    await ward.imports(reports, **row | more)
    await ward.imports(report_items, report_code="R1", name="空腹血糖", value="7.9", flag=flag)


# The evening before


async def test_who_is_to_drink_is_asked_whether_it_works(ward: Ward) -> None:
    await ward.operation("endoscopy", day="2026-11-19", name="无痛结肠镜", status="planned")
    await ward.lives_through("2026-11-18 10:30", "2026-11-18 20:35")
    assert (await ward.steps())[-1] == "preop_bowel/t1_20"
    assert "泻药" in await ward.last_text()
    await ward.says("3")
    assert await ward.alerts() == [("U", "preop_bowel")]


async def test_a_look_into_the_stomach_needs_no_such_drink(ward: Ward) -> None:
    await ward.operation("endoscopy", day="2026-11-19", name="无痛胃镜", status="planned")
    await ward.lives_through("2026-11-18 10:30", "2026-11-18 20:35")
    assert "preop_bowel/t1_20" not in await ward.steps()


async def test_a_nurse_makes_sure_of_the_hours_of_fasting(ward: Ward) -> None:
    """The order's hours are not among what the hospital tells us: no default, and a task."""
    await ward.operation(day="2026-11-19", status="planned")
    await ward.lives_through("2026-11-18 10:30", "2026-11-18 19:00")
    assert [step for step in await ward.steps() if step.startswith("preop")] == ["preop/t1_10", "preop/t1_18"]
    assert await ward.tasks() == ["plan"]


async def test_an_injection_is_asked_about_two_hours_later(ward: Ward) -> None:
    await ward.operation("cosmetic", day="2026-11-18", name="玻尿酸注射", time=at("2026-11-18 14:10").time())
    await ward.looks("2026-11-18 16:09")
    assert await ward.steps() == []
    await ward.looks("2026-11-18 16:11")
    assert await ward.steps() == ["injection/h2"]
    await ward.says("2")
    assert await ward.alerts() == [("U", "injected_colour")]


# Oxygen and the symptoms of COPD


@pytest.mark.parametrize(
    ("reading", "level"),
    [("97", []), ("95%", []), ("94", [("U", "spo2")]), ("87", [("E", "spo2")]), ("没有血氧仪", [])],
)
async def test_oxygen_is_held_against_what_is_usual(ward: Ward, reading: str, level: list[object]) -> None:
    await ward.tag("慢阻肺")
    await ward.looks("2026-11-20 10:30")
    assert "血氧" in await ward.says("1")
    assert "吸入" in await ward.says("97")
    await ward.says("1")
    await ward.looks("2026-11-25 10:30")
    await ward.says("1")
    await ward.says(reading)
    assert await ward.alerts() == level


# Health checks


async def test_a_finding_is_asked_about_after_three_and_six_months(ward: Ward) -> None:
    await ward.visit(kind="exam")
    await report(ward, flag="H")
    await ward.looks("2026-11-18 10:30")
    assert (await ward.touches())["m3"].due_at.astimezone(
        at("2026-11-18 10:00").tzinfo
    ).date().isoformat() == "2027-02-18"
    assert "m6" in await ward.touches()


async def test_without_a_finding_nobody_is_asked_to_come_again(ward: Ward) -> None:
    await ward.visit(kind="exam")
    await report(ward)
    await ward.looks("2026-11-18 10:30")
    assert {"m3", "m6"}.isdisjoint(await ward.touches())
    assert "r7" in await ward.touches()


async def test_nobody_is_asked_about_a_report_that_is_not_out(ward: Ward) -> None:
    await ward.visit(kind="exam")
    await report(ward, status="pending")
    await ward.looks("2026-11-18 10:30")
    assert await ward.touches() == {}
    await report(ward, issued="2026-11-27 09:00")
    await ward.looks("2026-12-04 10:30")
    assert await ward.steps() == ["exam_after/r7"]


async def test_a_dangerous_value_is_told_by_phone_and_only_that_is_asked(ward: Ward) -> None:
    await ward.visit(kind="exam")
    await report(ward, flag="C")
    await ward.looks("2026-11-19 10:30")
    assert await ward.steps() == ["exam_contacted/r1"]
    assert "医生联系您了吗" in await ward.last_text()
    assert "血糖" not in await ward.last_text()
    await ward.says("2")
    assert await ward.alerts() == [("U", "contacted")]


async def test_who_was_told_is_not_asked(ward: Ward) -> None:
    await ward.visit(kind="exam")
    await report(ward, flag="C", contacted_at=at("2026-11-18 15:00"), contacted_by="李医生")
    await ward.looks("2026-11-19 10:30")
    assert await ward.steps() == []


# Days that are due


async def test_a_revisit_is_asked_about_a_week_before(ward: Ward) -> None:
    await ward.tag("复诊2026-11-27")
    await ward.looks("2026-11-20 10:30")
    assert await ward.steps() == ["revisit/t7"]
    assert "11月27日" in await ward.last_text()
    assert "前台" in await ward.says("2")


async def test_who_has_booked_is_not_reminded_to_book(ward: Ward) -> None:
    await ward.tag("复诊2026-11-27")
    await books(ward)
    await ward.looks("2026-11-20 10:30")
    assert "revisit/t7" not in await ward.steps()


async def test_who_did_not_come_is_asked_once_more(ward: Ward) -> None:
    await ward.tag("复诊2026-11-27")
    await ward.looks("2026-11-20 10:30")
    await ward.says("1")
    await ward.looks("2026-12-04 10:30")
    assert (await ward.steps())[-1] == "revisit/late7"


async def test_new_medicine_is_asked_about_five_days_before(ward: Ward) -> None:
    await ward.tag("续方 2026-11-25")
    await ward.looks("2026-11-20 10:30")
    assert await ward.steps() == ["refill/t5"]
    assert "哪个科" in await ward.says("2") or "医生" in await ward.says("2")


@pytest.mark.parametrize("tag", ["复诊2026-02-30", "复诊下周", "复诊"])
async def test_a_day_that_is_none_is_no_plan(ward: Ward, tag: str) -> None:
    await ward.tag(tag)
    await ward.looks("2026-11-20 10:30")
    assert await ward.instances() == []


# Tags that colleagues change


async def test_rule_15_a_tag_given_in_the_console_begins_its_plan(ward: Ward) -> None:
    await ward.looks("2026-11-18 10:00")
    row = {"patient_code": "P05", "tag": "高血压", "producer": "li", "since": at("2026-11-18 10:05")}
    await ward.does(lambda db: db.execute(patient_tags.insert().values(**row)))
    await ward.looks("2026-11-18 10:06")
    assert [one.plan for one in await ward.instances()] == ["hypertension"]
    await ward.looks("2026-11-19 08:30")
    assert await ward.steps() == ["hypertension/daily"]


async def test_rule_15_a_tag_taken_off_in_the_console_ends_its_plan(ward: Ward) -> None:
    await ward.tag("高血压")
    await ward.looks("2026-11-18 10:30")
    await ward.does(lambda db: db.execute(sa.delete(patient_tags)))
    await ward.looks("2026-11-18 10:31")
    assert [(one.state, one.reason) for one in await ward.instances()] == [("stopped", "cancelled")]
    await ward.looks("2026-11-19 08:30")
    assert await ward.steps() == []


async def test_a_reading_gives_way_to_the_weightier_question_of_its_own_plan(ward: Ward) -> None:
    """Day 7 after a stroke falls on a Monday, the day of a reading at eight."""
    await ward.tag("卒中后", since="2026-11-16 10:00")
    await ward.looks("2026-11-22 12:00")
    await ward.looks("2026-11-23 08:25")
    assert "stroke/monday" not in await ward.steps()
    await ward.looks("2026-11-23 10:30")
    assert (await ward.steps())[-1] == "stroke/d7"
    await ward.looks("2026-11-26 08:30")
    assert (await ward.steps())[-1] == "stroke/thursday"
