"""Bookings are closed by what the hospital's visits tell, and by nothing else too soon."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
import sqlalchemy as sa

from bot.hospital import attendance
from storage.tables import appointments, visits
from tests.chat import ZONE, Chat
from tests.hospital_folder import at, bound, open_hospital

FRIDAY = date(2026, 11, 20)


def visit(
    db: sa.Connection, code: str, patient: str, department: str, day: date, status: str = "done"
) -> None:
    row = {"code": code, "patient_code": patient, "department_code": department, "date": day}
    db.execute(visits.insert().values(**row, kind="outpatient", amount_cents=0, status=status))


def settled(moment: str) -> Callable[[sa.Connection], int]:
    now: datetime = at(moment)
    return lambda db: attendance.settle(db, now, ZONE)


@pytest.fixture
async def booked(chat: Chat) -> Chat:
    """P01 has 张建国, orthopaedics, on Friday at 08:30."""
    await chat.does(open_hospital)
    await chat.does(bound("oPatient", "P01"))
    await chat.reads("""
        患者 挂张建国周五上午
        患者 确认
        小护 预约成功
    """)
    return chat


async def status(chat: Chat) -> str:
    return await chat.asks(lambda db: db.execute(sa.select(appointments.c.status)).scalar_one())


@pytest.mark.parametrize(
    ("told", "becomes"), [("done", "done"), ("noshow", "noshow"), ("cancelled", "booked")]
)
async def test_the_visit_of_that_day_tells(booked: Chat, told: str, becomes: str) -> None:
    await booked.does(lambda db: visit(db, "V1", "P01", "GK", FRIDAY, told))
    await booked.does(settled("2026-11-20 18:00"))
    assert await status(booked) == becomes


async def test_a_visit_of_another_day_tells_nothing(booked: Chat) -> None:
    await booked.does(lambda db: visit(db, "V1", "P01", "GK", FRIDAY - timedelta(days=1)))
    await booked.does(settled("2026-11-20 18:00"))
    assert await status(booked) == "booked"


async def test_seen_elsewhere_in_the_house_is_seen(booked: Chat) -> None:
    await booked.does(lambda db: visit(db, "V1", "P01", "XH", FRIDAY))
    await booked.does(settled("2026-11-20 18:00"))
    assert await status(booked) == "done"


async def test_who_is_missing_from_a_day_that_was_told_did_not_come(booked: Chat) -> None:
    await booked.does(lambda db: visit(db, "V1", "P05", "GK", FRIDAY))
    await booked.does(settled("2026-11-21 09:00"))
    assert await status(booked) == "booked"  # more of Friday may follow
    await booked.does(lambda db: visit(db, "V2", "P05", "XH", FRIDAY + timedelta(days=1)))
    await booked.does(settled("2026-11-21 18:00"))
    assert await status(booked) == "noshow"


async def test_without_word_for_a_week_it_counts_as_come_to(booked: Chat) -> None:
    await booked.does(settled("2026-11-26 09:00"))
    assert await status(booked) == "booked"
    await booked.does(settled("2026-11-27 09:00"))
    assert await status(booked) == "done"


async def test_a_booking_to_come_stays(booked: Chat) -> None:
    await booked.does(lambda db: visit(db, "V1", "P05", "GK", FRIDAY))
    assert await booked.does(settled("2026-11-19 18:00")) == 0
    assert await status(booked) == "booked"
