"""Messages to many, over the real server and the simulated platform: who gets them, how, and what stops them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.channels.api import OutcomeUnknown, Unreached
from bot.domain.letter import Purpose
from bot.flows.broadcasts import desk
from bot.hospital.segments import Segment, Tagged
from bot.outbox import stopping
from bot.outbox.worker import Work
from bot.simulator import User
from storage.rows import Row
from storage.tables import broadcasts, letters, mass_jobs, patient_tags, patients, users
from tests.chat import ZONE
from tests.hospital_folder import bound, open_hospital
from tests.outbox.conftest import Post, at

MASS = "/cgi-bin/message/mass/send"
MASS_BY_TAG = "/cgi-bin/message/mass/sendall"
CUSTOM = "/cgi-bin/message/custom/send"
TEMPLATE = "/cgi-bin/message/template/send"
TEXT = "周末有健康讲座，欢迎参加。"


async def members(post: Post, count: int) -> list[User]:
    """So many grown-up patients with the tag 会员 who agreed to marketing, each with an account that follows."""
    await post.does(open_hospital)

    def people(db: sa.Connection) -> None:
        for name, role in (("小营", "marketing"), ("主任", "manager")):
            db.execute(users.insert().values(name=name, role=role, created_at=at(8)))
        for number in range(count):
            row = {"code": f"M{number:04}", "name": "王敏", "sex": "F", "marketing_consent": True}
            db.execute(patients.insert().values(**row))
            db.execute(patient_tags.insert().values(patient_code=f"M{number:04}", tag="会员"))
            bound(f"oM{number:04}", f"M{number:04}")(db)

    await post.does(people)
    return [post.platform.follow(f"oM{number:04}") for number in range(count)]


async def begun(post: Post, purpose: Purpose = Purpose.MARKETING, text: str = TEXT, **options: Any) -> int:
    """A broadcast to all members, approved and started."""
    now = post.clock.now()
    draft = desk.Draft(Segment((Tagged(("会员",)),)), text, purpose, "小营", **options)

    def work(db: sa.Connection) -> int:
        number = desk.create(db, draft, now, ZONE)
        desk.approve(db, number, "主任", now, ZONE)
        desk.start(db, number, "小营", now, ZONE)
        return number

    return await post.does(work)


async def status(post: Post, number: int) -> dict[str, Any]:
    return await post.asks(lambda db: desk.status(db, number))


def planner(post: Post, name: str) -> Work:
    """What starts contacts of one kind."""
    return next(tick.work for tick in post.server.house.worker.planners if tick.name == name)


async def jobs(post: Post) -> list[Row]:
    return list(await post.asks(lambda db: db.execute(sa.select(mass_jobs)).all()))


def begins(text: str) -> str:
    return f"【广告】{text}"


async def test_an_advertisement_goes_as_one_mass_message(post: Post) -> None:
    people = await members(post, 3)
    await people[0].says("你好")  # an open window changes nothing
    number = await begun(post)

    summary = await post.server.house.worker.once()

    await post.platform.settle()
    for person in people:
        assert begins(TEXT) in person.screen
        assert "回复TD" in person.screen
        assert "青禾市人民医院" in person.screen
    assert (post.calls(MASS), post.calls(CUSTOM), post.calls(TEMPLATE)) == (1, 0, 0)
    assert summary.counts.sent == 3
    told = await status(post, number)
    assert (told["planned"], told["sent"], told["withheld"]) == (3, 3, {})


async def test_the_platform_tells_the_outcome(post: Post) -> None:
    await members(post, 2)
    number = await begun(post)
    await post.server.house.worker.once()
    await post.platform.settle()

    [job] = await jobs(post)
    assert (job.state, job.status, job.sent, job.errors) == ("finished", "send success", 2, 0)
    await post.server.house.worker.once()
    told = await status(post, number)
    assert (told["state"], told["delivered"]) == ("finished", 2)


async def test_one_person_alone_is_reached_by_a_tag(post: Post) -> None:
    [person] = await members(post, 1)
    await begun(post)

    await post.server.house.worker.once()

    await post.platform.settle()
    assert begins(TEXT) in person.screen
    assert (post.calls(MASS), post.calls(MASS_BY_TAG)) == (0, 1)


async def test_care_goes_through_open_windows_only(post: Post) -> None:
    people = await members(post, 2)
    await people[0].says("你好")
    number = await begun(post, Purpose.CARE, "请记得按时复查。")

    await post.server.house.worker.once()

    assert "请记得按时复查。" in people[0].screen
    assert (post.calls(CUSTOM), post.calls(MASS), post.calls(TEMPLATE)) == (1, 0, 0)
    told = await status(post, number)
    assert (told["state"], told["sent"], told["failed"]) == ("finished", 1, 0)
    assert told["withheld"] == {"no_route": 1}
    assert await post.tasks() == []


async def test_two_advertisements_a_month_and_one_a_day(post: Post) -> None:
    people = await members(post, 2)
    first, second = await begun(post), await begun(post, text="体检中心开放日")
    await post.server.house.worker.once()
    assert (await status(post, first))["sent"] == 2
    assert (await status(post, second))["withheld"] == {"cap_day": 2}

    for days, text, expected in ((1, "第二条", {}), (2, "第三条", {"cap_month": 2})):
        post.clock.moment = at(10) + timedelta(days=days)
        number = await begun(post, text=text)
        await post.server.house.worker.once()
        assert (await status(post, number))["withheld"] == expected
    post.clock.moment = at(10) + timedelta(days=14)  # 2 December
    await begun(post, text="下个月")
    await post.server.house.worker.once()
    await post.platform.settle()
    assert begins("下个月") in people[0].screen


async def test_nothing_goes_at_night(post: Post) -> None:
    people = await members(post, 2)
    post.clock.moment = at(22)
    number = await begun(post)
    await post.server.house.worker.once()
    assert begins(TEXT) not in people[0].screen

    post.clock.moment = at(8, 1) + timedelta(days=1)
    await post.server.house.worker.once()

    await post.platform.settle()
    assert begins(TEXT) in people[0].screen
    assert (await status(post, number))["sent"] == 2


async def test_a_withdrawal_reaches_what_is_queued(post: Post) -> None:
    people = await members(post, 3)
    number = await begun(post)
    await people[1].says("退订")

    await post.server.house.worker.once()

    await post.platform.settle()
    assert begins(TEXT) not in people[1].screen
    told = await status(post, number)
    assert told["sent"] == 2
    assert sum(told["withheld"].values()) == 1


async def test_the_first_letters_go_ahead_of_the_others(post: Post) -> None:
    await members(post, desk.CANARY_FROM + 5)
    number = await begun(post)

    await post.server.house.worker.once()

    assert [job.recipients for job in await jobs(post)] == [desk.CANARY, desk.CANARY_FROM + 5 - desk.CANARY]
    assert (await status(post, number))["sent"] == desk.CANARY_FROM + 5


async def test_when_the_first_letters_fail_the_others_stay(post: Post) -> None:
    people = await members(post, desk.CANARY_FROM + 5)
    number = await begun(post)
    worker = post.server.house.worker
    await post.does(lambda db: planner(post, "broadcasts")(db, post.clock.now()))
    await post.does(lambda db: db.execute(letters.update().values(state="failed", reason="mass:err(10001)")))

    await worker.once()

    told = await status(post, number)
    assert (told["state"], told["reason"], told["failed"]) == ("paused", "canary", desk.CANARY)
    assert all(begins(TEXT) not in person.screen for person in people)

    await post.does(lambda db: desk.resume(db, number, "主任", post.clock.now()))
    await worker.once()
    assert (await status(post, number))["sent"] == desk.CANARY_FROM + 5 - desk.CANARY


async def test_stopping_keeps_what_has_not_left(post: Post) -> None:
    await members(post, 3)
    number = await begun(post)
    worker = post.server.house.worker
    await post.does(lambda db: planner(post, "broadcasts")(db, post.clock.now()))
    await post.does(lambda db: desk.stop(db, number, "主任", post.clock.now()))

    await worker.once()

    told = await status(post, number)
    assert (told["state"], told["sent"], told["withheld"]) == ("stopped", 0, {"stopped": 3})


async def test_the_switch_holds_everything_but_alarms_and_answers(post: Post) -> None:
    people = await members(post, 2)
    for person in people:
        await person.says("你好")
    number = await begun(post)
    now = post.clock.now()
    await post.owes("oM0000", text="复诊提醒", purpose=Purpose.CARE)
    await post.owes("oM0000", text="预约成功了", purpose=Purpose.TRANSACTION)
    await post.does(lambda db: stopping.stop_all(db, "主任", now))

    await post.server.house.worker.once()

    assert "预约成功了" in people[0].screen
    assert "复诊提醒" not in people[0].screen
    assert await post.asks(stopping.held) == {"care": 1, "marketing": 2}
    await post.does(lambda db: stopping.resume_all(db, "主任", now))
    await post.server.house.worker.once()
    assert (await status(post, number))["sent"] == 2


async def scheduled(post: Post, **options: Any) -> int:
    """A broadcast that was approved and is to begin in two hours."""
    now = post.clock.now()
    begins_at = now + timedelta(hours=2)
    draft = desk.Draft(
        Segment((Tagged(("会员",)),)), TEXT, Purpose.MARKETING, "小营", scheduled_at=begins_at, **options
    )

    def work(db: sa.Connection) -> int:
        number = desk.create(db, draft, now, ZONE)
        desk.approve(db, number, "主任", now, ZONE)
        return number

    return await post.does(work)


async def test_its_hour_begins_it(post: Post) -> None:
    await members(post, 2)
    number = await scheduled(post)
    await post.server.house.worker.once()
    assert (await status(post, number))["state"] == "approved"

    post.passes(hours=2)
    await post.server.house.worker.once()

    assert (await status(post, number))["sent"] == 2


async def test_what_was_changed_after_the_approval_does_not_begin(post: Post) -> None:
    await members(post, 2)
    number = await scheduled(post)
    await post.does(lambda db: db.execute(broadcasts.update().values(text="周末有健康讲座,欢迎参加。")))
    post.passes(hours=2)

    await post.server.house.worker.once()

    told = await status(post, number)
    assert (told["state"], told["reason"], told["sent"]) == ("stopped", "refused", 0)


async def test_an_edit_needs_a_new_approval(post: Post) -> None:
    await members(post, 2)
    number = await scheduled(post)
    now = post.clock.now()
    await post.does(lambda db: desk.edit(db, number, "小营", now, ZONE, text="讲座改期"))

    assert (await status(post, number))["state"] == "draft"


async def test_a_medical_advertisement_needs_its_licence(post: Post) -> None:
    await members(post, 2)
    text, today = "近视手术咨询周", at(10).date()
    with pytest.raises(desk.BroadcastRefused, match="审查证明"):
        await begun(post, text=text, licence="浙医广[2026]第01号", licence_until=today - timedelta(days=1))

    number = await begun(post, text=text, licence="浙医广[2026]第01号", licence_until=today)
    await post.server.house.worker.once()

    assert (await status(post, number))["sent"] == 2


async def test_a_pace_is_kept(post: Post) -> None:
    await members(post, 7)
    number = await begun(post, pace=3)
    worker = post.server.house.worker

    await worker.once()
    assert (await status(post, number))["sent"] == 3
    post.passes(minutes=1)
    await worker.once()
    assert (await status(post, number))["sent"] == 6


async def test_some_are_held_out_for_comparison(post: Post) -> None:
    await members(post, 60)
    number = await begun(post, hold_out=30)

    await post.server.house.worker.once()

    told = await status(post, number)
    assert 5 <= told["withheld"]["held_out"] <= 32
    assert told["sent"] + told["withheld"]["held_out"] == 60


async def test_who_joins_later_waits_and_nobody_gets_it_twice(post: Post) -> None:
    await members(post, 2)
    number = await begun(post)
    worker = post.server.house.worker
    await post.does(lambda db: db.execute(patient_tags.insert().values(patient_code="P05", tag="会员")))
    await worker.once()
    await worker.once()

    assert (await status(post, number))["planned"] == 2
    assert post.calls(MASS) == 1


async def test_a_month_of_the_platform_holds_four(post: Post) -> None:
    """Greetings count, too, and the platform would swallow the fifth without a word."""
    await members(post, 2)
    for day in range(5):
        post.clock.moment = at(10) + timedelta(days=day)
        number = await begun(post, Purpose.GREETING, f"问候{day}")
        await post.server.house.worker.once()
    assert (await status(post, number))["withheld"] == {"no_route": 2}
    assert len(await jobs(post)) == 4


async def test_results_are_counted(post: Post) -> None:
    people = await members(post, 3)
    number = await begun(post)
    await post.server.house.worker.once()
    post.passes(hours=1)
    await people[0].says("讲座几点开始")
    await people[1].unfollows()

    told = await status(post, number)

    assert (told["replied"], told["booked"], told["unfollowed"]) == (1, 0, 1)


async def test_a_call_that_nobody_finished_is_made_again_and_seen_once(post: Post) -> None:
    people = await members(post, 2)
    number = await begun(post)
    masses = post.postman.masses
    assert masses is not None
    worker = post.server.house.worker
    await post.does(lambda db: planner(post, "broadcasts")(db, post.clock.now()))
    await post.postman._deliver((4, 5))
    job = await post.does(masses._next)  # written down, and then the process died
    assert job is not None
    past = post.clock.now() - timedelta(days=3650)
    await post.does(lambda db: db.execute(mass_jobs.update().values(claimed_until=past)))
    await masses.ports[job.account].send(job.openids, job.text, job.client_id)
    post.passes(minutes=2)

    await worker.once()

    await post.platform.settle()
    assert sum(begins(TEXT) in bubble.text for bubble in people[0].screen) == 1
    assert (await status(post, number))["sent"] == 2


class Unplugged:
    """A platform behind a cable that somebody pulled: before a call, or in the middle of it."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def send(self, openids: Sequence[str], text: str, client_id: str) -> str:
        raise self.error


async def test_what_surely_reached_nobody_can_be_paused_and_goes_out_later(post: Post) -> None:
    people = await members(post, 2)
    masses, worker = post.postman.masses, post.server.house.worker
    assert masses is not None
    plugged = masses.ports
    masses.ports = {"wechat/default": Unplugged(Unreached("nobody there"))}
    number = await begun(post)
    await worker.once()
    assert (await status(post, number))["waiting"] == 2

    await post.does(lambda db: desk.pause(db, number, "小营", "", post.clock.now()))
    masses.ports = plugged
    past = post.clock.now() - timedelta(days=3650)
    await post.does(lambda db: db.execute(mass_jobs.update().values(claimed_until=past)))
    await worker.once()
    assert post.calls(MASS) == 0

    await post.does(lambda db: desk.resume(db, number, "小营", post.clock.now()))
    await worker.once()
    await post.platform.settle()
    assert [sum(begins(TEXT) in bubble.text for bubble in one.screen) for one in people] == [1, 1]


async def test_what_may_have_reached_somebody_is_not_called_stopped(post: Post) -> None:
    people = await members(post, 2)
    masses, worker = post.postman.masses, post.server.house.worker
    assert masses is not None
    plugged = masses.ports
    masses.ports = {"wechat/default": Unplugged(OutcomeUnknown("no answer"))}
    number = await begun(post)
    await worker.once()

    await post.does(lambda db: desk.stop(db, number, "小营", post.clock.now()))

    assert (await status(post, number))["withheld"] == {}
    masses.ports = plugged
    past = post.clock.now() - timedelta(days=3650)
    await post.does(lambda db: db.execute(mass_jobs.update().values(claimed_until=past)))
    await worker.once()  # asks the platform once more, by the same number
    await post.platform.settle()
    assert [sum(begins(TEXT) in bubble.text for bubble in one.screen) for one in people] == [1, 1]
    assert (await status(post, number))["sent"] == 2


async def test_a_used_up_quota_waits_for_the_next_day(post: Post) -> None:
    people = await members(post, 2)
    post.platform.faults.refuse(MASS, 45028)
    number = await begun(post)
    await post.server.house.worker.once()
    assert (await status(post, number))["sent"] == 0

    post.clock.moment = at(10) + timedelta(days=1)
    await post.server.house.worker.once()

    await post.platform.settle()
    assert begins(TEXT) in people[0].screen


async def test_words_of_ones_own_go_one_by_one(post: Post) -> None:
    people = await members(post, 3)
    for person in people[:2]:
        await person.says("你好")
    born = date(1980, 5, 1)
    await post.does(lambda db: db.execute(patients.update().values(birth_date=born)))
    number = await begun(post, Purpose.CARE, "{称呼|您}，请记得按时复查。")

    await post.server.house.worker.once()

    assert "王女士，请记得按时复查。" in people[0].screen
    assert "王女士，请记得按时复查。" in people[1].screen
    assert post.calls(CUSTOM) == 2
    assert (await status(post, number))["withheld"] == {"no_route": 1}


async def test_what_many_share_has_no_words_of_ones_own(post: Post) -> None:
    """A greeting to open windows names the reader; 群发 brings the same words to everybody else."""
    people = await members(post, 3)
    await people[0].says("你好")
    await begun(post, Purpose.GREETING, "{姓名|您}，节日快乐！")

    await post.server.house.worker.once()

    await post.platform.settle()
    assert "王敏，节日快乐！" in people[0].screen
    for person in people[1:]:
        assert "您，节日快乐！" in person.screen
        assert "王敏" not in person.screen
    assert (post.calls(CUSTOM), post.calls(MASS)) == (1, 1)
