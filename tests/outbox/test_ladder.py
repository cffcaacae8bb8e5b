"""An alarm that nobody takes climbs: who is woken when, by which ways, and what stops it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.outbox import alarm, ladder
from storage.rows import Row
from storage.tables import alerts, letters, roster, tasks, tickets, users
from tests.hospital_folder import contact, open_hospital
from tests.outbox.conftest import Post, at

STAFF = (
    ("甲", "nurse", "nurse1", "13900000001"),
    ("乙", "nurse", "nurse2", "13900000002"),
    ("长", "coordinator", "", "13900000003"),
    ("总", "manager", "", "13900000004"),
)


def staff(db: sa.Connection) -> None:
    open_hospital(db)
    contact(db, "oPatient")
    for name, role, wecom, phone in STAFF:
        row = {"name": name, "role": role, "wecom_userid": wecom, "phone": phone}
        db.execute(users.insert().values(**row, created_at=at(8)))


def on_shift(name: str, post: str = "nurse", start: int = 8, end: int = 20) -> Callable[[sa.Connection], Any]:
    row = {"user_name": name, "post": post, "start_at": at(start), "end_at": at(end)}
    return lambda db: db.execute(roster.insert().values(**row))


async def raised(post: Post, level: str = "E", concept: str = "C01") -> int:
    """A patient wrote something dangerous just now; the nurses were told."""
    now = post.clock.now()

    def work(db: sa.Connection) -> int:
        values = {"at": now, "contact_id": contact(db, "oPatient"), "level": level, "concept": concept}
        return alarm.raise_alert(db, now, values, alarm.NOTICE.format(level=level))

    return await post.does(work)


async def alert(post: Post, number: int) -> Row:
    return await post.asks(lambda db: db.execute(sa.select(alerts).where(alerts.c.id == number)).one())


async def told(post: Post) -> list[tuple[str, str]]:
    """Whom the last minute's rungs told, and by which way."""
    rows = await post.asks(
        lambda db: db.execute(
            sa.select(letters).where(letters.c.plan == "alert").order_by(letters.c.id)
        ).all()
    )
    keys = [row.key.split(":") for row in rows if row.created_at == post.clock.now()]
    return sorted((name, way) for _, _, _, name, way in keys)


async def climbs(post: Post, minutes: float, since: datetime) -> list[tuple[str, str]]:
    """Let the clock stand so many minutes after the message; whom that told."""
    post.clock.moment = since + timedelta(minutes=minutes)
    tick = ladder.Ladder(post.postman.wording, post.postman.zone)
    await post.does(lambda db: tick(db, post.clock.now()))
    return await told(post)


async def test_an_emergency_climbs_to_the_head_of_department(post: Post) -> None:
    await post.does(staff)
    begun = post.clock.now()
    number = await raised(post)
    assert await told(post) == [("乙", "sms"), ("乙", "wecom"), ("甲", "sms"), ("甲", "wecom")]

    assert await climbs(post, 2.9, begun) == []
    assert ("乙", "voice") in await climbs(post, 3, begun)
    assert await climbs(post, 4.9, begun) == []
    assert await climbs(post, 5, begun) == [("总", "sms"), ("总", "voice"), ("长", "sms"), ("长", "voice")]
    assert await climbs(post, 10, begun) == [("总", "sms"), ("总", "voice")]
    assert await climbs(post, 15, begun) == [("总", "sms"), ("总", "voice")]
    assert await climbs(post, 30, begun) == []
    assert await climbs(post, 300, begun) == []
    assert (await alert(post, number)).next_rung_at is None


async def test_an_urgent_alarm_has_more_patience(post: Post) -> None:
    await post.does(staff)
    begun = post.clock.now()
    await raised(post, "U")
    assert await told(post) == [("乙", "wecom"), ("甲", "wecom")]

    assert await climbs(post, 4.9, begun) == []
    assert await climbs(post, 5, begun) == [("乙", "sms"), ("乙", "wecom"), ("甲", "sms"), ("甲", "wecom")]
    assert ("甲", "voice") in await climbs(post, 10, begun)
    assert await climbs(post, 15, begun) == [("总", "sms"), ("长", "sms")]
    assert await climbs(post, 30, begun) == [("总", "sms"), ("总", "voice")]


async def test_the_patient_is_told_not_to_wait(post: Post) -> None:
    await post.does(staff)
    patient = await post.follower()
    await patient.says("你好")
    begun = post.clock.now()
    await raised(post, "U")

    await climbs(post, 15, begun)
    await post.delivers()

    assert "护士暂时没有接通您" in patient.screen
    assert "急诊楼一层" in patient.screen
    assert "0571-88880120" in patient.screen


async def test_an_emergency_brings_incidents_and_calls(post: Post) -> None:
    await post.does(staff)
    begun = post.clock.now()
    await raised(post)

    await climbs(post, 1, begun)
    calls = await post.tasks()
    assert [(one.kind, one.due_at) for one in calls] == [
        ("callback", begun + timedelta(minutes=30)),
        ("callback", at(9) + timedelta(days=1)),
    ]

    await climbs(post, 10, begun)
    severity = sa.select(tickets.c.number, tickets.c.kind, tickets.c.severity)
    assert (await post.asks(lambda db: db.execute(severity).one()))[1:] == ("incident", "C2")
    await climbs(post, 15, begun)
    assert len(await post.tasks()) == 3  # from the switchboard
    await climbs(post, 30, begun)
    assert (await post.asks(lambda db: db.execute(severity).one())).severity == "C1"


@pytest.mark.parametrize("minutes", [1, 4, 12])
async def test_taking_it_stops_the_climb(post: Post, minutes: int) -> None:
    await post.does(staff)
    begun = post.clock.now()
    number = await raised(post)
    await climbs(post, minutes, begun)

    taken = await post.does(lambda db: alarm.acknowledge_by_wecom(db, number, "NURSE1", post.clock.now()))

    assert taken
    for later in (minutes + 1, 16, 31):
        assert await climbs(post, later, begun) == []
    assert (await alert(post, number)).acknowledged_by == "甲"


async def test_taken_before_the_ladder_stood_the_call_backs_remain(post: Post) -> None:
    await post.does(staff)
    begun = post.clock.now()
    number = await raised(post)
    await post.does(lambda db: alarm.acknowledge(db, number, "甲", post.clock.now()))

    assert await climbs(post, 5, begun) == []
    assert len(await post.tasks()) == 2


async def test_nobody_to_tell_begins_at_the_tenth_minute(post: Post) -> None:
    await post.does(staff)
    for name in ("甲", "乙"):
        await post.does(on_shift(name, start=0, end=1))  # their shift is over
    begun = post.clock.now()
    await raised(post)
    assert await told(post) == []

    assert ("总", "voice") in await climbs(post, 0, begun)
    assert [row.kind for row in await incidents(post)] == ["incident"]
    assert await climbs(post, 5, begun) != []  # the fifteenth minute's rung


async def incidents(post: Post) -> list[Row]:
    return list(await post.asks(lambda db: db.execute(sa.select(tickets)).all()))


async def test_who_is_rostered_for_a_post_is_told_and_nobody_else(post: Post) -> None:
    await post.does(staff)
    await post.does(on_shift("乙", "second_nurse"))
    await post.does(on_shift("甲", "nurse"))
    await post.does(on_shift("总", "head_nurse"))
    begun = post.clock.now()
    await raised(post)

    third = await climbs(post, 3, begun)
    assert ("乙", "wecom") in third
    assert ("甲", "voice") in third
    assert {name for name, _ in await climbs(post, 5, begun)} == {"总"}


async def test_from_the_tenth_minute_the_hour_off_duty_does_not_count(post: Post) -> None:
    await post.does(staff)
    await post.does(on_shift("总", "duty_officer", start=0, end=1))
    await post.does(on_shift("长", "nurse", start=0, end=1))
    begun = post.clock.now()
    await raised(post)

    await climbs(post, 3, begun)
    assert await climbs(post, 5, begun) == []
    assert {name for name, _ in await climbs(post, 10, begun)} == {"总"}


async def test_after_an_outage_everybody_hears_and_the_patient_is_not_told_late(post: Post) -> None:
    await post.does(staff)
    await post.follower()
    begun = post.clock.now()
    await raised(post)

    names = {name for name, _ in await climbs(post, 200, begun)}

    assert names == {"甲", "乙", "长", "总"}
    to_patients = await post.asks(
        lambda db: db.execute(sa.select(letters).where(letters.c.contact_id.is_not(None))).all()
    )
    assert to_patients == []


async def test_a_storm_of_one_user_wakes_people_once(post: Post) -> None:
    await post.does(staff)
    begun = post.clock.now()
    first = await raised(post)
    await raised(post, concept="C02")
    await raised(post, "U", "R01")
    await climbs(post, 0.5, begun)

    await climbs(post, 3, begun)
    await climbs(post, 5, begun)

    keys = await post.asks(
        lambda db: db.execute(sa.select(letters.c.key).where(letters.c.plan == "alert")).scalars().all()
    )
    assert {key.split(":")[1] for key in keys if key.split(":")[2] != "0"} == {str(first)}


async def test_the_next_of_a_storm_climbs_when_the_first_is_taken(post: Post) -> None:
    await post.does(staff)
    begun = post.clock.now()
    first = await raised(post)
    await raised(post, concept="C02")
    await climbs(post, 0.5, begun)
    await post.does(lambda db: alarm.acknowledge(db, first, "甲", post.clock.now()))

    assert await climbs(post, 3, begun) != []


async def test_two_workers_climb_every_rung_once(post: Post) -> None:
    await post.does(staff)
    begun = post.clock.now()
    await raised(post)
    await climbs(post, 1, begun)
    post.clock.moment = begun + timedelta(minutes=16)
    tick = ladder.Ladder(post.postman.wording, post.postman.zone)

    climbed = await asyncio.gather(*(post.does(lambda db: tick(db, post.clock.now())) for _ in range(6)))

    assert sorted(climbed) == [0, 0, 0, 0, 0, 4]


async def test_the_worker_climbs_by_itself_and_a_restart_changes_nothing(post: Post) -> None:
    await post.does(staff)
    await raised(post)
    worker = post.server.house.worker
    await worker.once()
    post.passes(minutes=3)
    await worker.once()
    again = await worker.once()

    assert again.counts.sent == 0
    rows = await post.asks(
        lambda db: db.execute(sa.select(letters.c.state).where(letters.c.plan == "alert")).scalars().all()
    )
    assert set(rows) == {"sent"}
    assert (await post.asks(lambda db: db.execute(sa.select(tasks.c.id)).all())) != []
