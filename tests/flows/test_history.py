"""The checker of histories finds what is planted, and nothing in a clean one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from benchmarks.history import check
from storage.tables import letters, procedures, touches
from tests.chat import ZONE
from tests.flows.conftest import Ward, at

Fault = Callable[[sa.Connection], object]


def _sent() -> sa.Select[tuple[int]]:
    return sa.select(sa.func.min(letters.c.id)).where(letters.c.plan == "abdominal")


def lose(db: sa.Connection) -> None:
    db.execute(touches.delete().where(touches.c.step == "d1"))


def repeat(db: sa.Connection) -> None:
    row = dict(db.execute(sa.select(letters).where(letters.c.id == _sent().scalar_subquery())).one()._mapping)
    db.execute(letters.insert().values(**row | {"id": 900, "key": "again"}))


def send_late(db: sa.Connection) -> None:
    row = db.execute(sa.select(letters).where(letters.c.id == _sent().scalar_subquery())).one()
    db.execute(
        letters.update().where(letters.c.id == row.id).values(sent_at=row.useful_until + timedelta(hours=2))
    )


def send_to_a_stranger(db: sa.Connection) -> None:
    db.execute(letters.update().where(letters.c.plan == "abdominal").values(patient_code="P01"))


def send_at_night(db: sa.Connection) -> None:
    night = {"sent_at": at("2026-11-18 03:00")}
    db.execute(letters.update().where(letters.c.id == _sent().scalar_subquery()).values(**night))


def forget_a_cancellation(db: sa.Connection) -> None:
    db.execute(procedures.update().values(status="cancelled"))


def crowd(db: sa.Connection) -> None:
    row = dict(db.execute(sa.select(letters).where(letters.c.id == _sent().scalar_subquery())).one()._mapping)
    for number in range(5):
        moment = row["sent_at"] + timedelta(minutes=number)
        copy = {"id": 910 + number, "key": f"crowd{number}", "sent_at": moment, "created_at": moment}
        db.execute(letters.insert().values(**row | copy))


@pytest.fixture
async def lived(ward: Ward) -> Ward:
    """A week after an operation, every question answered."""
    await ward.operation(day="2026-11-17")
    for moment in ("2026-11-18 10:30", "2026-11-20 10:30", "2026-11-24 10:30"):
        await ward.looks(moment)
        await ward.does(
            lambda db: db.execute(touches.update().where(touches.c.state == "asked").values(state="answered"))
        )
    return ward


async def test_a_clean_history_has_no_faults(lived: Ward) -> None:
    found = await lived.asks(lambda db: check(db, ZONE))
    assert set(found.values()) == {0}
    assert len(await lived.steps()) == 3


@pytest.mark.parametrize(
    ("fault", "figure"),
    [
        (lose, "lost"),
        (repeat, "duplicate"),
        (send_late, "late"),
        (send_to_a_stranger, "wrong_person"),
        (send_at_night, "at_night"),
        (forget_a_cancellation, "after_cancelling"),
        (crowd, "too_many"),
    ],
)
async def test_a_planted_fault_is_found(lived: Ward, fault: Fault, figure: str) -> None:
    await lived.does(fault)
    found = await lived.asks(lambda db: check(db, ZONE))
    assert found[figure] > 0
