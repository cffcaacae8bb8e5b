"""Our tags on the official account: in small batches, within the platform's limits, never about somebody's health."""

from __future__ import annotations

import sqlalchemy as sa

from bot.outbox.tagging import REST, TagSync, shared
from bot.simulator import User
from storage.tables import contacts, patient_tags, patients
from tests.hospital_folder import bound
from tests.outbox.conftest import Post

TAG = "/cgi-bin/tags/members/batchtagging"


async def tagged_people(post: Post, count: int, *tags: str) -> list[User]:
    def people(db: sa.Connection) -> None:
        for number in range(count):
            db.execute(patients.insert().values(code=f"M{number:04}", name="王敏"))
            bound(f"oM{number:04}", f"M{number:04}")(db)
            for tag in tags:
                db.execute(patient_tags.insert().values(patient_code=f"M{number:04}", tag=tag))

    await post.does(people)
    return [post.platform.follow(f"oM{number:04}") for number in range(count)]


def sync_of(post: Post) -> TagSync:
    masses = post.postman.masses
    assert masses is not None
    port = masses.ports["wechat/default"]
    return TagSync(post.server.house.database, post.clock, post.clock, port)  # type: ignore[arg-type]


async def runs(post: Post, sync: TagSync, steps: int = 30) -> None:
    post.passes(seconds=REST.total_seconds() + 1)
    for _ in range(steps):
        await sync.step()


def names(post: Post, user: User) -> set[str]:
    """What the platform says a user wears."""
    return {post.platform.account().tags.names[number] for number in user.follower.tags}


async def test_tags_get_there_fifty_at_a_time(post: Post) -> None:
    people = await tagged_people(post, 60, "会员", "员工")
    await runs(post, sync_of(post))

    assert all(names(post, person) == {"会员", "员工"} for person in people)
    assert post.calls(TAG) == 4
    await runs(post, sync_of(post))
    assert post.calls(TAG) == 4


async def test_a_tag_that_was_taken_away_goes_there_too(post: Post) -> None:
    [person] = await tagged_people(post, 1, "会员")
    await runs(post, sync_of(post))
    await post.does(lambda db: db.execute(patient_tags.delete()))

    await runs(post, sync_of(post))

    assert names(post, person) == set()


async def test_nothing_of_anybodys_health_leaves_the_house(post: Post) -> None:
    [person] = await tagged_people(post, 1, "糖尿病", "孕妇", "术后随访", "会员")

    await runs(post, sync_of(post))

    assert names(post, person) == {"会员"}


async def test_a_user_wears_twenty_at_most(post: Post) -> None:
    [person] = await tagged_people(post, 1, *(f"活动{number:02}" for number in range(25)))

    await runs(post, sync_of(post), steps=40)

    assert len(person.follower.tags) == 20


async def test_a_spurious_refusal_is_tried_once_more(post: Post) -> None:
    [person] = await tagged_people(post, 1, "会员")
    post.platform.faults.refuse(TAG, 45159)

    await runs(post, sync_of(post))

    assert names(post, person) == {"会员"}


async def test_a_tag_that_somebody_deleted_is_made_again(post: Post) -> None:
    first, second = await tagged_people(post, 2, "会员")
    await runs(post, sync_of(post))
    book = post.platform.account().tags
    number = next(number for number, name in book.names.items() if name == "会员")
    del book.names[number]
    for person in (first, second):
        person.follower.tags.discard(number)
    await post.does(
        lambda db: db.execute(patients.insert().values(code="N", name="甲")) and bound("oN", "N")(db)
    )
    await post.does(lambda db: db.execute(patient_tags.insert().values(patient_code="N", tag="会员")))
    new = post.platform.follow("oN")

    await runs(post, sync_of(post))

    assert all(names(post, person) == {"会员"} for person in (first, second, new))


async def test_one_who_left_does_not_hold_up_the_others(post: Post) -> None:
    people = await tagged_people(post, 3, "会员")
    await people[1].unfollows()
    await post.does(lambda db: db.execute(contacts.update().values(followed=True)))
    post.platform.faults.refuse(TAG, 40003, times=1)
    post.platform.faults.refuse(TAG, 40003, times=1)

    await runs(post, sync_of(post))

    assert names(post, people[1]) == names(post, people[2]) == {"会员"}


def test_a_hundred_at_most_the_most_worn_first() -> None:
    many = [f"活动{number}" for number in range(150)]
    assert list(shared(["好" * 11, *many])) == many[:99]  # 33 bytes are too many
