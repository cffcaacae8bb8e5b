"""The managers' figures: what they say, how sure they are, who is behind them, and the month on paper."""

from __future__ import annotations

import io
import re
from datetime import datetime, timedelta

import openpyxl
import pytest
import sqlalchemy as sa

from bot.console.managers.intervals import difference, quantile, wilson
from bot.console.managers.measures.growth import effect
from storage.tables import (
    appointments,
    broadcast_members,
    broadcasts,
    contacts,
    letters,
    patients,
    plan_instances,
    tasks,
    touches,
    visits,
)
from tests.console.conftest import COLLEAGUES, House

NURSE = COLLEAGUES["nurse"]


def _tile(page: str, figure: str) -> str:
    """What a figure's tile says."""
    found = re.search(rf'href="/console/figures/{figure}\?[^>]*>(.*?)</a>', page, re.DOTALL)
    assert found is not None, figure
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found[1])).strip()


def _people(db: sa.Connection, count: int) -> None:
    db.execute(
        patients.insert(),
        [{"code": f"F{number:03}", "name": f"钱{number}号"} for number in range(count)],
    )


def _handed_over(now: datetime, waits: list[int | None]) -> list[dict[str, object]]:
    """Somebody asked for a person, and so many minutes later one wrote."""
    return [{"at": now - timedelta(hours=number + 1), "wait": wait} for number, wait in enumerate(waits)]


def _waited(db: sa.Connection, now: datetime, waits: list[int | None]) -> None:
    for number, one in enumerate(_handed_over(now, waits)):
        contact = db.execute(
            contacts.insert()
            .values(account="wechat/default", openid=f"oF{number}", created_at=now)
            .returning(contacts.c.id)
        ).scalar_one()
        began = one["at"]
        assert isinstance(began, datetime)
        db.execute(
            tasks.insert().values(at=began, kind="handoff", contact_id=contact, patient_code=f"F{number:03}")
        )
        if isinstance(one["wait"], int):
            sent = began + timedelta(minutes=one["wait"])
            db.execute(
                letters.insert().values(
                    key=f"f{number}",
                    contact_id=contact,
                    purpose="transaction",
                    state="sent",
                    priority=1,
                    body={"text": "您好"},
                    author=NURSE,
                    created_at=sent,
                    not_before=sent,
                    sent_at=sent,
                )
            )


async def test_the_wait_for_a_person_is_a_median_a_p90_and_a_list_of_people(house: House) -> None:
    now = house.clock.now()
    await house.does(lambda db: _people(db, 12))
    await house.does(lambda db: _waited(db, now, [1, 2, 3, 4, 5, 6, 7, 8, 9, 100, None]))
    manager = await house.colleague("manager")
    page = await manager.sees("/console/figures?of=response&days=7")
    assert "5.0 分" in _tile(page, "first_reply")
    assert "n=10" in _tile(page, "first_reply")
    assert "9.0 分" in _tile(page, "first_reply_p90")
    assert "91%" in _tile(page, "answered")
    people = await manager.sees("/console/figures/first_reply?days=7")
    listed = people.partition("<tbody>")[2]
    assert listed.index("1.7 小时") < listed.index("9.0 分")  # the slowest first
    assert "没有人回复" in await manager.sees("/console/figures/answered?days=7")
    assert "钱10号" not in people  # names are masked


async def test_each_colleague_s_work_leads_to_whom_they_wrote_to(house: House) -> None:
    now = house.clock.now()
    await house.does(lambda db: _people(db, 5))
    await house.does(lambda db: _waited(db, now, [3, 4, 5]))
    manager = await house.colleague("manager")
    page = (await manager.sees("/console/figures?of=workload&days=7")).partition("每位同事")[2]
    row = re.search(rf"<tr><th scope=\"row\"><a href=\"([^\"]+)\">{NURSE}</a>(.*?)</tr>", page, re.DOTALL)
    assert row is not None
    assert re.findall(r"<td class=\"num\">([^<]+)</td>", row[2])[:3] == ["3", "3", "4.0 分"]
    listed = await manager.sees(row[1].replace("&amp;", "&"))
    assert listed.count("1 条消息") == 3


async def test_follow_ups_that_did_not_go_out_are_counted_and_named_with_the_reason(house: House) -> None:
    now = house.clock.now()

    def plan(db: sa.Connection) -> None:
        _people(db, 4)
        for number, state in enumerate(("answered", "answered", "silent", "withheld")):
            instance = db.execute(
                plan_instances.insert()
                .values(
                    patient_code=f"F{number:03}",
                    plan="happy_call",
                    version=1,
                    episode=f"visit:X{number}",
                    anchor_at=now,
                    created_at=now,
                    changed_at=now,
                )
                .returning(plan_instances.c.id)
            ).scalar_one()
            sent = state != "withheld"
            db.execute(
                touches.insert().values(
                    key=f"t{number}",
                    instance_id=instance,
                    patient_code=f"F{number:03}",
                    step="d1",
                    purpose="care",
                    rank=1,
                    due_at=now,
                    useful_until=now - timedelta(hours=1),
                    state=state,
                    reason="" if sent else "no_consent",
                    asked_at=now - timedelta(hours=3) if sent else None,
                    answers={"csat": 5 if number else 2} if state == "answered" else None,
                )
            )

    await house.does(plan)
    manager = await house.colleague("manager")
    page = await manager.sees("/console/figures?of=follow_up&days=7")
    assert "75%" in _tile(page, "coverage")
    assert "67%" in _tile(page, "replied")
    assert "没有同意" in await manager.sees("/console/figures/coverage?days=7")
    few = await manager.sees("/console/figures?of=satisfaction&days=7")
    assert "太少不显示" in _tile(few, "csat")
    assert "2 分" in await manager.sees("/console/figures/low_scores?days=7")


async def test_those_who_did_not_come_again_are_counted_by_department_and_listed(house: House) -> None:
    today = house.clock.now().date()

    def came(db: sa.Connection) -> None:
        _people(db, 10)
        first = today - timedelta(days=100)
        rows = [(number, first) for number in range(10)]
        rows += [(number, first + timedelta(days=30)) for number in range(4)]  # again
        rows += [(9, first + timedelta(days=95))]  # too late
        db.execute(
            visits.insert(),
            [
                {"code": f"FV{place}", "patient_code": f"F{number:03}", "department_code": "KQ", "date": day}
                for place, (number, day) in enumerate(rows)
            ],
        )

    await house.does(came)
    manager = await house.colleague("manager")
    page = await manager.sees("/console/figures?of=retention")
    assert "40%" in _tile(page, "retention_90")
    assert "40% (17–69%, 4/10)" in page
    listed = await manager.sees("/console/figures/retention_90?department=KQ")
    assert listed.count("之后没有再来") == 6
    assert "/console/patients/F009" in listed


async def test_a_broadcast_is_held_against_those_who_were_kept_back(house: House) -> None:
    now = house.clock.now()

    def sent(db: sa.Connection) -> None:
        _people(db, 200)
        number = db.execute(
            broadcasts.insert()
            .values(
                purpose="marketing",
                text="洁牙活动",
                segment="{}",
                state="finished",
                created_by=NURSE,
                created_at=now,
                started_at=now - timedelta(days=5),
                hold_out=50,
            )
            .returning(broadcasts.c.id)
        ).scalar_one()
        db.execute(
            broadcast_members.insert(),
            [
                {
                    "broadcast_id": number,
                    "patient_code": f"F{one:03}",
                    "verdict": "held_out" if one % 2 else "",
                }
                for one in range(200)
            ],
        )
        slot = db.execute(sa.text("SELECT code, doctor_code FROM slots")).first()
        assert slot is not None
        db.execute(
            appointments.insert(),
            [
                {
                    "number": f"YYF{one}",
                    "patient_code": f"F{one:03}",
                    "slot_code": slot.code,
                    "doctor_code": slot.doctor_code,
                    "department_code": "KQ",
                    "start_at": now,
                    "status": "booked",
                    "created_at": now - timedelta(days=2),
                    "changed_at": now,
                }
                for one in [*range(0, 80, 2), *range(1, 20, 2)]
            ],
        )

    await house.does(sent)
    marketing = await house.colleague("marketing")
    page = await marketing.sees("/console/figures?of=campaigns&days=7")
    assert "40% (31–50%, 40/100)" in page
    assert "10% (6–17%, 10/100)" in page
    assert "+30.0%" in page


async def test_marketing_sees_numbers_of_care_but_not_whose(house: House) -> None:
    await house.says("刀口一直流血，头晕得站不起来")
    marketing, manager = await house.colleague("marketing"), await house.colleague("manager")
    assert "大出血" in await manager.sees("/console/figures/alarms")
    page = await marketing.sees("/console/figures/alarms")
    assert "大出血" not in page
    assert "只看数字" in page


async def test_the_month_is_a_page_a_workbook_and_a_pdf(house: House) -> None:
    manager = await house.colleague("manager")
    page = await manager.sees("/console/figures/month?month=2026-10")
    assert "2026-10-01 至 2026-10-31" in page
    async with manager.session.get(manager.url + "/console/figures/month/xlsx?month=2026-10") as answer:
        book = openpyxl.load_workbook(io.BytesIO(await answer.read()))
        assert answer.headers["Content-Disposition"].endswith('report-2026-10.xlsx"')
    names = [row[1].value for row in book[book.sheetnames[0]].iter_rows(min_row=2)]
    assert {"满意度", "随访覆盖率", "按时答复率", "90天内复诊率"} <= set(names)
    assert {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row} <= {
        "s",
        "inlineStr",
        "n",
    }
    async with manager.session.get(manager.url + "/console/figures/month/pdf?month=2026-10") as answer:
        assert answer.content_type == "application/pdf"
        assert (await answer.read()).startswith(b"%PDF-")
    auditor = await house.colleague("auditor")
    assert "2026-10 pdf" in await auditor.sees("/console/audit")


@pytest.mark.parametrize("month", ["2099-01", "x", "2026-13", "2026-00", ""])
async def test_a_month_that_is_none_is_the_last_whole_one(house: House, month: str) -> None:
    manager = await house.colleague("manager")
    assert "2026-10-01 至 2026-10-31" in await manager.sees(f"/console/figures/month?month={month}")


def test_intervals_are_those_of_the_papers() -> None:
    low, high = wilson(15, 148)  # Newcombe 1998, table I
    assert (round(low, 4), round(high, 4)) == (0.0624, 0.1605)
    assert [round(bound, 4) for bound in difference(56, 70, 48, 80)] == [0.2, 0.0524, 0.3339]
    assert quantile([7.0], 0.9) == (7.0, 7.0, 7.0)
    assert "看不出差别" in effect(11, 100, 10, 100)
    assert effect(0, 0, 0, 0) == "—"
