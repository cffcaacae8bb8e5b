"""Whose conversation it is: taken, given, put off, handed back, undone; narrowed, mentioned, seen, sent another way."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.console.flows.plan_words import contact, step, task_reason
from bot.console.inbox.handed import settled
from bot.console.inbox.handing import hand_back_due
from bot.console.inbox.media import picture_type
from storage.queries import console_handover
from storage.tables import (
    alerts,
    conversations,
    desk_notes,
    letters,
    messages,
    patient_tags,
    procedures,
    snoozes,
    tasks,
    users,
)
from tests.chat import ZONE
from tests.console.conftest import COLLEAGUES, House, Visitor
from tests.console.test_desk import taken

ME, OTHER = COLLEAGUES["nurse"], COLLEAGUES["nurse2"]


async def owner(house: House, number: int = 1) -> tuple[str, str]:
    row = await house.asks(
        lambda db: db.execute(sa.select(conversations).where(conversations.c.contact_id == number)).one()
    )
    return row.owner, row.nurse


async def written(house: House) -> Sequence[Any]:
    return list(await house.asks(lambda db: db.execute(sa.select(letters).order_by(letters.c.id)).all()))


def undo_of(page: str) -> str:
    """Where 撤销 posts to."""
    return "/console/undo/" + page.split('data-undo="/console/undo/')[1].split('"')[0]


async def undone(visitor: Visitor, page: str) -> str:
    status, text = await visitor.post(undo_of(page))
    assert status == 200
    return text


async def test_taking_giving_and_putting_off_can_be_undone(house: House) -> None:
    await house.says("人工")
    nurse = await house.colleague()
    for deed, fields in (("take", {}), ("assign", {"to": OTHER}), ("snooze", {"until": "tomorrow"})):
        before = await owner(house)
        _, page = await nurse.post(f"/console/conversations/1/{deed}", **fields)
        assert "已撤销" in await undone(nurse, page)
        assert await owner(house) == before
    assert not await house.asks(lambda db: db.execute(sa.select(snoozes)).all())


async def test_only_who_did_it_undoes_it_and_only_once(house: House) -> None:
    await house.says("人工")
    nurse, other = await house.colleague(), await house.colleague("nurse2")
    _, page = await nurse.post("/console/conversations/1/take")
    assert "来不及" in await undone(other, page)
    assert "已撤销" in await undone(nurse, page)
    assert "来不及" in await undone(nurse, page)


async def test_what_somebody_else_changed_meanwhile_stays_as_they_left_it(house: House) -> None:
    await house.says("人工")
    nurse, manager = await house.colleague(), await house.colleague("manager")
    _, page = await nurse.post("/console/conversations/1/take")
    await manager.post("/console/conversations/1/assign", to=OTHER)
    assert "1 个已被别人改动" in await undone(nurse, page)
    assert await owner(house) == ("human", OTHER)


async def test_handing_back_is_undone_before_the_patient_is_told_and_not_after(house: House) -> None:
    nurse = await taken(house)
    _, page = await nurse.post("/console/conversations/1/release")
    assert await owner(house) == ("bot", "")
    [told] = [one for one in await written(house) if one.key.startswith("released")]
    assert told.not_before - house.clock.now() == timedelta(seconds=8)
    assert "已撤销" in await undone(nurse, page)
    assert await owner(house) == ("human", ME)
    assert [one.state for one in await written(house) if one.key.startswith("released")] == ["suppressed"]
    house.passes(seconds=1)
    _, page = await nurse.post("/console/conversations/1/release")
    await house.does(lambda db: db.execute(letters.update().values(state="sent")))
    assert "患者已经收到通知" in await undone(nurse, page)
    assert await owner(house) == ("bot", "")


async def test_the_bot_goes_on_where_it_was_when_a_person_was_called(house: House) -> None:
    await house.says("我想挂骨科明天上午的号")
    await house.says("人工")
    nurse = await house.colleague()
    _, page = await nurse.post("/console/conversations/1/take")
    assert "小护接着办刚才的事" in page
    assert "预约挂号" in page
    await nurse.post("/console/conversations/1/release", how="resume")
    told = (await written(house))[-1].body["text"]
    assert "接着为您办刚才的事" in told
    assert "1 " in told  # the choices of the question that was open
    assert "骨科" in await house.says("1")


async def test_who_watches_until_the_morning_keeps_it_and_then_the_bot_has_it(house: House) -> None:
    nurse = await taken(house)
    await nurse.post("/console/conversations/1/release", how="morning", note="夜班请留意体温")
    assert await owner(house) == ("human", ME)
    assert "护士看" in (await written(house))[-1].body["text"]
    assert 'data-id="1"' not in await nurse.sees("/console/inbox?folder=mine")
    wording = house.server.house.wording
    assert await house.does(lambda db: hand_back_due(db, house.clock.now(), wording)) == 0
    house.passes(hours=23)
    assert await house.does(lambda db: hand_back_due(db, house.clock.now(), wording)) == 1
    assert await owner(house) == ("bot", "")


async def test_who_writes_at_night_is_answered_by_who_watches(house: House) -> None:
    nurse = await taken(house)
    await nurse.post("/console/conversations/1/release", how="morning")
    house.passes(minutes=30)
    await house.says("伤口有点渗血")
    nurse = await house.colleague()
    assert 'data-id="1"' in await nurse.sees("/console/inbox?folder=mine")
    house.passes(hours=23)
    wording = house.server.house.wording
    await house.does(lambda db: hand_back_due(db, house.clock.now(), wording))
    assert await owner(house) == ("human", ME)


async def test_several_are_tagged_called_and_closed_and_all_of_it_undone(house: House) -> None:
    await house.says("人工")
    await house.says("人工", openid="oStranger")
    nurse = await house.colleague()
    _, preview = await nurse.post("/console/bulk/preview", action="tag", id="2")
    assert "还没有绑定患者" in preview
    _, page = await nurse.post("/console/bulk", action="tag", id="1", to="需随访")
    await undone(nurse, page)
    assert not await house.asks(lambda db: db.execute(sa.select(patient_tags)).all())
    _, page = await nurse.post("/console/bulk", action="call", id="1", to="问问伤口")
    assert "问问伤口" in await nurse.sees("/console/calls")
    await undone(nurse, page)
    assert "问问伤口" not in await nurse.sees("/console/calls")
    _, page = await nurse.post("/console/bulk", action="release", id="1", text="吃两片布洛芬")
    assert "没有发送" in page  # no rule is softer for many
    _, page = await nurse.post("/console/bulk", action="release", id="1", text="祝您早日康复")
    assert await owner(house) == ("bot", "")
    await undone(nurse, page)
    assert await owner(house) == ("waiting", "")
    assert {one.state for one in await written(house) if one.author == ME} == {"suppressed"}


async def test_what_one_wrote_is_kept_when_somebody_else_was_faster(house: House) -> None:
    nurse = await taken(house)
    manager = await house.colleague("manager")
    await manager.post("/console/conversations/1/assign", to=OTHER)
    status, page = await nurse.post(
        "/console/conversations/1/reply", text="写了很久的一段话", key="a", mode="reply"
    )
    assert status == 409
    assert f"{OTHER} 已接手" in page
    assert "写了很久的一段话" in page
    _, page = await nurse.post("/console/conversations/1/take")
    assert "写了很久的一段话" in await nurse.sees("/console/conversations/1")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("task=handoff", True),
        ("task=media", False),
        ("tag=独居", True),
        ("tag=没有", False),
        ("department=GK", True),
        ("department=KQ", False),
        ("pod=3", True),
        ("language=zh-Hans", True),
        ("language=en", False),
        ("waited=10", False),
        ("who=unbound", False),
        ("who=child", False),
        ("promise=1", False),
        ("window=2", False),
        ("source=clinic1", False),
        ("tag=独居&pod=7&task=handoff", True),
        ("pod=99&task=nonsense", True),  # what is not known is left out
    ],
)
async def test_lists_are_narrowed_by_their_address(house: House, query: str, found: bool) -> None:
    await house.says("人工")
    day = house.clock.now().astimezone(ZONE).date() - timedelta(days=2)

    def arrange(db: sa.Connection) -> None:
        db.execute(patient_tags.insert().values(patient_code="P01", tag="独居"))
        db.execute(
            procedures.insert().values(
                code="OP1",
                patient_code="P01",
                name="膝关节置换",
                department_code="GK",
                date=day,
                status="done",
            )
        )

    await house.does(arrange)
    nurse = await house.colleague()
    assert ('data-id="1"' in await nurse.sees(f"/console/inbox?folder=unassigned&{query}")) is found


async def test_who_waits_long_is_found_by_how_long(house: House) -> None:
    await house.says("人工")
    house.passes(minutes=70)
    nurse = await house.colleague()
    assert 'data-id="1"' in await nurse.sees("/console/inbox?waited=60")
    assert 'data-id="1"' not in await nurse.sees("/console/inbox?waited=240")
    house.passes(hours=44)
    nurse = await house.colleague()
    assert 'data-id="1"' in await nurse.sees("/console/inbox?window=8")


async def test_who_is_elsewhere_reads_of_a_mention_and_who_is_here_sees_it(house: House) -> None:
    await house.does(
        lambda db: db.execute(users.update().where(users.c.name == OTHER).values(wecom_userid="nurse2"))
    )
    nurse = await taken(house)
    await nurse.post("/console/conversations/1/reply", text=f"@{OTHER} 请看伤口", key="a", mode="note")
    [letter] = [one for one in await written(house) if one.key.startswith("mention:")]
    assert letter.address == "wecom:nurse2"
    assert "伤口" not in letter.body["text"]
    other = await house.colleague("nurse2")
    assert "有 1 个对话提到您" in await other.sees("/console/alarms/bar")
    await other.sees("/console/conversations/1")
    assert "提到您" not in await other.sees("/console/alarms/bar")
    house.passes(minutes=20)
    nurse, other = await house.colleague(), await house.colleague("nurse2")
    await nurse.post("/console/conversations/1/reply", text=f"@{OTHER} 还有一件", key="b", mode="note")
    assert len([one for one in await written(house) if one.key.startswith("mention:")]) == 1


async def test_a_letter_that_failed_goes_another_way(house: House) -> None:
    nurse = await taken(house)
    await nurse.post("/console/conversations/1/reply", text="您好", key="a", mode="reply")
    failed = letters.update().values(state="failed", reason="no_route", tried="customer_service")
    await house.does(lambda db: db.execute(failed))
    assert "换个方式" in await nurse.sees("/console/conversations/1")
    [letter] = [one for one in await written(house) if one.author == ME]
    way = f"/console/conversations/1/letters/{letter.id}/way"
    await nurse.post(way, way="sms")
    [letter] = [one for one in await written(house) if one.author == ME]
    assert (letter.state, "customer_service" in letter.tried, "sms" in letter.tried) == (
        "queued",
        True,
        False,
    )
    assert (await nurse.post(way, way="again"))[0] == 409  # it is on its way
    await house.does(lambda db: db.execute(failed))
    await nurse.post(way, way="call")
    assert "您好" in await nurse.sees("/console/calls")
    assert (await nurse.post(way, way="pigeon"))[0] == 422


async def test_answers_at_hand_are_written_in_the_console_and_obey_the_rules(house: House) -> None:
    nurse = await taken(house)
    status, page = await nurse.post(
        "/console/answers-at-hand", name="止痛", text="吃两片布洛芬就好", kind="answer"
    )
    assert status == 422
    assert "没有保存" in page
    await nurse.post("/console/answers-at-hand", name="停车", text="{称呼}，停车在地下一层", kind="answer")
    assert "林志远，停车在地下一层" in await nurse.sees("/console/conversations/1/snippets?q=tc")
    await nurse.post("/console/answers-at-hand", name="停车", text="停车在地下二层", kind="answer")
    assert "地下二层" in await nurse.sees("/console/conversations/1/snippets?q=tc")
    await nurse.post("/console/answers-at-hand/remove", name="问候")  # one that came with the product
    assert "请问有什么可以帮您" not in await nurse.sees("/console/conversations/1/snippets?q=wh")
    assert "多保重" in await nurse.sees("/console/conversations/1/snippets?q=js&kind=care")


async def test_what_was_settled_is_read_in_words_and_can_be_put_right(house: House) -> None:
    await house.says("我想挂骨科明天上午的号")
    await house.says("人工")
    nurse = await house.colleague()
    page = await nurse.sees("/console/conversations/1")
    assert "<i>科室</i> 骨科" in page
    await nurse.post("/console/conversations/1/slots", slot="科室代码", value="口腔科")
    assert "<i>科室</i> 口腔科" in await nurse.sees("/console/conversations/1")
    assert (await nurse.post("/console/conversations/1/slots", slot="made_up", value="x"))[0] == 409


async def test_codes_of_the_machine_stay_with_the_machine(house: House) -> None:
    slots = {"touch": "999", "shown": "True", "read": "True", "doctors": "D01、D02", "soonest": "True"}
    found = await house.asks(lambda db: settled(db, slots))
    assert [(label, value) for _, label, value in found] == [("医生", "张建国、张敏"), ("越早越好", "是")]


def test_plans_and_steps_have_names() -> None:
    assert contact("joint", "d3") == "骨关节术后随访 第3天"
    assert step("t1_18") == "前1天18点"
    assert step("t2h") == "前2小时"
    assert step("m6") == "满6个月"
    assert task_reason("no_contact joint d3") == "没有绑定微信 骨关节术后随访 第3天"
    assert task_reason("birth d1:随访回答需要处理:temp=3") == "产后随访 第1天:随访回答需要处理：体温，答 3"
    assert task_reason("患者要求人工") == "患者要求人工"


async def test_pictures_are_seen_by_who_may_see_the_conversation_and_by_nobody_else(house: House) -> None:
    await house.says("", type="image")
    await house.does(lambda db: db.execute(messages.update().values(payload={"MediaId": "m1"})))
    nurse, admin = await house.colleague(), await house.colleague("admin")
    assert '/console/conversations/1/media/1"' in await nurse.sees("/console/conversations/1")
    assert (await nurse.get("/console/conversations/1/media/999"))[0] == 404
    assert (await admin.get("/console/conversations/1/media/1"))[0] == 403
    visitor = await house.visitor()
    assert (await visitor.get("/console/conversations/1/media/1"))[0] == 302


def test_only_pictures_are_drawn_whatever_a_file_calls_itself() -> None:
    assert picture_type(b"\x89PNG\r\n\x1a\n....") == "image/png"
    assert picture_type(b"\xff\xd8\xff\xe0....") == "image/jpeg"
    assert picture_type(b"<svg onload=alert(1)>") == ""
    assert picture_type(b"<html><script>") == ""


async def test_who_leaves_leaves_nothing_behind(house: House) -> None:
    await house.says("刀口一直流血，头晕得站不起来")
    nurse = await taken(house)
    await nurse.post("/console/conversations/1/alerts/1/acknowledge")
    await nurse.post("/console/conversations/1/reply", text="下午给您回电话", key="a", mode="reply")
    await nurse.post("/console/conversations/1/draft", text="写到一半", mode="reply")
    assert await house.does(lambda db: console_handover.left(db, ME, house.clock.now())) == 1

    def remains(db: sa.Connection) -> list[Any]:
        return [
            *db.execute(sa.select(tasks.c.id).where(tasks.c.assigned_to == ME, tasks.c.status == "open")),
            *db.execute(sa.select(alerts.c.id).where(alerts.c.status == "acknowledged")),
        ]

    assert await house.asks(remains) == []
    notes = await house.asks(lambda db: db.execute(sa.select(desk_notes.c.text)).scalars().all())
    assert "没有发出的草稿：写到一半" in notes
