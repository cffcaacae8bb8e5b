"""The ledger of points, purchases and refunds."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from storage.dialect import lock_row
from storage.rows import Row, Rows
from storage.tables import patients, points_entries, purchases, refunds


def lock_ledger(connection: sa.Connection, patient_code: str) -> bool:
    """Whether the patient exists; if so, nobody else writes to the ledger until this transaction ends."""
    return lock_row(connection, sa.select(patients.c.code).where(patients.c.code == patient_code)) is not None


def balance(connection: sa.Connection, patient_code: str) -> int:
    """The sum of a patient's ledger."""
    total = connection.execute(
        sa.select(sa.func.coalesce(sa.func.sum(points_entries.c.change), 0)).where(
            points_entries.c.patient_code == patient_code
        )
    ).scalar_one()
    return int(total)


def newest_moment(connection: sa.Connection, patient_code: str) -> datetime | None:
    """When the ledger's last line was written."""
    newest: datetime | None = connection.execute(
        sa.select(sa.func.max(points_entries.c.at)).where(points_entries.c.patient_code == patient_code)
    ).scalar()
    return newest


def entry(connection: sa.Connection, code: str) -> Row | None:
    """The ledger's line of that code."""
    return connection.execute(sa.select(points_entries).where(points_entries.c.code == code)).first()


def add_entry(connection: sa.Connection, **values: Any) -> None:
    """One more line."""
    connection.execute(points_entries.insert().values(**values))


def add_purchase(connection: sa.Connection, **values: Any) -> None:
    """One more purchase."""
    connection.execute(purchases.insert().values(**values))


def lock_purchase(connection: sa.Connection, code: str) -> Row | None:
    """A purchase that nobody else refunds until this transaction ends."""
    return lock_row(connection, sa.select(purchases).where(purchases.c.code == code))


def refund(connection: sa.Connection, code: str) -> Row | None:
    """The refund of that code."""
    return connection.execute(sa.select(refunds).where(refunds.c.code == code)).first()


def add_refund(
    connection: sa.Connection, *, code: str, purchase_code: str, amount: int, at: datetime, due: int
) -> None:
    """One more refund of so many cents, which claims `due` points back."""
    connection.execute(
        refunds.insert().values(
            code=code, purchase_code=purchase_code, amount_cents=amount, at=at, taken_back=due
        )
    )
    connection.execute(
        purchases.update()
        .where(purchases.c.code == purchase_code)
        .values(refunded_cents=purchases.c.refunded_cents + amount, taken_back=purchases.c.taken_back + due)
    )


def unpaid_refunds(connection: sa.Connection, patient_code: str) -> Rows:
    """Refunds that claim more points than were there, oldest first."""
    return connection.execute(
        sa.select(refunds)
        .join(purchases, purchases.c.code == refunds.c.purchase_code)
        .where(purchases.c.patient_code == patient_code, refunds.c.recovered < refunds.c.taken_back)
        .order_by(refunds.c.at, refunds.c.code)
    ).all()


def change_refund(connection: sa.Connection, code: str, **values: Any) -> None:
    """More of a refund's points came back."""
    connection.execute(refunds.update().where(refunds.c.code == code).values(**values))
