"""Gifts, redemptions, and points on their way from one patient to another."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from storage.dialect import lock_row
from storage.rows import Row, Rows
from storage.tables import bindings, contacts, gifts, patients, point_transfers, points_entries, redemptions


def newest_entries(connection: sa.Connection, patient_code: str, count: int) -> Rows:
    """The last lines of a patient's ledger, newest first."""
    return connection.execute(
        sa.select(points_entries)
        .where(points_entries.c.patient_code == patient_code)
        .order_by(points_entries.c.at.desc(), points_entries.c.id.desc())
        .limit(count)
    ).all()


def reserved(connection: sa.Connection, patient_code: str) -> int:
    """Points that were given away and not yet accepted."""
    amount: int = connection.execute(
        sa.select(sa.func.coalesce(sa.func.sum(point_transfers.c.amount), 0)).where(
            point_transfers.c.giver_code == patient_code, point_transfers.c.status == "reserved"
        )
    ).scalar_one()
    return int(amount)


def gifts_in_stock(connection: sa.Connection) -> Rows:
    """What can be had, cheapest first."""
    return connection.execute(
        sa.select(gifts).where(gifts.c.stock > 0).order_by(gifts.c.points, gifts.c.code)
    ).all()


def lock_gift(connection: sa.Connection, code: str) -> Row | None:
    """A gift that nobody else takes until this transaction ends."""
    return lock_row(connection, sa.select(gifts).where(gifts.c.code == code))


def take_gift(connection: sa.Connection, code: str) -> None:
    """One less in stock."""
    connection.execute(gifts.update().where(gifts.c.code == code).values(stock=gifts.c.stock - 1))


def add_redemption(connection: sa.Connection, values: Mapping[str, Any]) -> int:
    """A gift was redeemed; its row number, from which its public number is made."""
    number: int = connection.execute(
        redemptions.insert().values(**values).returning(redemptions.c.id)
    ).scalar_one()
    return number


def number_redemption(connection: sa.Connection, row: int, number: str) -> None:
    """Give it its public number."""
    connection.execute(redemptions.update().where(redemptions.c.id == row).values(number=number))


def patients_bound_by_phone(connection: sa.Connection, phone_index: str) -> Rows:
    """The patients with this phone who are themselves bound to WeChat, and by which contact."""
    return connection.execute(
        sa.select(
            patients.c.code,
            patients.c.name,
            patients.c.language,
            bindings.c.contact_id,
        )
        .join(bindings, bindings.c.patient_code == patients.c.code)
        .join(contacts, contacts.c.id == bindings.c.contact_id)
        .where(
            patients.c.phone_index == phone_index,
            patients.c.deceased_on.is_(None),
            bindings.c.relation == "self",
            bindings.c.ended_at.is_(None),
        )
        .order_by(bindings.c.id)
    ).all()


def add_transfer(connection: sa.Connection, values: Mapping[str, Any]) -> int:
    """Points leave their owner's hand."""
    number: int = connection.execute(
        point_transfers.insert().values(**values).returning(point_transfers.c.id)
    ).scalar_one()
    return number


def lock_transfer(connection: sa.Connection, transfer_id: int) -> Row | None:
    """A transfer that nobody else settles until this transaction ends."""
    return lock_row(connection, sa.select(point_transfers).where(point_transfers.c.id == transfer_id))


def settle_transfer(connection: sa.Connection, transfer_id: int, status: str, now: datetime) -> None:
    """Accepted, refused or expired."""
    connection.execute(
        point_transfers.update()
        .where(point_transfers.c.id == transfer_id)
        .values(status=status, settled_at=now)
    )


def overdue_transfers(connection: sa.Connection, now: datetime) -> Rows:
    """Points that nobody accepted in time."""
    return connection.execute(
        sa.select(point_transfers)
        .where(point_transfers.c.status == "reserved", point_transfers.c.expires_at <= now)
        .order_by(point_transfers.c.id)
        .with_for_update(skip_locked=True)
    ).all()
