"""The rules of flows that the outbox keeps, one named test each; the numbers are those of the product's list of rules."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from time import monotonic

import sqlalchemy as sa

from bot.domain.letter import Letter, Purpose
from bot.flows.broadcasts import desk
from bot.hospital.segments import Segment, Tagged
from bot.outbox import letters as outbox
from bot.outbox import stopping
from storage.tables import contacts, letters, patient_tags
from tests.chat import ZONE
from tests.outbox.conftest import Post
from tests.outbox.test_broadcasts import CUSTOM, MASS, TEMPLATE, begun, members, scheduled, status

STOP_WITHIN = 5.0  # seconds


async def test_rule_29_what_is_more_urgent_goes_first_and_marketing_last(post: Post) -> None:
    [person] = await members(post, 1)
    await person.says("你好")
    await begun(post, text="讲座通知")
    for text, purpose in (
        ("满意吗", Purpose.SURVEY),
        ("伤口怎么样", Purpose.CARE),
        ("预约成功", Purpose.TRANSACTION),
    ):
        await post.owes("oM0000", text=text, purpose=purpose)

    await post.server.house.worker.once()

    await post.platform.settle()
    shown = [bubble.text for bubble in person.screen]
    order = [
        next(n for n, text in enumerate(shown) if word in text)
        for word in ("预约成功", "伤口", "满意", "讲座")
    ]
    assert order == sorted(order)


async def test_rule_29_a_spent_quota_of_the_many_holds_nobody_else_up(post: Post) -> None:
    people = await members(post, 2)
    await people[0].says("你好")
    post.platform.faults.refuse(MASS, 45028)
    number = await begun(post)
    await post.owes("oM0000", text="伤口怎么样", purpose=Purpose.CARE)

    await post.server.house.worker.once()

    assert "伤口怎么样" in people[0].screen
    assert (await status(post, number))["sent"] == 0


async def test_rule_30_a_way_that_fails_for_now_is_tried_again(post: Post) -> None:
    person = await post.follower()
    await person.says("你好")
    post.platform.faults.refuse(CUSTOM, -1, times=2)
    number = await post.owes(text="伤口怎么样", purpose=Purpose.CARE)

    await post.delivers()
    for _ in range(4):
        post.passes(minutes=2)
        await post.delivers()

    assert "伤口怎么样" in person.screen
    assert (await post.letter(number)).state == "sent"


async def test_rule_30_a_way_that_fails_for_good_gives_place_to_the_next(post: Post) -> None:
    person = await post.follower()
    await person.says("你好")
    post.platform.faults.refuse(CUSTOM, 45015)
    number = await post.owes(text="伤口怎么样", purpose=Purpose.CARE)

    await post.delivers()

    assert post.calls(TEMPLATE) == 1
    assert (await post.letter(number)).channel == "template"


async def test_rule_41_an_audience_is_taken_once_and_gone_through_after_a_crash(post: Post) -> None:
    await members(post, 5)
    number = await begun(post, pace=2)
    worker = post.server.house.worker
    await worker.once()
    joined = patient_tags.insert().values(patient_code="P05", tag="会员")
    await post.does(lambda db: db.execute(joined))
    for _ in range(3):  # another process goes on where the first one was
        post.passes(minutes=1)
        await worker.once()

    told = await status(post, number)
    assert (told["planned"], told["sent"]) == (5, 5)
    keys = await post.asks(lambda db: db.execute(sa.select(letters.c.key)).scalars().all())
    assert len(keys) == len(set(keys)) == 5


async def test_rule_42_each_run_has_an_audience_an_approval_and_a_result_of_its_own(post: Post) -> None:
    await members(post, 2)
    first = await scheduled(post)
    post.passes(hours=2)
    await post.server.house.worker.once()
    joined = patient_tags.insert().values(patient_code="M0000", tag="老会员")
    await post.does(lambda db: db.execute(joined))
    post.passes(days=1)
    now = post.clock.now()
    draft = desk.Draft(
        Segment((Tagged(("老会员",)),)),
        "再次邀请您",
        Purpose.MARKETING,
        "小营",
        scheduled_at=now + timedelta(hours=1),
    )
    second = await post.does(lambda db: desk.create(db, draft, now, ZONE))
    post.passes(hours=2)
    await post.server.house.worker.once()
    assert (await status(post, second))["state"] == "draft"  # the first one's approval is not its own
    await post.does(lambda db: desk.approve(db, second, "主任", now, ZONE))
    await post.server.house.worker.once()

    assert (await status(post, first))["planned"] == 2
    told = await status(post, second)
    assert (told["planned"], told["sent"]) == (1, 1)


async def test_rule_46_the_stop_works_within_seconds_in_the_middle_of_many(post: Post) -> None:
    now, many = post.clock.now(), 400

    def owe(db: sa.Connection) -> None:
        for number in range(many):
            row = {"account": "wechat/default", "openid": f"o{number:03}", "created_at": now}
            contact = db.execute(contacts.insert().values(**row).returning(contacts.c.id)).scalar_one()
            letter = Letter(f"t{number}", Purpose.CARE, "伤口怎么样", not_before=now, contact_id=contact)
            assert outbox.put(db, letter, now) is not None

    await post.does(owe)
    for number in range(many):
        post.platform.follow(f"o{number:03}")
    going = asyncio.create_task(post.delivers())
    for _ in range(1_000):
        if post.calls(TEMPLATE):
            break
        await asyncio.sleep(0.005)
    await post.does(lambda db: stopping.stop_all(db, "主任", now))
    stopped = monotonic()
    counts = await going

    assert monotonic() - stopped < STOP_WITHIN
    assert 0 < counts.sent < many
    assert await post.asks(stopping.held) == {"care": many - counts.sent}
