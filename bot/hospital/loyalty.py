"""Spending points and giving them away. What a purchase earns is in `points`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from bot.hospital import points
from storage.queries import loyalty
from storage.queries import points as ledger
from storage.rows import Row

UNANSWERED = timedelta(hours=48)  # then given points return


class OutOfStock(Exception):
    """Somebody else took the last one."""


class TransferSettled(Exception):
    """It was accepted, refused or has expired before."""


def available(db: sa.Connection, patient_code: str) -> int:
    """What may be spent: the balance without points on their way to somebody."""
    return points.balance(db, patient_code) - loyalty.reserved(db, patient_code)


def redeem(db: sa.Connection, now: datetime, patient_code: str, gift_code: str) -> tuple[str, Row]:
    """Take a gift for points; its DH number and the gift.

    Raises:
        OutOfStock: none is left.
        points.NotEnoughPoints: the points do not suffice.
    """
    ledger.lock_ledger(db, patient_code)
    gift = loyalty.lock_gift(db, gift_code)
    if gift is None or gift.stock < 1:
        raise OutOfStock
    if available(db, patient_code) < gift.points:
        raise points.NotEnoughPoints
    loyalty.take_gift(db, gift_code)
    row = loyalty.add_redemption(
        db,
        {
            "patient_code": patient_code,
            "gift_code": gift_code,
            "points": gift.points,
            "cash_cents": gift.cash_cents,
            "status": "registered",
            "at": now,
        },
    )
    number = f"DH{row:06d}"
    loyalty.number_redemption(db, row, number)
    points.append(db, patient_code, -gift.points, f"兑换 {number} {gift.name}", now, code=number)
    return number, gift


@dataclass(frozen=True, slots=True)
class Receiver:
    """The bound patient of a phone."""

    patient_code: str
    name: str
    language: str
    contact_id: int


def receiver(db: sa.Connection, phone_index: str) -> Receiver | None:
    """Who would receive points given to this phone; None when nobody bound has it, or more than one has."""
    rows = loyalty.patients_bound_by_phone(db, phone_index)
    if len({row.code for row in rows}) != 1:
        return None
    row = rows[0]
    return Receiver(row.code, row.name, row.language, row.contact_id)


def reserve(
    db: sa.Connection, now: datetime, *, giver_code: str, giver_contact_id: int, to: Receiver, amount: int
) -> int:
    """Put points aside for somebody until they answer; the transfer's number.

    Raises:
        points.NotEnoughPoints: the giver has fewer.
    """
    ledger.lock_ledger(db, giver_code)
    if available(db, giver_code) < amount:
        raise points.NotEnoughPoints
    return loyalty.add_transfer(
        db,
        {
            "giver_code": giver_code,
            "receiver_code": to.patient_code,
            "giver_contact_id": giver_contact_id,
            "amount": amount,
            "status": "reserved",
            "created_at": now,
            "expires_at": now + UNANSWERED,
        },
    )


def accept(db: sa.Connection, now: datetime, transfer_id: int) -> Row:
    """The receiver takes them; the transfer.

    Raises:
        TransferSettled: too late.
    """
    transfer = _living(db, now, transfer_id)
    for patient_code in sorted((transfer.giver_code, transfer.receiver_code)):  # one order: no deadlock
        ledger.lock_ledger(db, patient_code)
    loyalty.settle_transfer(db, transfer_id, "accepted", now)
    code = f"transfer:{transfer_id}"
    points.append(db, transfer.giver_code, -transfer.amount, "赠出积分", now, code=f"{code}:out")
    points.append(db, transfer.receiver_code, transfer.amount, "收到赠送积分", now, code=f"{code}:in")
    return transfer


def refuse(db: sa.Connection, now: datetime, transfer_id: int) -> Row:
    """The receiver does not want them: they return.

    Raises:
        TransferSettled: too late.
    """
    transfer = _living(db, now, transfer_id)
    loyalty.settle_transfer(db, transfer_id, "refused", now)
    return transfer


def expire(db: sa.Connection, now: datetime) -> int:
    """Points nobody accepted in 48 hours return; how many gifts of points that were."""
    rows = loyalty.overdue_transfers(db, now)
    for row in rows:
        loyalty.settle_transfer(db, row.id, "expired", now)
    return len(rows)


def _living(db: sa.Connection, now: datetime, transfer_id: int) -> Row:
    transfer = loyalty.lock_transfer(db, transfer_id)
    if transfer is None or transfer.status != "reserved" or transfer.expires_at <= now:
        raise TransferSettled
    return transfer
