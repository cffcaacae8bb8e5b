"""What a patient is worth to the hospital in money: value tiers, and recency, frequency, amount (RFM)."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import sqlalchemy as sa

from storage.queries import tiers

WINDOW = timedelta(days=365)
# The best hundredth, twentieth, fifth of all patients. contract.md §5.
SHARES = ((1, "VIP"), (5, "main"), (20, "normal"))
REST = "small"


@dataclass(frozen=True, slots=True)
class Value:
    """One patient's standing on a day."""

    patient: str
    amount: Decimal  # yuan, of the visits in the last 365 days
    recency_days: int | None  # since the last visit ever; None: never came
    frequency: int  # visits in the last 365 days
    r: int  # 1 … 5, 5 is best
    f: int
    m: int
    tier: str


def values(db: sa.Connection, today: date) -> list[Value]:
    """Every patient's standing, by code.

    Visits count that took place, in the 365 days that end today. R, F and M are quintiles: 5 is the
    best fifth of all patients. As in the tiers, who is equal gets the better score; who never came
    gets R 1, who did not come in the window F 1, who paid nothing M 1.
    """
    rows = tiers.spending(db, today - WINDOW, today)
    days = [None if row.last is None else (today - row.last).days for row in rows]
    amounts = ranks([row.amount_cents for row in rows])
    frequencies = ranks([row.frequency for row in rows])
    recencies = ranks([-math.inf if since is None else -since for since in days])
    return [
        Value(
            patient=row.code,
            amount=Decimal(row.amount_cents) / 100,
            recency_days=since,
            frequency=row.frequency,
            r=1 if since is None else quintile(recency, len(rows)),
            f=quintile(frequency, len(rows)) if row.frequency else 1,
            m=quintile(amount, len(rows)) if row.amount_cents else 1,
            tier=tier(amount, len(rows)),
        )
        for row, since, amount, frequency, recency in zip(
            rows, days, amounts, frequencies, recencies, strict=True
        )
    ]


def ranks(numbers: Sequence[float]) -> list[int]:
    """Each number's place, the highest being 1; equal ones share the better place.

    >>> ranks([10, 30, 20, 30])
    [4, 1, 3, 1]
    """
    descending = sorted(-number for number in numbers)
    return [bisect_left(descending, -number) + 1 for number in numbers]


def tier(rank: int, count: int) -> str:
    """The tier of a place among so many patients.

    >>> [tier(rank, 1000) for rank in (10, 11, 50, 51, 200, 201)]
    ['VIP', 'main', 'main', 'normal', 'normal', 'small']
    """
    # In whole numbers: 0.01 × 300 is 3.0000000000000004 in floating point, and its ceiling 4.
    return next((name for share, name in SHARES if rank <= -(-share * count // 100)), REST)


def quintile(rank: int, count: int) -> int:
    """The fifth of so many in which a place lies; 5 is the best.

    >>> [quintile(rank, 10) for rank in (1, 2, 3, 10)]
    [5, 5, 4, 1]
    """
    return 5 - (rank - 1) * 5 // count
