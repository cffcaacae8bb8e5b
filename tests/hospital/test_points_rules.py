"""What purchases earn and refunds take back, and that the ledger holds."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from bot.hospital import points
from storage.tables import points_entries
from tests.hospital import files
from tests.shell import Shell

AT = datetime(2026, 11, 18, 2, 0, tzinfo=UTC)
AMOUNTS = st.decimals(Decimal("0.01"), Decimal(100_000), places=2)


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        ("0", 0),
        ("0.99", 0),
        ("1", 1),
        ("999.99", 999),
        ("10000", 10_000),
        ("10000.01", 10_500),
        ("10001", 10_501),
        ("11762", 12_350),
        ("30000", 31_500),
        ("30000.01", 32_100),
        ("30001", 32_101),
        # 1.07 × 100,000 in floating point is 107000.00000000001; 1.05 × 28,180 falls short of 29,589.
        ("28180", 29_589),
        ("100000", 107_000),
    ],
)
def test_what_a_purchase_earns(amount: str, expected: int) -> None:
    assert points.earned(Decimal(amount)) == expected


@given(AMOUNTS, st.lists(st.decimals(0, 1, places=3), min_size=1, max_size=6))
def test_refunded_in_parts_a_purchase_has_earned_nothing(amount: Decimal, cuts: list[Decimal]) -> None:
    marks = sorted({*((amount * cut).quantize(Decimal("0.01")) for cut in cuts), amount})
    taken = [points.part_earned(mark, amount) for mark in marks]
    assert taken == sorted(taken)
    assert taken[-1] == points.earned(amount)


def hospital(xiaohu: Shell) -> None:
    xiaohu.imports(patients=files.PATIENTS)


def buy(xiaohu: Shell, code: str, amount: str, patient: str = "P1") -> points.Recorded:
    return xiaohu.ask(lambda db: points.record_purchase(db, code, patient, Decimal(amount), AT))


def refund(xiaohu: Shell, code: str, purchase: str, amount: str) -> points.Recorded:
    return xiaohu.ask(lambda db: points.record_refund(db, code, purchase, Decimal(amount), AT))


def spend(xiaohu: Shell, change: int) -> int:
    return xiaohu.ask(lambda db: points.append(db, "P1", change, "兑换", AT))


def test_a_purchase_is_recorded_once(xiaohu: Shell) -> None:
    hospital(xiaohu)
    assert buy(xiaohu, "B1", "10001") == points.Recorded("B1", 10_501, 10_501, is_new=True)
    assert buy(xiaohu, "B1", "10001") == points.Recorded("B1", 10_501, 10_501, is_new=False)
    assert [(row["change"], row["balance"]) for row in xiaohu.shows("points")] == [(10_501, 10_501)]


def test_a_purchase_of_the_api_is_not_earned_again_by_the_file(xiaohu: Shell) -> None:
    hospital(xiaohu)
    buy(xiaohu, "B1", "100")
    for text in ("B1,P1,2026-01-01T08:00,,消费 100\n", "B1,P1,2026-01-01T08:00,250,消费 250\n"):
        xiaohu.imports(points=f"{files.POINTS_COLUMNS}\n{text}")
    assert [row["change"] for row in xiaohu.shows("points")] == [100]


def test_a_purchase_of_the_file_is_not_earned_again_by_the_api(xiaohu: Shell) -> None:
    hospital(xiaohu)
    xiaohu.imports(points=f"{files.POINTS_COLUMNS}\nB1,P1,2026-01-01T08:00,,消费 30000.01\n")
    assert buy(xiaohu, "B1", "5") == points.Recorded("B1", 32_100, 32_100, is_new=False)
    assert refund(xiaohu, "R1", "B1", "30000.01").balance == 0


def test_refunds_take_back_what_their_part_earned(xiaohu: Shell) -> None:
    hospital(xiaohu)
    buy(xiaohu, "B1", "30001")
    assert refund(xiaohu, "R1", "B1", "10000.50").change == -10_700
    assert refund(xiaohu, "R1", "B1", "10000.50").is_new is False
    assert refund(xiaohu, "R2", "B1", "20000.50") == points.Recorded("R2", -21_401, 0, is_new=True)
    with pytest.raises(points.RefundTooLarge):
        refund(xiaohu, "R3", "B1", "0.01")
    with pytest.raises(points.UnknownPurchase):
        refund(xiaohu, "R4", "B2", "1")


def test_points_that_are_spent_already_are_owed(xiaohu: Shell) -> None:
    hospital(xiaohu)
    buy(xiaohu, "B1", "1000")
    assert spend(xiaohu, -700) == 300
    assert refund(xiaohu, "R1", "B1", "1000") == points.Recorded("R1", -1000, 0, is_new=True)
    assert buy(xiaohu, "B2", "500").balance == 0
    xiaohu.imports(points=f"{files.POINTS_COLUMNS}\nT1,P1,2026-12-01T08:00,250,赠送\n")
    assert [row["balance"] for row in xiaohu.shows("points")][-1] == 50
    assert min(row["balance"] for row in xiaohu.shows("points")) >= 0


def test_the_ledger_never_falls_below_zero(xiaohu: Shell) -> None:
    hospital(xiaohu)
    buy(xiaohu, "B1", "100")
    with pytest.raises(points.NotEnoughPoints):
        spend(xiaohu, -101)
    assert spend(xiaohu, -100) == 0


def test_nobody_earns_who_is_not_a_patient(xiaohu: Shell) -> None:
    with pytest.raises(points.UnknownPatient):
        buy(xiaohu, "B1", "100", patient="P404")


def test_a_corrected_line_is_a_line_of_its_own(xiaohu: Shell) -> None:
    hospital(xiaohu)
    for change in ("100", "150", "150", "120"):
        xiaohu.imports(points=f"{files.POINTS_COLUMNS}\nT1,P1,2026-01-01T08:00,{change},开户赠送\n")
    assert [(row["change"], row["balance"]) for row in xiaohu.shows("points")] == [
        (100, 100),
        (50, 150),
        (-30, 120),
    ]


def test_visits_never_earn(xiaohu: Shell) -> None:
    xiaohu.imports(**(files.FILES | {"points": files.POINTS_COLUMNS + "\n"}))
    assert xiaohu.ask(lambda db: db.execute(sa.select(points_entries)).all()) == []
