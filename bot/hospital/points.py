"""Points: what a purchase earns, what a refund takes back, and a ledger that is only ever added to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal

import sqlalchemy as sa

from storage.queries import loyalty, points

# Over so many yuan, every yuan of the purchase earns so much. contract.md §5.
TIERS = ((Decimal(30_000), Decimal("1.07")), (Decimal(10_000), Decimal("1.05")))


class UnknownPatient(Exception):
    """The hospital knows no patient of that code."""


class UnknownPurchase(Exception):
    """A refund names a purchase that was never recorded."""


class RefundTooLarge(Exception):
    """More would be given back than was paid."""


class NotEnoughPoints(Exception):
    """The ledger would fall below zero."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a purchase or a refund did to the ledger, and where it stands now."""

    code: str
    change: int  # points earned, or taken back (negative)
    balance: int
    is_new: bool  # False: it was known already, and this call changed nothing


def earned(amount: Decimal) -> int:
    """Whole points for a purchase of so many yuan, rounded down.

    >>> earned(Decimal("10000")), earned(Decimal("10000.01")), earned(Decimal("30000.01"))
    (10000, 10500, 32100)
    """
    return part_earned(amount, amount)


def part_earned(part: Decimal, whole: Decimal) -> int:
    """What a part of a purchase earned: at the rate of the whole."""
    return int((part * rate(whole)).to_integral_value(ROUND_FLOOR))


def rate(amount: Decimal) -> Decimal:
    """Points for each yuan of a purchase of so many yuan."""
    return next((rate for over, rate in TIERS if amount > over), Decimal(1))


def balance(db: sa.Connection, patient_code: str) -> int:
    """The sum of the patient's ledger."""
    return points.balance(db, patient_code)


def cents(amount: Decimal) -> int:
    """Yuan in whole cents.

    Raises:
        ValueError: more than two decimals.
    """
    scaled = amount * 100
    if scaled != scaled.to_integral_value():
        raise ValueError(f"{amount}: more than two decimals")
    return int(scaled)


def append(
    db: sa.Connection, patient_code: str, change: int, reason: str, at: datetime, code: str | None = None
) -> int:
    """Add a line to the ledger; the new balance. Who earns while owing for a refund repays first.

    Raises:
        UnknownPatient: there is no such patient.
        NotEnoughPoints: the line would take more than there is; nothing was written.
    """
    lock(db, patient_code)
    if change < 0 and points.balance(db, patient_code) + change < 0:
        raise NotEnoughPoints
    points.add_entry(db, code=code, patient_code=patient_code, at=at, change=change, reason=reason)
    repay(db, patient_code, at)
    return points.balance(db, patient_code)


def record_purchase(
    db: sa.Connection, code: str, patient_code: str, amount: Decimal, at: datetime
) -> Recorded:
    """A purchase earns its points. The same code again, by whatever door, changes nothing.

    Raises:
        UnknownPatient: there is no such patient.
    """
    lock(db, patient_code)
    change = earned(amount)
    known = points.entry(db, code)
    if known is not None:
        return Recorded(code, known.change, points.balance(db, known.patient_code), is_new=False)
    points.add_purchase(
        db, code=code, patient_code=patient_code, amount_cents=cents(amount), at=at, earned=change
    )
    points.add_entry(
        db, code=code, patient_code=patient_code, at=at, change=change, reason=f"消费 {amount:.2f}"
    )
    repay(db, patient_code, at)
    return Recorded(code, change, points.balance(db, patient_code), is_new=True)


def record_refund(
    db: sa.Connection, code: str, purchase_code: str, amount: Decimal, at: datetime
) -> Recorded:
    """A refund takes back exactly what its part of the purchase earned.

    Rounded down over all refunds of the purchase together, so that in however many parts the money is
    returned, a purchase that is wholly refunded has earned nothing. Points that are spent already are
    owed, and are taken from the next ones.

    Raises:
        UnknownPurchase: there is no such purchase.
        RefundTooLarge: the refunds would exceed the purchase.
    """
    bought = points.lock_purchase(db, purchase_code)
    if bought is None:
        raise UnknownPurchase(purchase_code)
    lock(db, bought.patient_code)
    known = points.refund(db, code)
    if known is not None:
        return Recorded(code, -known.taken_back, points.balance(db, bought.patient_code), is_new=False)
    refunded = bought.refunded_cents + cents(amount)
    if refunded > bought.amount_cents:
        raise RefundTooLarge(purchase_code)
    due = part_earned(Decimal(refunded) / 100, Decimal(bought.amount_cents) / 100) - bought.taken_back
    points.add_refund(db, code=code, purchase_code=purchase_code, amount=cents(amount), at=at, due=due)
    repay(db, bought.patient_code, at)
    return Recorded(code, -due, points.balance(db, bought.patient_code), is_new=True)


def repay(db: sa.Connection, patient_code: str, at: datetime) -> None:
    """Take what refunds still claim, as far as the balance goes; not what is promised to somebody."""
    for refund in points.unpaid_refunds(db, patient_code):
        # Not before the points it takes, whenever those are dated.
        at = max(at, points.newest_moment(db, patient_code) or at)
        free = points.balance(db, patient_code) - loyalty.reserved(db, patient_code)
        part = min(refund.taken_back - refund.recovered, free)
        if part <= 0:
            return
        points.add_entry(
            db,
            code=refund.code if refund.recovered == 0 else None,
            patient_code=patient_code,
            at=at,
            change=-part,
            reason=f"退款 {Decimal(refund.amount_cents) / 100:.2f}",
        )
        points.change_refund(db, refund.code, recovered=refund.recovered + part)


def lock(db: sa.Connection, patient_code: str) -> None:
    """Nobody else writes to this ledger until the transaction ends.

    Raises:
        UnknownPatient: there is no such patient.
    """
    if not points.lock_ledger(db, patient_code):
        raise UnknownPatient(patient_code)
