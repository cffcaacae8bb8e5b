"""Answering patients: claimed by one, taken back in time, never promised in vain, never lost."""

from __future__ import annotations

import asyncio
import io
import re
from datetime import date, timedelta
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa

from bot.console.inbox import finding, lint
from bot.console.inbox.promises import read_promise
from bot.console.live import requeue_orphans
from bot.console.tickets.pages import working_days_left
from bot.hospital import complaints
from storage.tables import (
    conversations,
    letters,
    messages,
    patients,
    plan_decisions,
    plan_instances,
    roster,
    tasks,
    touches,
    users,
)
from tests.chat import ZONE
from tests.conftest import NOW
from tests.console.conftest import COLLEAGUES, House, Visitor

ME = COLLEAGUES["nurse"]


async def taken(house: House, text: str = "人工") -> Visitor:
    """A nurse who has a waiting patient's conversation."""
    await house.says(text)
    nurse = await house.colleague()
    assert (await nurse.post("/console/conversations/1/take"))[0] == 200
    return nurse


async def phone_of(house: House, code: str) -> str:
    found = await house.asks(
        lambda db: db.execute(sa.select(patients.c.phone).where(patients.c.code == code)).scalar()
    )
    assert found is not None
    return str(found)


async def owed(house: House) -> list[Any]:
    rows = await house.asks(lambda db: db.execute(sa.select(letters).order_by(letters.c.id)).all())
    return [row for row in rows if row.author == ME]


async def test_of_two_who_claim_at_once_one_has_it_and_the_other_is_told(house: House) -> None:
    await house.says("人工")
    one, other = await house.colleague(), await house.colleague("nurse2")
    answers = await asyncio.gather(
        one.post("/console/conversations/1/take"), other.post("/console/conversations/1/take")
    )
    assert sorted(status for status, _ in answers) == [200, 409]
    loser = next(text for status, text in answers if status == 409)
    assert "已接手这个对话" in loser


async def test_an_answer_waits_eight_seconds_and_can_be_taken_back(house: House) -> None:
    nurse = await taken(house)
    await nurse.post("/console/conversations/1/reply", text="您好，请稍等", key="a", mode="reply")
    [letter] = await owed(house)
    assert letter.not_before - house.clock.now() == timedelta(seconds=8)
    _, page = await nurse.post(f"/console/conversations/1/letters/{letter.id}/recall")
    assert "已撤回" in page
    [letter] = await owed(house)
    assert (letter.state, letter.reason) == ("suppressed", "recalled")
    assert "您好，请稍等</textarea>" in await nurse.sees("/console/conversations/1")  # back in the composer


async def test_the_same_press_twice_is_one_answer(house: House) -> None:
    nurse = await taken(house)
    for _ in range(2):
        await nurse.post("/console/conversations/1/reply", text="您好", key="same", mode="reply")
    assert len(await owed(house)) == 1


async def test_handing_back_sends_the_held_answer_first(house: House) -> None:
    nurse = await taken(house)
    await nurse.post("/console/conversations/1/reply", text="您好", key="a", mode="reply")
    await nurse.post("/console/conversations/1/release")
    [letter] = await owed(house)
    assert letter.not_before == house.clock.now()


@pytest.mark.parametrize(
    "words", ["您得的是肺炎", "吃两片布洛芬就好", "保证能治好", "{称呼}您好", "停药试试", "等明天再看看"]
)
async def test_what_must_never_be_said_is_not_sent_and_not_lost(house: House, words: str) -> None:
    nurse = await taken(house)
    status, page = await nurse.post("/console/conversations/1/reply", text=words, key="a", mode="reply")
    assert status == 409
    assert "没有发送" in page
    assert await owed(house) == []


def test_comfort_is_refused_only_while_an_alarm_is_open() -> None:
    assert lint.check("没事的，正常现象", alarm=True)
    assert lint.check("没事的，不要紧") == []
    assert lint.check("护士马上就到", alarm=True, acknowledged=False)
    assert lint.check("护士马上就到", alarm=True, acknowledged=True) == []
    assert lint.check("请到门诊三楼伤口换药") == []


@pytest.mark.parametrize(
    ("words", "hours"),
    [("下午给您回电话", 8), ("半小时内回复您", 0.5), ("明天上午10点给您打电话", 24), ("稍后联系您", 0.5)],
)
def test_promises_have_a_time(words: str, hours: float) -> None:
    now = NOW.astimezone(ZONE)
    promise = read_promise(f"您好。{words}。", now)
    assert promise is not None
    assert promise.due - now == timedelta(hours=hours)


@pytest.mark.parametrize("words", ["请您回电话", "收到", "您下午打过电话吗"])
def test_not_everything_is_a_promise(words: str) -> None:
    assert read_promise(words, NOW.astimezone(ZONE)) is None


async def test_a_promise_becomes_a_call_to_make(house: House) -> None:
    nurse = await taken(house)
    await nurse.post("/console/conversations/1/reply", text="下午给您回电话", key="a", mode="reply")
    [task] = await house.asks(lambda db: db.execute(sa.select(tasks).where(tasks.c.kind == "callback")).all())
    assert (task.assigned_to, task.status) == (ME, "open")
    assert "下午给您回电话" in await nurse.sees("/console/calls")
    await nurse.post(f"/console/calls/{task.id}/outcome", outcome="no_answer")
    again = await house.asks(
        lambda db: db.execute(sa.select(tasks.c.due_at).where(tasks.c.id == task.id)).scalar()
    )
    assert again == house.clock.now() + timedelta(hours=4)
    for _ in range(2):
        await nurse.post(f"/console/calls/{task.id}/outcome", outcome="no_answer")
    [task] = await house.asks(lambda db: db.execute(sa.select(tasks).where(tasks.c.id == task.id)).all())
    assert (task.status, task.outcome) == ("done", "3次未接通")


@pytest.mark.parametrize(("words", "wakes"), [("谢谢！", False), ("好的谢谢您", False), ("伤口有点红", True)])
async def test_thanks_wake_nobody(house: House, words: str, wakes: bool) -> None:
    nurse = await taken(house)
    await nurse.post("/console/conversations/1/snooze", until="tomorrow")
    assert 'data-id="1"' not in await nurse.sees("/console/inbox?folder=mine")
    house.passes(minutes=2)
    await house.says(words)
    assert ('data-id="1"' in await nurse.sees("/console/inbox?folder=mine")) is wakes


async def test_a_note_reaches_who_is_mentioned_and_never_the_patient(house: House) -> None:
    nurse, other = await taken(house), await house.colleague("nurse2")
    note = f"@{COLLEAGUES['nurse2']} 请看一下伤口照片"
    await nurse.post("/console/conversations/1/reply", text=note, key="a", mode="note")
    assert await owed(house) == []
    assert 'data-id="1"' in await other.sees("/console/inbox?folder=mentions")
    assert "请看一下伤口照片" in await other.sees("/console/conversations/1")
    assert 'data-id="1"' not in await other.sees("/console/inbox?folder=mentions")


async def test_an_alarm_is_closed_only_with_its_outcome_and_by_its_own_conversation(house: House) -> None:
    await house.says("刀口一直流血，头晕得站不起来")
    await house.says("人工", openid="oStranger")
    nurse = await house.colleague()
    assert (await nurse.post("/console/conversations/2/alerts/1/acknowledge"))[0] == 404
    await nurse.post("/console/conversations/1/alerts/1/acknowledge")
    status, page = await nurse.post("/console/conversations/1/alerts/1/close", disposition="")
    assert status == 409
    assert "请选择处置结果" in page
    assert "命中" in await nurse.sees("/console/conversations/1/why/1")
    await nurse.post("/console/conversations/1/alerts/1/close", disposition="er")
    assert "没有未关闭的警报" in await nurse.sees("/console/alarms")


async def test_words_are_found_although_they_are_sealed(house: House) -> None:
    await house.says("伤口换药以后渗液有点多")
    nurse = await house.colleague()
    house.passes(minutes=1)
    await house.does(lambda db: finding.index(db, house.clock.now()))
    assert "<mark>渗液</mark>" in await nurse.sees("/console/search?q=渗液")
    assert "没有找到" in await nurse.sees("/console/search?q=骨折")


async def test_a_patient_s_numbers_are_masked_until_a_reason_is_given(house: House) -> None:
    nurse, auditor = await house.colleague(), await house.colleague("auditor")
    phone = await phone_of(house, "P01")
    page = await nurse.sees("/console/patients/P01")
    assert phone not in page
    assert (await nurse.post("/console/patients/P01/unmask", why=""))[0] == 422
    status, page = await nurse.post("/console/patients/P01/unmask", why="核对身份后回电")
    assert status == 200
    assert phone in page
    assert "核对身份后回电" in await auditor.sees("/console/audit")
    assert (await nurse.get("/console/patients/NOBODY"))[0] == 404


async def test_what_a_plan_would_send_can_be_stopped_and_says_by_whom(house: House) -> None:
    now = house.clock.now()

    def plan(db: sa.Connection) -> None:
        instance = db.execute(
            plan_instances.insert()
            .values(
                patient_code="P01",
                plan="happy_call",
                version=1,
                episode="visit:V1",
                anchor_at=now,
                created_at=now,
                changed_at=now,
            )
            .returning(plan_instances.c.id)
        ).scalar_one()
        later = now + timedelta(days=1)
        db.execute(
            touches.insert().values(
                key="k",
                instance_id=instance,
                patient_code="P01",
                step="d1",
                rank=1,
                due_at=later,
                useful_until=later,
            )
        )

    await house.does(plan)
    nurse = await house.colleague()
    assert "出院回访 第1天" in await nurse.sees("/console/patients/P01")
    tomorrow = f"{now.astimezone(ZONE) + timedelta(days=2):%Y-%m-%d}"
    for wrong in ("", f"{tomorrow}T23:00", "2020-01-01T10:00"):  # at night, or in the past
        _, where = await nurse.post("/console/patients/P01/planned/1/move", at=wrong)
        assert "late" in where
    await nurse.post("/console/patients/P01/planned/1/move", at=f"{tomorrow}T10:00")
    [moved] = await house.asks(lambda db: db.execute(sa.select(touches)).all())
    assert moved.due_at.astimezone(ZONE).isoformat() == f"{tomorrow}T10:00:00+08:00"
    assert moved.useful_until >= moved.due_at
    await nurse.post("/console/patients/P01/planned/1/stop")
    page = await nurse.sees("/console/patients/P01")
    assert "没有计划中的消息" in page
    assert f"{ME} 操作" in page
    why = await house.asks(lambda db: db.execute(sa.select(plan_decisions.c.reason)).scalars().all())
    assert why == [f"staff {ME}", f"staff {ME}"]


async def test_a_letter_that_waits_can_be_stopped_and_says_so(house: House) -> None:
    nurse = await taken(house)
    later = f"{house.clock.now().astimezone(ZONE) + timedelta(days=1):%Y-%m-%dT10:00}"
    await nurse.post("/console/conversations/1/reply", text="明天请空腹来", key="a", mode="reply", at=later)
    [letter] = await owed(house)
    await house.does(lambda db: db.execute(letters.update().values(patient_code="P01")))
    assert "明天请空腹来" in await nurse.sees("/console/patients/P01")
    await nurse.post(f"/console/patients/P01/letters/{letter.id}/stop")
    assert "同事停发" in await nurse.sees("/console/patients/P01")
    assert [one.state for one in await owed(house)] == ["suppressed"]


async def test_a_tag_says_of_what_kind_it_is_how_we_know_and_until_when(house: House) -> None:
    nurse = await house.colleague()
    tag = {"tag": "独居", "kind": "risk", "evidence": "电话里女儿说", "until": "2026-11-20"}
    await nurse.post("/console/patients/P01/tags", **tag)
    page = await nurse.sees("/console/patients/P01")
    assert "风险" in page
    assert f"来自 {ME}" in page
    assert "电话里女儿说" in page
    assert "已过期" not in page
    house.passes(days=3)
    nurse = await house.colleague()
    assert "已过期" in await nurse.sees("/console/patients/P01")
    await nurse.post("/console/patients/P01/tags/remove", tag="独居")
    assert "独居" not in await nurse.sees("/console/patients/P01")


@pytest.mark.parametrize("state", ["held", "gathered", "queued", "expired"])
async def test_letters_of_every_state_have_a_name_on_the_patient_s_page(house: House, state: str) -> None:
    nurse = await taken(house)
    await nurse.post("/console/conversations/1/reply", text="您好", key="a", mode="reply")
    await house.does(lambda db: db.execute(letters.update().values(patient_code="P01", state=state)))
    for path in ("/console/patients/P01", "/console/conversations/1"):
        await nurse.sees(path)


async def test_a_call_pops_up_the_patient_or_a_choice_or_a_new_lead(house: House) -> None:
    nurse = await house.colleague()
    phone = await phone_of(house, "P01")
    status, where = await nurse.get(f"/console/pop?phone={phone}")
    assert status == 303 or "位患者" in where
    assert "P01" in where
    assert "新线索" in await nurse.sees("/console/pop?phone=13911112222")
    await nurse.post("/console/leads", phone="13911112222", name="周先生", note="想问种植牙")
    assert "想问种植牙" in await nurse.sees("/console/pop?phone=13911112222")


async def test_a_complaint_goes_its_way_and_its_export_is_harmless(house: House) -> None:
    await house.says("人工")
    number, _ = await house.does(
        lambda db: complaints.register(
            db,
            house.clock.now(),
            ZONE,
            kind="complaint",
            contact_id=1,
            patient_code="P01",
            severity="C2",
            emotion="",
            account={"what": "=HYPERLINK(1)"},
        )
    )
    manager = await house.colleague("manager")
    page = await manager.sees("/console/tickets")
    assert number in page
    assert "还有 5 个工作日" in page
    path = f"/console/tickets/{number}"
    assert (await manager.post(f"{path}/move", to="closed", why="x"))[0] == 422  # not from here
    assert (await manager.post(f"{path}/move", to="assigned", owner=ME))[0] == 303
    assert (await manager.post(f"{path}/move", to="investigating"))[0] == 303
    await manager.post(f"{path}/note", kind="cause", text="+沟通不足")
    await manager.post(f"{path}/answer", text="我们已经了解情况，向您致歉。")
    assert "已答复" in await manager.sees(path)
    assert any("向您致歉" in row.body["text"] for row in await _all_letters(house))
    _, exported = await manager.get("/console/tickets/export/csv")
    assert "'=HYPERLINK(1)" in exported
    assert "'+沟通不足" in exported
    async with manager.session.get(f"{manager.url}/console/tickets/export/xlsx") as answer:
        sheet = openpyxl.load_workbook(io.BytesIO(await answer.read())).active
    assert sheet is not None
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)


async def _all_letters(house: House) -> list[Any]:
    return list(await house.asks(lambda db: db.execute(sa.select(letters)).all()))


def test_working_days_count_make_up_days() -> None:
    assert working_days_left(date(2026, 11, 25), date(2026, 11, 18)) == 5
    assert working_days_left(date(2026, 11, 16), date(2026, 11, 18)) == -2


async def test_who_leaves_hands_over_everything_and_is_out(house: House) -> None:
    nurse = await taken(house)
    admin = await house.colleague("admin")
    assert (await admin.post(f"/console/admin/users/{ME}/change", what="leave"))[0] == 303
    assert (await nurse.get("/console/inbox"))[0] == 302
    row = await house.asks(
        lambda db: db.execute(sa.select(conversations).where(conversations.c.contact_id == 1)).one()
    )
    assert (row.owner, row.nurse) == ("waiting", "")
    assert not await house.asks(
        lambda db: db.execute(sa.select(users.c.active).where(users.c.name == ME)).scalar()
    )


async def test_who_went_home_leaves_no_orphans_and_who_still_works_keeps_hers(house: House) -> None:
    nurse = await taken(house)
    start, end = house.clock.now() - timedelta(hours=8), house.clock.now() + timedelta(minutes=5)
    await house.does(
        lambda db: db.execute(roster.insert().values(user_name=ME, start_at=start, end_at=end, post="nurse"))
    )
    house.passes(minutes=14)
    await nurse.sees("/console/inbox")
    house.passes(minutes=10)
    assert await house.does(lambda db: requeue_orphans(db, house.clock.now())) == 0  # she stayed longer
    house.passes(minutes=30)
    assert await house.does(lambda db: requeue_orphans(db, house.clock.now())) == 1
    other = await house.colleague("nurse2")
    assert 'data-id="1"' in await other.sees("/console/inbox?folder=unassigned")


async def test_several_at_once_say_before_what_will_be_skipped(house: House) -> None:
    await house.says("人工")
    await house.says("刀口一直流血，头晕得站不起来", openid="oOther")
    nurse = await house.colleague()
    _, preview = await nurse.post("/console/bulk/preview", action="snooze", id="1")
    assert "<b>1</b> 个会改变" in preview
    _, preview = await nurse.post("/console/bulk/preview", action="snooze", id="2")
    assert "有未关闭的警报" in preview
    _, done = await nurse.post("/console/bulk", action="snooze", id="1")
    assert "已处理 1 个对话" in done


HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'-alert(1)-'",
    "</textarea><svg/onload=alert(1)>",
    "{{7*7}}${7*7}",
    "javascript:alert(1)",
)


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_texts_and_names_stay_texts(house: House, text: str) -> None:
    await house.does(
        lambda db: db.execute(
            patients.update().where(patients.c.code == "P01").values(name=text, allergies=text)
        )
    )
    nurse = await taken(house)
    await house.says(text)
    await nurse.post("/console/conversations/1/reply", text=text, key="n", mode="note")
    await nurse.post("/console/conversations/1/draft", text=text, mode="reply")
    await nurse.post("/console/patients/P01/tags", tag=text[:30])
    for path in ("/console/inbox", "/console/conversations/1", "/console/patients/P01", "/console/calls"):
        page = await nurse.sees(path)
        assert not re.search(r"<(?:script>alert|img src=x|svg/onload)", page), path
        assert 'onerror=alert(1)"' not in page


async def test_every_page_forbids_inline_code_and_caching(house: House) -> None:
    nurse = await house.colleague()
    for path in ("/console/login", "/console/inbox", "/console/patients", "/console/tickets", "/console/me"):
        async with nurse.session.get(nurse.url + path) as answer:
            page = await answer.text()
            policy = answer.headers["Content-Security-Policy"]
            assert "unsafe" not in policy
            assert "frame-ancestors 'none'" in policy
            assert answer.headers["Cache-Control"] == "no-store"
        assert not re.search(r"<[^>]+\s(?:style|on\w+)=", page), path
        assert not re.search(r"<script(?![^>]*\ssrc=)", page), path


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_file_names_tickets_calls_and_answers_stay_texts(house: House, text: str) -> None:
    nurse = await taken(house)
    await house.says("", type="file")
    payload = {"MediaId": "m1", "Title": text, "Recognition": text}
    await house.does(
        lambda db: db.execute(messages.update().where(messages.c.type == "file").values(payload=payload))
    )
    number, _ = await house.does(
        lambda db: complaints.register(
            db,
            house.clock.now(),
            ZONE,
            kind="complaint",
            contact_id=1,
            patient_code="P01",
            severity="C2",
            emotion="",
            account={"what": text, text: text},
        )
    )
    await nurse.post(f"/console/tickets/{number}/note", kind="note", text=text)
    await nurse.post(f"/console/tickets/{number}/actions", text=text, owner=ME)
    await nurse.post("/console/answers-at-hand", name=text[:20], text=text, kind="answer")
    await nurse.post("/console/views", label=text[:20], query="?folder=all")
    await nurse.post("/console/leads", phone="13911112222", name=text, note=text)
    tag = {"tag": text[:30], "evidence": text}
    await nurse.post("/console/patients/P01/tags", **tag)
    await nurse.post("/console/bulk", action="call", id="1", to=text)
    for path in (
        "/console/conversations/1",
        "/console/conversations/1/snippets?q=",
        f"/console/tickets/{number}",
        "/console/tickets",
        "/console/calls",
        "/console/calls/1",
        "/console/patients/P01",
        "/console/answers-at-hand",
        "/console/inbox?folder=all",
        "/console/pop?phone=13911112222",
    ):
        status, page = await nurse.get(path)
        assert status in (200, 404), path
        assert not re.search(r"<(?:script>alert|img src=x|svg/onload)", page), path
        assert 'onerror=alert(1)"' not in page
