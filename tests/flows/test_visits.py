"""Reminders of bookings, answered by coming, cancelling and moving; and who did not come."""

from __future__ import annotations

import sqlalchemy as sa

from bot.domain.patient import Patient
from bot.hospital import appointments as booking
from bot.hospital import attendance
from storage.tables import appointments, visits
from tests.chat import ZONE
from tests.flows.conftest import Ward, at
from tests.hospital_folder import contact, slot_code


async def books(ward: Ward, start: str = "2026-11-20 08:30", doctor: str = "D03") -> int:
    """P05 books; the booking's number in the table."""

    def book(db: sa.Connection) -> int:
        return booking.book(
            db,
            ward.clock.now(),
            ZONE,
            patient=Patient("P05", "许静怡"),
            relation="self",
            slot_code=slot_code(doctor, start),
            contact_id=contact(db, "oPatient"),
        ).id

    return await ward.does(book)


async def status(ward: Ward) -> list[str]:
    rows = await ward.asks(lambda db: db.execute(sa.select(appointments.c.status)).all())
    return [row.status for row in rows]


async def test_the_day_before_and_two_hours_before(ward: Ward) -> None:
    await books(ward)
    await ward.looks("2026-11-19 10:30")
    assert await ward.steps() == ["visit/t1d"]
    text = await ward.last_text()
    assert "11月20日 周五 08:30" in text
    assert "骨科" in text
    assert "到时见" in await ward.says("1")
    await ward.looks("2026-11-20 06:30")
    assert await ward.steps() == ["visit/t1d", "visit/t2h"]


async def test_two_in_answer_cancels_the_booking(ward: Ward) -> None:
    await books(ward)
    await ward.looks("2026-11-19 10:30")
    assert "已取消" in await ward.says("2")
    assert await status(ward) == ["cancelled"]
    await ward.looks("2026-11-20 06:30")
    assert await ward.steps() == ["visit/t1d"]


async def test_the_word_cancel_means_the_booking(ward: Ward) -> None:
    await books(ward)
    await ward.looks("2026-11-19 10:30")
    assert "已取消" in await ward.says("取消")
    assert await status(ward) == ["cancelled"]


async def test_three_in_answer_moves_it(ward: Ward) -> None:
    await books(ward)
    await ward.looks("2026-11-19 10:30")
    assert await ward.says("3") != ""
    assert await status(ward) == ["booked"]


async def test_a_cancelled_booking_is_not_reminded_of(ward: Ward) -> None:
    number = await books(ward)
    await ward.looks("2026-11-18 12:00")
    await ward.does(lambda db: booking.cancel(db, ward.clock.now(), number, "P05"))
    await ward.looks("2026-11-19 10:30")
    assert await ward.steps() == []


async def test_a_moved_booking_is_reminded_of_at_its_new_time(ward: Ward) -> None:
    number = await books(ward)
    await ward.looks("2026-11-18 12:00")

    def move(db: sa.Connection) -> None:
        booking.move(
            db,
            ward.clock.now(),
            ZONE,
            patient=Patient("P05", "许静怡"),
            relation="self",
            appointment_id=number,
            slot_code=slot_code("D03", "2026-11-24 14:00"),
        )

    await ward.does(move)
    await ward.looks("2026-11-19 10:30")
    assert await ward.steps() == []
    await ward.looks("2026-11-23 10:30")
    assert await ward.steps() == ["visit/t1d"]


async def test_who_did_not_come_is_asked_whether_to_book_anew(ward: Ward) -> None:
    await books(ward)
    await ward.looks("2026-11-18 12:00")
    await ward.does(lambda db: db.execute(appointments.update().values(status="noshow")))
    await ward.looks("2026-11-21 10:30")
    assert await ward.steps() == ["missed/rebook"]
    assert "科室" in await ward.says("1")


async def test_care_opt_out_leaves_reminders(ward: Ward) -> None:
    await books(ward)
    await ward.says("停止随访")
    await ward.looks("2026-11-19 10:30")
    assert await ward.steps() == ["visit/t1d"]


async def test_who_booked_for_tomorrow_is_not_reminded_at_once(ward: Ward) -> None:
    ward.clock.moment = at("2026-11-19 15:00")
    await books(ward)
    await ward.looks("2026-11-19 15:01")
    assert await ward.steps() == []
    await ward.looks("2026-11-20 06:30")
    assert await ward.steps() == ["visit/t2h"]


async def test_a_missed_booking_and_the_visit_that_says_so_are_asked_about_once(ward: Ward) -> None:
    await books(ward)
    await ward.looks("2026-11-18 12:00")
    booking = await ward.asks(lambda db: db.execute(sa.select(appointments)).one())
    row = {"code": "V9", "patient_code": booking.patient_code, "department_code": booking.department_code}
    day = booking.start_at.astimezone(ZONE).date()
    await ward.imports(visits, **row, kind="outpatient", date=day, amount_cents=0, status="noshow")
    await ward.does(lambda db: attendance.settle(db, at(f"{day} 20:00"), ZONE))
    await ward.looks("2026-11-21 10:30")
    assert await ward.steps() == ["missed_visit/rebook"]
