"""`xiaohu worker`, as an operator runs it, and what happens by itself when its time has come."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.domain.letter import Purpose
from storage.queries.alerts import add_alert
from storage.tables import alerts, contacts, letters
from tests.hospital_folder import bound, open_hospital
from tests.outbox.conftest import Post, Street, at
from tests.outbox.test_postman import a_nurse
from tests.secret import SECRET


async def worker(database_url: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "bot", "worker", *arguments],
            env={
                "XIAOHU_ENV": "test",
                "XIAOHU_SECRET_KEY": SECRET,
                "XIAOHU_DATABASE_URL": database_url,
                **environment,
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return await asyncio.to_thread(run)


def line(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    [only] = done.stdout.splitlines()
    values: dict[str, Any] = json.loads(only)
    return values


NOTHING = {"planned": 0, "sent": 0, "suppressed": 0, "expired": 0, "failed": 0}


async def test_once_delivers_what_is_due_at_that_moment(
    post: Post, database_url: str, tmp_path: Path
) -> None:
    await post.does(open_hospital)
    await post.follower()
    await post.does(bound("oPatient", "P01"))
    tomorrow = at(10) + timedelta(days=1)
    for number in range(3):
        await post.owes(text=f"第{number}条", purpose=Purpose.CARE, patient_code="P01", not_before=tomorrow)
    await post.owes(text="过期", purpose=Purpose.CARE, not_before=tomorrow, useful_until=tomorrow)
    sms = tmp_path / "sms.jsonl"
    settings = {"XIAOHU_SMS__URL": sms.as_uri()}

    early = line(await worker(database_url, "--once", "--now", "2026-11-19T09:00", **settings))
    due = line(await worker(database_url, "--once", "--now", "2026-11-19T10:30", **settings))
    again = line(await worker(database_url, "--once", "--now", "2026-11-19T10:30", **settings))

    assert early == {"now": "2026-11-19T09:00:00+08:00", **NOTHING}
    assert due == {"now": "2026-11-19T10:30:00+08:00", **NOTHING, "sent": 3, "expired": 1}
    assert again == {"now": "2026-11-19T10:30:00+08:00", **NOTHING}
    sent = [json.loads(one) for one in sms.read_text().splitlines()]
    assert [(one["to"], one["kind"], one["at"][:16]) for one in sent] == [
        ("13800000001", "notice", "2026-11-19T02:30")
    ] * 3


async def test_another_now_is_refused_in_production(database_url: str) -> None:
    done = await worker(database_url, "--once", "--now", "2026-11-19T10:30", XIAOHU_ENV="production")

    assert done.returncode == 1
    assert "--now" in done.stderr


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("2026-11-19T10:30", "2026-11-19T10:30:00+08:00"),
        ("2026-11-19 10:30:05", "2026-11-19T10:30:05+08:00"),
        ("2026-11-19T02:30:00Z", "2026-11-19T10:30:00+08:00"),
        ("2026-11-19", "2026-11-19T00:00:00+08:00"),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_moment_without_an_offset_is_local(database_url: str, given: str, read: str) -> None:
    assert line(await worker(database_url, "--once", "--now", given))["now"] == read


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_is_no_moment_is_wrong_usage(database_url: str) -> None:
    done = await worker(database_url, "--once", "--now", "tomorrow")
    assert (done.returncode, "2026-11-18T10:30" in done.stderr) == (2, True)


async def test_a_running_worker_delivers_by_itself(post: Post) -> None:
    patient = await post.follower()
    await patient.says("你好")
    post.server.house.worker.start()
    await post.owes(text="稍后的消息")

    await patient.receives("稍后的消息", within=20)


async def test_a_woken_worker_does_not_wait_for_the_tick(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.outbox.worker.EVERY", 3600)
    patient = await post.follower()
    await patient.says("你好")
    post.server.house.worker.start()
    for number in range(5):
        await post.owes(text=f"消息{number}")
        post.server.house.worker.wake()
        await patient.receives(f"消息{number}", within=20)


async def test_a_worker_that_is_stopped_finishes_what_it_began(post: Post) -> None:
    for number in range(30):
        patient = await post.follower(f"oPatient{number}")
        await patient.says("你好")
        await post.owes(f"oPatient{number}", text=f"消息{number}")
    worker = post.server.house.worker
    worker.start()
    worker.wake()
    await post.platform.user("oPatient0").receives("消息0", within=20)

    await worker.stop()

    states = await post.asks(lambda db: db.execute(sa.select(letters.c.state)).scalars().all())
    assert set(states) <= {"sent", "queued"}  # nothing hangs between


async def test_two_running_workers_say_everything_once(street: Street) -> None:
    post = await street.opens()
    other = await street.opens(XIAOHU_WECHAT__API_BASE=f"{post.platform.base_url}/api")
    patient = await post.follower()
    await patient.says("你好")
    post.server.house.worker.start()
    other.server.house.worker.start()
    for number in range(5):
        await post.owes(text=f"消息{number}")
    await patient.receives("消息4", within=20)

    assert [bubble.text for bubble in patient.screen if "消息" in bubble.text] == [
        f"消息{number}" for number in range(5)
    ]


def asking(db: sa.Connection, until: datetime) -> int:
    """A patient was asked whether it is happening now."""
    contact_id = db.execute(sa.select(contacts.c.id)).scalar_one()
    row = {"at": at(9), "contact_id": contact_id, "level": "E", "concept": "C01", "status": "asking"}
    return add_alert(db, {**row, "next_rung_at": until})


async def test_a_safety_check_nobody_answers_counts_as_happening(post: Post) -> None:
    await post.does(a_nurse("nurse1", "13900000001"))
    await post.follower()
    patience = post.clock.now() + timedelta(minutes=3)
    number = await post.does(lambda db: asking(db, until=patience))
    assert (await post.server.house.worker.once()).counts.sent == 0

    post.clock.moment = patience
    summary = await post.server.house.worker.once()

    assert summary.planned == 0
    assert summary.counts.sent >= 1
    alert = await post.asks(lambda db: db.execute(sa.select(alerts).where(alerts.c.id == number)).one())
    assert alert.status == "open"
    assert "警报" in post.platform.wecom.member("nurse1").screen
    sent = await post.asks(lambda db: db.execute(sa.select(letters).where(letters.c.plan == "alert")).all())
    assert {row.state for row in sent} == {"sent"}
