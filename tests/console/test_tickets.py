"""Complaints at the desk: clocks that stand still, others who settle them, what is done about it, and exports."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa

from bot.hospital import complaints
from storage.tables import letters, tasks, ticket_entries, tickets
from tests.chat import ZONE
from tests.console.conftest import COLLEAGUES, House, Visitor

ME = COLLEAGUES["nurse"]
PROMISED = date(2026, 11, 25)  # five working days after the tests' Wednesday


async def complained(
    house: House, severity: str = "C2", what: str = "等了三个小时", openid: str = "oU1"
) -> str:
    """A complaint of the bound patient; its number."""
    await house.says("人工", openid)
    number, due = await house.does(
        lambda db: complaints.register(
            db,
            house.clock.now(),
            ZONE,
            kind="complaint",
            contact_id=1,
            patient_code="P01",
            severity=severity,
            emotion="",
            account={"what": what},
        )
    )
    assert due == PROMISED
    return number


async def ticket_of(house: House, number: str) -> Any:
    return await house.asks(lambda db: db.execute(sa.select(tickets).where(tickets.c.number == number)).one())


async def told(house: House) -> list[str]:
    """What the patient was written, the newest last."""
    rows = await house.asks(lambda db: db.execute(sa.select(letters).order_by(letters.c.id)).all())
    return [row.body["text"] for row in rows]


async def does(visitor: Visitor, number: str, deed: str, **fields: str) -> None:
    status, page = await visitor.post(f"/console/tickets/{number}/{deed}", **fields)
    assert status == 303, page


async def test_a_paused_complaint_s_clock_stands_still_and_the_patient_knows_why(house: House) -> None:
    number = await complained(house)
    nurse = await house.colleague()
    status, page = await nurse.post(f"/console/tickets/{number}/pause", why="")
    assert status == 422
    assert "请写明暂停原因" in page
    await does(nurse, number, "pause", why="等待您提供收费单据")
    assert "等待您提供收费单据" in (await told(house))[-1]
    house.passes(days=12)  # over the promised day: eight working days
    nurse = await house.colleague()
    page = await nurse.sees("/console/tickets")
    assert "超期" not in page.split("</nav>")[2]
    await does(nurse, number, "resume")
    row = await ticket_of(house, number)
    assert row.paused_at is None
    assert row.due == date(2026, 12, 7)  # 25 November and eight working days
    assert "12月7日" in (await told(house))[-1]


async def test_an_answer_ends_a_pause(house: House) -> None:
    number = await complained(house)
    nurse = await house.colleague()
    await does(nurse, number, "pause", why="等待检查结果")
    await does(nurse, number, "answer", text="检查结果已出，我们向您说明。")
    row = await ticket_of(house, number)
    assert (row.status, row.paused_at) == ("replied", None)


async def test_several_departments_have_ten_working_days_and_not_more(house: House) -> None:
    number = await complained(house)
    nurse = await house.colleague()
    await does(nurse, number, "extend", why="骨科和收费处")
    assert (await ticket_of(house, number)).due == date(2026, 12, 2)
    assert "12月2日" in (await told(house))[-1]
    assert (await nurse.post(f"/console/tickets/{number}/extend", why="再多几天"))[0] == 422


async def test_what_a_court_settles_is_frozen_and_only_the_manager_thaws_it(house: House) -> None:
    number = await complained(house)
    nurse, manager = await house.colleague(), await house.colleague("manager")
    await does(nurse, number, "legal", where="mediation", why="患者申请调解")
    assert "医疗纠纷人民调解委员会" in (await told(house))[-1]
    for deed, fields in (
        ("answer", {"text": "我们已经核实"}),
        ("move", {"to": "acknowledged"}),
        ("pause", {"why": "等材料"}),
        ("legal", {"where": "", "why": "调解完成"}),
    ):
        assert (await nurse.post(f"/console/tickets/{number}/{deed}", **fields))[0] == 422, deed
    await does(nurse, number, "note", kind="note", text="已寄送病历复印件")
    await does(manager, number, "legal", where="", why="调解完成")
    await does(manager, number, "move", to="acknowledged")


async def test_what_is_not_ours_to_handle_is_closed_with_its_reason_and_no_call(house: House) -> None:
    number = await complained(house)
    nurse = await house.colleague()
    await does(nurse, number, "refuse", why="法院已经受理")
    row = await ticket_of(house, number)
    assert (row.status, row.closed_as, row.closed_at) == ("closed", "not_accepted", house.clock.now())
    assert "法院已经受理" in (await told(house))[-1]
    assert not await house.asks(
        lambda db: db.execute(sa.select(tasks.c.id).where(tasks.c.kind == "callback")).all()
    )


@pytest.mark.parametrize(("severity", "days"), [("C2", [7]), ("C1", [7, 30])])
async def test_a_week_after_closing_somebody_calls_and_it_stands_in_the_record(
    house: House, severity: str, days: list[int]
) -> None:
    number = await complained(house, severity)
    manager = await house.colleague("manager")
    await does(manager, number, "move", to="acknowledged")
    await does(manager, number, "answer", text="我们已经了解情况，向您致歉。")
    await does(manager, number, "move", to="closed", why="患者满意")
    row = await ticket_of(house, number)
    assert (row.closed_as, row.closed_at) == ("settled", house.clock.now())
    due = await house.asks(
        lambda db: db.execute(
            sa.select(tasks).where(tasks.c.kind == "callback").order_by(tasks.c.due_at)
        ).all()
    )
    assert [(one.due_at.astimezone(ZONE).date() - date(2026, 11, 18)).days for one in due] == days
    await manager.post(f"/console/calls/{due[0].id}/outcome", outcome="reached", note="没有再发生")
    entries = await house.asks(
        lambda db: db.execute(sa.select(ticket_entries).where(ticket_entries.c.kind == "call_back")).all()
    )
    assert ["没有再发生" in one.text for one in entries] == [True]
    await does(manager, number, "move", to="reopened", why="又发生了")
    assert (await ticket_of(house, number)).closed_at is None


async def test_only_with_a_reason_is_a_complaint_made_lighter(house: House) -> None:
    number = await complained(house, "C1")
    nurse = await house.colleague()
    wanted = {"severity": "C3", "department": "GK", "doctor": "D01", "cause": "relation.words"}
    assert (await nurse.post(f"/console/tickets/{number}/class", **wanted))[0] == 422
    await does(nurse, number, "class", **wanted, why="没有伤害，是解释不够")
    row = await ticket_of(house, number)
    assert (row.severity, row.department_code, row.doctor_code, row.cause) == tuple(wanted.values())
    page = await nurse.sees(f"/console/tickets/{number}")
    assert "没有伤害，是解释不够" in page


async def test_the_third_of_one_cause_asks_for_a_corrective_action_that_is_checked(house: House) -> None:
    numbers = [await complained(house, what=f"第{one}次") for one in range(3)]
    nurse = await house.colleague()
    for number in numbers:
        assert "请立整改措施" not in await nurse.sees(f"/console/tickets/{number}")
        await does(nurse, number, "class", department="GK", cause="management.waiting")
    number = numbers[-1]
    assert "已有 3 件，请立整改措施" in await nurse.sees(f"/console/tickets/{number}")
    await does(nurse, number, "actions", text="分时段叫号", owner=ME, due="2026-12-01")
    await does(nurse, number, "actions/1")
    page = await nurse.sees(f"/console/tickets/{number}")
    assert "2027-03-01（周一） 检查效果" in page
    await does(nurse, number, "actions/1", effect="等候时间降到20分钟")
    assert "等候时间降到20分钟" in await nurse.sees(f"/console/tickets/{number}")
    assert (await nurse.post(f"/console/tickets/{numbers[0]}/actions/1", effect="x"))[0] == 404


async def test_a_grave_one_reaches_quality_control_which_says_what_it_found(house: House) -> None:
    number = await complained(house, "C1")
    house.passes(hours=25)
    nurse, quality = await house.colleague(), await house.colleague("quality")
    assert "应在24小时内转质控" in await nurse.sees(f"/console/tickets/{number}")
    await does(nurse, number, "quality", state="sent", text="可能有不良后果")
    assert number in await quality.sees("/console/tickets?state=quality")
    assert (await nurse.post(f"/console/tickets/{number}/quality", state="done", text="没事"))[0] == 422
    await does(quality, number, "quality", state="done", text="不构成不良事件")
    assert number not in await quality.sees("/console/tickets?state=quality")


async def test_exports_count_by_department_and_doctor_without_formulas(house: House) -> None:
    first = await complained(house, what="=HYPERLINK(1)")
    await complained(house, "C1", what="@SUM(A1)")
    manager = await house.colleague("manager")
    await does(manager, first, "class", department="GK", doctor="D01", cause="relation.attitude")
    async with manager.session.get(f"{manager.url}/console/tickets/export/xlsx?state=") as answer:
        book = openpyxl.load_workbook(io.BytesIO(await answer.read()))
    assert book.sheetnames == ["明细", "按科室", "按医生"]
    assert all(cell.data_type != "f" for sheet in book for row in sheet.iter_rows() for cell in row)
    departments = {str(row[0]): row[1] for row in book["按科室"].iter_rows(min_row=2, values_only=True)}
    assert departments == {"骨科": 1, "未归科室": 1}
    _, written = await manager.get("/console/tickets/export/csv?sheet=doctors&state=")
    assert "张建国（骨科）,1" in written
    assert "关系：态度" in written
    assert "'@SUM(A1)" in (await manager.get("/console/tickets/export/csv?state="))[1]


async def test_the_owner_is_reminded_two_days_one_day_and_on_the_day(house: House) -> None:
    number = await complained(house)
    manager = await house.colleague("manager")
    await does(manager, number, "move", to="assigned", owner=ME)

    def reminded(db: sa.Connection) -> list[str]:
        found = db.execute(sa.select(tasks).where(tasks.c.kind == "complaint").order_by(tasks.c.id)).all()
        return [row.reason for row in found if "答复" in row.reason]

    for days in range(8):
        await house.does(lambda db: complaints.remind(db, house.clock.now(), ZONE))
        await house.does(lambda db: complaints.remind(db, house.clock.now(), ZONE))
        if days < 7:
            house.passes(days=1)
    assert await house.asks(reminded) == [
        f"{number} 还有2天到答复期限",
        f"{number} 明天到答复期限",
        f"{number} 今天到答复期限",
    ]
    await does(await house.colleague("manager"), number, "pause", why="等材料")
    house.passes(days=1)
    await house.does(lambda db: complaints.remind(db, house.clock.now(), ZONE))
    assert len(await house.asks(reminded)) == 3
