"""Messages to many in the console: written by one, approved by another with what changed, watched, stopped."""

from __future__ import annotations

import re
from typing import Any

import pytest
import sqlalchemy as sa

from bot.console.broadcasts import audience
from bot.hospital.segments import (
    Age,
    Agreed,
    Bound,
    Described,
    NotTagged,
    NotVisited,
    Reached,
    Rfm,
    Segment,
    Tagged,
    Tier,
    Vip,
    Visited,
)
from storage.tables import audit, broadcasts, letters, patient_tags, patients, users, visits
from storage.types import Seal
from tests.console.conftest import COLLEAGUES, House, Visitor
from tests.hospital_folder import bound

TEXT = "周六上午有健康讲座，欢迎参加。"


async def members(house: House, count: int = 3) -> None:
    """So many grown-ups with the tag 会员 who agreed to marketing, and one who did not."""

    def arrange(db: sa.Connection) -> None:
        for number in range(count + 1):
            code, agrees = f"M{number}", number < count
            row = {"code": code, "name": f"王敏{number}", "sex": "F", "marketing_consent": agrees}
            db.execute(patients.insert().values(**row))
            db.execute(patient_tags.insert().values(patient_code=code, tag="会员"))
            bound(f"o{code}", code)(db)

    await house.does(arrange)


async def written(visitor: Visitor, **fields: Any) -> str:
    """The path of a new broadcast to everybody with the tag 会员."""
    values = {"purpose": "marketing", "tag": "会员", "text": TEXT, "when": "now", "submit": "1"} | fields
    status, where = await visitor.post("/console/broadcasts/new", **values)
    assert status == 303, where
    return where


async def row_of(house: House, path: str) -> Any:
    number = int(path.rpartition("/")[2])
    return await house.asks(
        lambda db: db.execute(sa.select(broadcasts).where(broadcasts.c.id == number)).one()
    )


async def running(house: House, **fields: Any) -> tuple[Visitor, str]:
    """A broadcast that was approved and begun, and who wrote it."""
    await members(house)
    writer, manager = await house.colleague("marketing"), await house.colleague("manager")
    path = await written(writer, **fields)
    assert (await manager.post(f"{path}/approve"))[0] == 303
    assert (await writer.post(f"{path}/start"))[0] == 303
    await house.server.house.worker.once()
    return writer, path


async def test_while_one_writes_the_people_are_counted_and_none_is_named(house: House) -> None:
    await members(house)
    writer = await house.colleague("marketing")
    status, part = await writer.post("/console/broadcasts/audience", purpose="marketing", tag="会员")
    assert status == 200
    assert "有标签“会员”" in part
    assert re.search(r"<b>3</b> 人会收到", part)
    assert "符合条件的共 4 人" in part
    assert re.search(r"没有同意营销</td><td class=\"num\">−1", part)
    assert "王*0｜女" in part
    assert "王敏" not in part


async def test_marketing_by_illness_is_refused_while_one_writes(house: House) -> None:
    writer = await house.colleague("marketing")
    _, part = await writer.post("/console/broadcasts/audience", purpose="marketing", tag="糖尿病")
    assert "涉及健康信息" in part
    fields = {"purpose": "marketing", "tag": "糖尿病", "text": TEXT, "when": "now"}
    status, page = await writer.post("/console/broadcasts/new", **fields)
    assert status == 422
    assert TEXT in page  # nothing that was written is lost


async def test_an_audience_by_illness_is_not_laundered_through_an_earlier_broadcast(house: House) -> None:
    writer = await house.colleague("marketing")
    path = await written(writer, purpose="care", tag="糖尿病", text="请记得按时复查。")
    fields = {"purpose": "marketing", "broadcast": path.rpartition("/")[2], "text": TEXT, "when": "now"}
    status, page = await writer.post("/console/broadcasts/new", **fields)
    assert (status, "涉及健康信息" in page) == (422, True)


async def test_the_words_are_checked_measured_and_shown_as_one_person_would_read_them(house: House) -> None:
    await members(house)
    writer = await house.colleague("marketing")
    path = "/console/broadcasts/words"
    _, part = await writer.post(path, purpose="marketing", tag="会员", text="全市第一，保证根治")
    assert part.count("广告不得含有") == 3
    _, part = await writer.post(path, purpose="marketing", tag="会员", text=TEXT)
    assert "【广告】" in part
    assert "青禾市人民医院" in part
    assert re.search(r"群发 \d+/1800 字节", part)
    fields = {"purpose": "care", "tag": "会员", "text": "{称呼|您}好，请按时复查。"}
    _, part = await writer.post(path, **fields)
    assert "您好，请按时复查。" in part
    assert re.search(r"公众号客服消息 \d+/2048 字节", part)
    _, part = await writer.post(path, **fields, **{"as": "M3"})
    assert "王*3" in part
    assert "会收到" in part
    _, part = await writer.post(path, **fields, **{"as": "P03"})
    assert "不在对象里" in part
    _, part = await writer.post(path, **fields, **{"as": "谁也不是"})
    assert "没有这位患者" in part


async def test_the_writer_cannot_approve_and_a_manager_sees_what_changed(house: House) -> None:
    await members(house)
    writer, manager = await house.colleague("marketing"), await house.colleague("manager")
    path = await written(writer)
    assert "待审批" in await writer.sees(path)
    assert (await writer.post(f"{path}/approve"))[0] == 403
    own = await written(manager)
    status, page = await manager.post(f"{own}/approve")
    assert (status, "需要另一位经理批准" in page) == (422, True)

    assert (await manager.post(f"{path}/approve"))[0] == 303
    assert (await row_of(house, path)).state == "approved"
    edited = {"purpose": "marketing", "tag": "会员", "age_from": "60", "when": "now", "submit": "1"}
    status, _ = await writer.post(f"{path}/edit", text=TEXT.replace("六", "日"), **edited)
    assert status == 303
    assert (await row_of(house, path)).state == "draft"
    page = await manager.sees(path)
    assert "与上次批准的差异" in page
    assert "<del>六</del><ins>日</ins>" in page
    assert "60岁及以上" in page
    status, page = await writer.post(f"{path}/start")
    assert (status, "不能这样做" in page) == (422, True)


async def test_what_was_edited_meanwhile_is_neither_approved_nor_overwritten(house: House) -> None:
    await members(house)
    writer, manager = await house.colleague("marketing"), await house.colleague("manager")
    path = await written(writer)
    seen = re.search(r'name="seen" value="(\d+)"', await manager.sees(path))
    assert seen is not None
    fields = {"purpose": "marketing", "tag": "会员", "when": "now", "seen": seen[1]}
    assert (await writer.post(f"{path}/edit", text="周日上午有健康讲座。", **fields))[0] == 303
    status, page = await manager.post(f"{path}/approve", seen=seen[1])
    assert (status, "刚才有人改了内容" in page) == (422, True)
    status, page = await manager.post(f"{path}/edit", text="周一上午有健康讲座。", **fields)
    assert (status, "别人也改了" in page) == (422, True)
    assert "周一上午有健康讲座。" in page
    assert (await row_of(house, path)).text == "周日上午有健康讲座。"


async def test_sent_back_with_a_reason(house: House) -> None:
    writer, manager = await house.colleague("marketing"), await house.colleague("manager")
    path = await written(writer)
    assert (await manager.post(f"{path}/send-back", why="写明地点"))[0] == 303
    assert "被退回：写明地点" in await writer.sees(path)
    assert "被退回" in await writer.sees("/console/broadcasts?state=draft")
    assert (await writer.post(f"{path}/submit"))[0] == 303
    assert path in await manager.sees("/console/broadcasts?state=review")


async def test_a_running_one_tells_exactly_and_is_stopped_with_the_numbers(house: House) -> None:
    writer, path = await running(house)
    page = await writer.sees(path)
    assert "现在还" not in page
    assert re.search(r"拦下 <b>1</b> 条", page)
    asked = await writer.sees(f"{path}?ask=stop")
    waiting = re.search(r"停止，拦下 (\d+) 条", asked)
    assert waiting is not None
    status, _ = await writer.post(f"{path}/stop", why="地点改了")
    assert status == 303
    page = await writer.sees(path)
    assert f"拦下 <b>{1 + int(waiting[1])}</b> 条" in page
    assert "地点改了" in page
    states = await house.asks(lambda db: db.execute(sa.select(letters.c.state)).scalars().all())
    assert "queued" not in states
    status, page = await writer.post(f"{path}/resume")
    assert (status, "已停止" in page) == (422, True)


async def test_to_many_it_begins_in_a_minute_and_can_be_called_back(house: House) -> None:
    await members(house, 101)
    writer, manager = await house.colleague("marketing"), await house.colleague("manager")
    path = await written(writer)
    await manager.post(f"{path}/approve")
    assert "等60秒才开始" in await writer.sees(f"{path}?ask=start")
    assert (await writer.post(f"{path}/start"))[0] == 303
    await house.server.house.worker.once()
    assert (await row_of(house, path)).state == "approved"
    assert "撤回" in await writer.sees(f"{path}/live")
    assert (await writer.post(f"{path}/call-back"))[0] == 303
    house.passes(minutes=2)
    await house.server.house.worker.once()
    assert (await row_of(house, path)).state == "approved"
    assert (await writer.post(f"{path}/start"))[0] == 303
    house.passes(minutes=2)
    await house.server.house.worker.once()
    row = await row_of(house, path)
    assert (row.state, row.started_by) == ("running", COLLEAGUES["marketing"])
    assert (await writer.post(f"{path}/call-back"))[0] == 422


async def test_pausing_holds_and_resuming_lets_go(house: House) -> None:
    writer, path = await running(house)
    assert (await writer.post(f"{path}/pause", why="核对地址"))[0] == 303
    page = await writer.sees(path)
    assert "已暂停" in page
    assert "核对地址" in page
    assert (await writer.post(f"{path}/resume"))[0] == 303
    assert (await row_of(house, path)).state == "running"


async def test_behind_each_number_are_people_masked_and_a_new_audience(house: House) -> None:
    writer, path = await running(house)
    number = path.rpartition("/")[2]
    page = await writer.sees(f"{path}/people?is=withheld:no_consent")
    assert "王*3" in page
    assert "王*1" not in page
    assert "未发：没有同意营销" in page
    assert "王敏" not in page
    read = await house.asks(lambda db: db.execute(sa.select(audit.c.object)).scalars().all())
    assert f"broadcast:{number}:people" in read

    def delivered(db: sa.Connection) -> None:
        now = house.clock.now()
        db.execute(
            letters.update().where(letters.c.patient_code.in_(("M0", "M1"))).values(state="sent", sent_at=now)
        )

    await house.does(delivered)
    house.passes(minutes=5)
    await house.says("怎么报名", "oM1")
    for outcome, size in (("sent", 2), ("replied", 1), ("silent", 1), ("withheld", 1), ("booked", 0)):
        _, part = await writer.post(
            "/console/broadcasts/audience", purpose="care", broadcast=number, outcome=outcome
        )
        assert f"符合条件的共 {size} 人" in part, outcome
    page = await writer.sees(f"{path}/people?is=replied")
    assert "王*1" in page
    assert "王*0" not in page
    form = await writer.sees(f"/console/broadcasts/new?broadcast={number}&outcome=replied")
    assert f'name="broadcast" inputmode="numeric" pattern="[0-9]*" value="{number}"' in form
    assert '<option value="replied" selected>' in form


async def test_who_was_held_out_is_compared_with_who_got_it(house: House) -> None:
    await members(house, 40)
    writer, manager = await house.colleague("marketing"), await house.colleague("manager")
    path = await written(writer, hold_out="50")
    assert "实际发给" in (await writer.post("/console/broadcasts/audience", tag="会员", hold_out="50"))[1]
    await manager.post(f"{path}/approve")
    await writer.post(f"{path}/start")
    page = await writer.sees(path)
    held = re.search(r"对照组 (\d+) 人没有收到，其中 0 人预约（0.0%）", page)
    assert held is not None
    assert 5 < int(held[1]) < 35
    assert re.search(rf"对照组</a></td><td class=\"num\"><b>{held[1]}</b>", page)


async def test_people_behind_a_number_are_those_of_one_s_own_departments(house: House) -> None:
    writer, path = await running(house)
    assert "M3" in await writer.sees(f"{path}/people")
    number, mine = path.rpartition("/")[2], users.c.name == COLLEAGUES["marketing"]

    def arrange(db: sa.Connection) -> None:
        row = {"code": "V902", "patient_code": "M3", "department_code": "KQ", "kind": "outpatient"}
        db.execute(visits.insert().values(**row, date=house.clock.now().date()))
        db.execute(users.update().where(mine).values(departments="EK"))

    await house.does(arrange)
    page = await writer.sees(f"/console/broadcasts/{number}/people")
    assert "M3" not in page
    assert "M2" in page  # of no department yet


async def test_the_writer_tries_it_out_on_their_own_phone(house: House) -> None:
    writer = await house.colleague("marketing")
    path = await written(writer, purpose="care", text="请记得按时复查。")
    status, page = await writer.post(f"{path}/try")
    assert (status, "没有找到您自己的微信" in page) == (422, True)

    def own(db: sa.Connection) -> None:
        db.execute(users.update().where(users.c.name == COLLEAGUES["marketing"]).values(phone="13800000005"))
        assert Seal.index("13800000005")
        bound("oOwn", "P05")(db)

    await house.does(own)
    assert (await writer.post(f"{path}/try"))[0] == 303
    [trial] = await house.asks(lambda db: db.execute(sa.select(letters)).all())
    assert trial.body["text"] == "【测试】请记得按时复查。"
    assert trial.plan.startswith("broadcast:test:")
    assert COLLEAGUES["marketing"] in await writer.sees(path)


async def test_what_people_wrote_is_shown_and_never_run(house: House) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    await house.does(lambda db: db.execute(patient_tags.insert().values(patient_code="P05", tag=hostile)))
    await house.does(
        lambda db: db.execute(patients.update().where(patients.c.code == "P05").values(name=hostile))
    )
    writer, manager = await house.colleague("marketing"), await house.colleague("manager")
    fields = {"purpose": "care", "tag": hostile, "text": f"{hostile} 请复查", "when": "later"}
    path = await written(writer, **fields, scheduled_at="2026-11-19T10:00")
    await manager.post(f"{path}/send-back", why=hostile)
    pages = [
        await writer.sees(page)
        for page in (
            path,
            f"{path}/edit",
            f"{path}?ask={hostile}",
            "/console/broadcasts",
            f"/console/broadcasts/new?tag={hostile}&age_from={hostile}",
            "/console/calendar?day=2026-11-19",
            f"/console/texts?q={hostile}",
        )
    ]
    pages += [
        (await writer.post(f"/console/broadcasts/{part}", **fields, **{"as": "P05"}))[1]
        for part in ("audience", "words")
    ]
    for page in pages:
        assert "<img" not in page
    assert "&lt;img" in pages[0]


async def test_the_calendar_shows_what_collides_and_the_night(house: House) -> None:
    writer = await house.colleague("marketing")
    at = "2026-12-13T22:30"  # the day of national mourning, at night
    path = await written(writer, when="later", scheduled_at=at)
    await written(writer, when="later", scheduled_at="2026-12-13T09:00")
    page = await writer.sees("/console/calendar?day=2026-12-13")
    assert "初五" in page  # of the lunar month
    assert "国家公祭日" in page
    assert f'href="{path}"' in page
    for clash in ("同一天多条营销", "哀悼日不宜营销", "定在夜间"):
        assert clash in page
    _, part = await writer.post(
        "/console/broadcasts/audience", purpose="marketing", when="later", scheduled_at="2026-12-13T22:00"
    )
    assert "当天已有营销群发" in part
    assert "会等到早上8点" in part
    festival = await writer.sees("/console/calendar?month=2027-02")
    assert "春节问候 1" in festival


async def test_the_stop_is_seen_on_every_page_and_ended_by_a_manager(house: House) -> None:
    nurse, manager = await house.colleague(), await house.colleague("manager")
    assert (await nurse.sees("/console/stop/strip")).strip() == ""
    assert (await nurse.post("/console/stop"))[0] == 303
    assert "全部主动消息已停发" in await manager.sees("/console/stop/strip")
    assert COLLEAGUES["nurse"] in await manager.sees("/console/stop")
    assert (await nurse.post("/console/stop/end"))[0] == 403
    assert (await manager.post("/console/stop/end"))[0] == 303
    assert (await nurse.sees("/console/stop/strip")).strip() == ""


EVERYTHING = Segment(
    (
        Tagged(("会员", "员工")),
        Tagged(("老年",)),
        NotTagged(("黑名单",)),
        Age(60, 80),
        Described("sex", ("F",)),
        Described("region", ("城东", "城西")),
        Described("source", ("扫码",)),
        Vip(3),
        Visited(90, 2, ("outpatient",), ("GK",)),
        NotVisited(30),
        Tier(("VIP", "main")),
        Rfm(3, 1, 4),
        Agreed("marketing"),
        Bound(False),
        Reached(7, "silent"),
    )
)


def test_the_form_says_every_condition_and_reads_it_back() -> None:
    assert audience.whole(EVERYTHING)
    assert audience.whole(Segment())
    assert not audience.whole(Segment((Tagged(("a",)), Tagged(("b",)), Tagged(("c",)))))


@pytest.mark.parametrize("said", ["x", "-1", "１２", "999999999999", "<b>"])
def test_a_line_that_is_no_number_says_nothing(said: str) -> None:
    assert audience.read_segment({"age_from": [said], "away": [said], "vip": [said]}) == Segment()
