"""The rules of booking under load: many at once on a real database, through the rules themselves."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from bot.domain.patient import Patient
from bot.hospital import appointments, waiting_list
from bot.hospital.appointments import Booking, Reason, Refused
from storage.database import Database
from storage.tables import appointments as table
from storage.tables import patients, slots
from tests.hospital_folder import ZONE, add_slot, at, contact, open_hospital, slot_code

NOW = at("2026-11-18 10:00")
EVENING = "evening"


@pytest.fixture
async def hospital(database: Database) -> Database:
    await database.write(open_hospital)
    await database.write(add_slot("D01", "2026-11-19 19:00", code=EVENING))
    return database


def booking(
    patient: str, slot: str, *, relation: str = "self", now: datetime = NOW
) -> Callable[[sa.Connection], str]:
    """Book; the number, or why not."""

    def book(db: sa.Connection) -> str:
        try:
            booked = appointments.book(
                db,
                now,
                ZONE,
                patient=Patient(patient, "某人"),
                relation=relation,
                slot_code=slot,
                contact_id=contact(db, f"o{patient}"),
            )
        except Refused as refused:
            return refused.reason.value
        return booked.number

    return book


def joining(patient: str, slot: str = EVENING) -> Callable[[sa.Connection], int]:
    def join(db: sa.Connection) -> int:
        return waiting_list.join(
            db,
            NOW,
            ZONE,
            patient=Patient(patient, "某人"),
            relation="self",
            slot_code=slot,
            contact_id=contact(db, f"o{patient}"),
        )

    return join


def told(_db: sa.Connection, _kept: Booking, _now: datetime) -> bool:
    return True


async def everybody(database: Database, count: int) -> list[str]:
    codes = [f"N{number:03d}" for number in range(count)]

    def add(db: sa.Connection) -> None:
        db.execute(patients.insert(), [{"code": code, "name": "甲乙", "sex": "F"} for code in codes])
        for code in codes:
            contact(db, f"o{code}")

    await database.write(add)
    return codes


async def taken(database: Database, slot: str) -> Counter[str]:
    query = sa.select(table.c.status).where(table.c.slot_code == slot)
    return Counter(await database.read(lambda db: db.execute(query).scalars().all()))


async def test_two_hundred_at_once_for_one_place(hospital: Database) -> None:
    codes = await everybody(hospital, 200)
    answers = await asyncio.gather(*(hospital.write(booking(code, EVENING)) for code in codes))
    assert Counter(answer.startswith("YY") for answer in answers) == {True: 1, False: 199}
    assert set(answers) - {"full"} == {answer for answer in answers if answer.startswith("YY")}
    assert await taken(hospital, EVENING) == {"booked": 1}


async def test_one_patient_asking_from_everywhere_at_once_keeps_the_limits(hospital: Database) -> None:
    wanted = [
        slot_code(doctor, start)
        for doctor, start in (
            ("D01", "2026-11-20 08:30"),
            ("D01", "2026-11-20 09:30"),
            ("D03", "2026-11-20 08:30"),
            ("D04", "2026-11-20 08:30"),
            ("D06", "2026-11-20 14:00"),
            ("D08", "2026-11-20 08:30"),
            ("D11", "2026-11-20 14:00"),
        )
    ]
    await hospital.write(lambda db: contact(db, "oP01"))
    await asyncio.gather(*(hospital.write(booking("P01", slot)) for slot in wanted * 3))
    rows = await hospital.read(lambda db: db.execute(sa.select(table)).all())
    assert len(rows) == 3
    assert len({row.doctor_code for row in rows}) == 3


async def test_movers_cross_without_waiting_in_a_circle(hospital: Database) -> None:
    """Two patients take each other's full time: neither can, neither loses their own."""
    await hospital.write(add_slot("D01", "2026-11-26 19:00", code="other"))
    first, second = await everybody(hospital, 2)
    await hospital.write(booking(first, EVENING))
    await hospital.write(booking(second, "other"))

    def moving(patient: str, number: int, slot: str) -> Callable[[sa.Connection], str]:
        def move(db: sa.Connection) -> str:
            try:
                appointments.move(
                    db,
                    NOW,
                    ZONE,
                    patient=Patient(patient, "某人"),
                    relation="self",
                    appointment_id=number,
                    slot_code=slot,
                )
            except Refused as refused:
                return refused.reason.value
            return "moved"

        return move

    found = await asyncio.gather(
        *(
            hospital.write(query)
            for query in (moving(first, 1, "other"), moving(second, 2, EVENING))
            for _ in range(10)
        )
    )
    assert set(found) == {"full"}
    assert await taken(hospital, EVENING) == {"booked": 1}
    assert await taken(hospital, "other") == {"booked": 1}


async def test_many_clocks_tick_at_once_and_one_place_is_offered_once(hospital: Database) -> None:
    first, *rest = await everybody(hospital, 6)
    await hospital.write(booking(first, EVENING))
    for code in rest:
        await hospital.write(joining(code))
    await hospital.write(lambda db: appointments.cancel(db, NOW, 1, first))
    offered = await asyncio.gather(
        *(hospital.write(lambda db: waiting_list.tick(db, NOW, told)) for _ in range(8))
    )
    assert sum(offered) == 1
    assert await taken(hospital, EVENING) == {"cancelled": 1, "held": 1, "waiting": 4}


async def test_who_waits_is_served_in_order_and_nobody_pushes_in(hospital: Database) -> None:
    first, second, third, stranger = await everybody(hospital, 4)
    await hospital.write(booking(first, EVENING))
    assert await hospital.write(joining(second)) == 1
    assert await hospital.write(joining(third)) == 2
    await hospital.write(lambda db: appointments.cancel(db, NOW, 1, first))
    assert await hospital.write(booking(stranger, EVENING)) == "full"
    assert await hospital.write(booking(third, EVENING)) == "full"
    await hospital.write(lambda db: waiting_list.tick(db, NOW, told))
    kept = await hospital.read(lambda db: appointments.offered(db, NOW, [second, third]))
    assert [one.patient_code for one in kept] == [second]


@pytest.mark.parametrize(
    ("patient", "slot", "relation", "now", "reason"),
    [
        ("P08", EVENING, "parent", NOW, Reason.NOBODY),
        ("nobody", EVENING, "self", NOW, Reason.NOBODY),
        ("P02", EVENING, "self", NOW, Reason.GUARDIAN),
        ("P01", "nowhere", "self", NOW, Reason.GONE),
        ("P01", EVENING, "self", at("2026-11-19 18:31"), Reason.LATE),
        ("P01", EVENING, "self", at("2026-11-19 20:00"), Reason.LATE),
    ],
)
async def test_refused(
    hospital: Database, patient: str, slot: str, relation: str, now: datetime, reason: Reason
) -> None:
    assert await hospital.write(booking(patient, slot, relation=relation, now=now)) == reason.value


@pytest.mark.parametrize("patient", ["P02", "P04"])
async def test_until_the_last_minute_and_for_children_by_their_parents(
    hospital: Database, patient: str
) -> None:
    relation = "child" if patient == "P02" else "self"
    last_minute = at("2026-11-19 18:30")
    assert await hospital.write(booking(patient, EVENING, relation=relation, now=last_minute)) == "YY000001"


async def test_a_lowered_capacity_cancels_nothing_and_gives_nothing_away(hospital: Database) -> None:
    slot = slot_code("D01", "2026-11-20 08:30")
    assert (await hospital.write(booking("P01", slot))).startswith("YY")
    assert (await hospital.write(booking("P05", slot))).startswith("YY")
    await hospital.write(lambda db: db.execute(slots.update().where(slots.c.code == slot).values(capacity=1)))
    await hospital.write(lambda db: appointments.cancel(db, NOW, 1, "P01"))
    assert await hospital.write(booking("P07", slot)) == "full"
    assert await taken(hospital, slot) == {"booked": 1, "cancelled": 1}


@pytest.mark.parametrize(
    ("moment", "half"),
    [
        ("2026-11-19 00:00", ("2026-11-19", False)),
        ("2026-11-19 11:59", ("2026-11-19", False)),
        ("2026-11-19 12:00", ("2026-11-19", True)),
        ("2026-11-19 23:59", ("2026-11-19", True)),
    ],
)
def test_half_days_part_at_the_hospitals_noon(moment: str, half: tuple[str, bool]) -> None:
    assert appointments.half_day(at(moment).astimezone(UTC), ZONE) == half
