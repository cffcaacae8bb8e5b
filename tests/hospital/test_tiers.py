"""Value tiers and RFM, from visits."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bot.hospital import tiers
from tests.hospital import files
from tests.shell import Shell

TODAY = date(2026, 11, 18)
VISITS = files.VISITS.splitlines()[0] + "\n"


def hospital(xiaohu: Shell, sums: list[str], *more: str) -> None:
    """Patients P0, P1, … with one visit of that sum each, ten days ago."""
    names = files.PATIENT_COLUMNS
    patients = "".join(f"P{number},张三,,,,,,,,,,,,,\n" for number in range(len(sums)))
    ten_days_ago = TODAY - timedelta(days=10)
    visits = "".join(
        f"V{number},P{number},,,{ten_days_ago},outpatient,{amount},,\n"
        for number, amount in enumerate(sums)
        if amount
    )
    xiaohu.imports(patients=f"{names}\n{patients}", visits=VISITS + visits + "".join(more))


def standing(xiaohu: Shell) -> dict[str, tiers.Value]:
    return {value.patient: value for value in xiaohu.ask(lambda db: tiers.values(db, TODAY))}


def test_a_thousand_patients(xiaohu: Shell) -> None:
    hospital(xiaohu, [str(number) for number in range(1, 1001)])
    assert Counter(value.tier for value in standing(xiaohu).values()) == {
        "VIP": 10,
        "main": 40,
        "normal": 150,
        "small": 800,
    }


def test_the_bounds_are_rounded_up_and_equal_sums_share_the_better_tier(xiaohu: Shell) -> None:
    hospital(xiaohu, ["500", "500", "400", "300", "300", "100", "100"])
    assert [value.tier for value in standing(xiaohu).values()] == [
        "VIP",
        "VIP",
        "small",
        "small",
        "small",
        "small",
        "small",
    ]


def test_what_counts_is_visits_that_took_place_in_the_last_365_days(xiaohu: Shell) -> None:
    hospital(
        xiaohu,
        ["", ""],
        "A,P0,,,2025-11-18,outpatient,1,,\n",  # 365 days ago: the day before the window
        "B,P0,,,2025-11-19,outpatient,10.50,,\n",
        "C,P0,,,2026-11-18,inpatient,100,,\n",
        "D,P0,,,2026-11-19,outpatient,1000,,booked\n",
        "E,P0,,,2026-11-01,outpatient,10000,,noshow\n",
        "F,P0,,,2026-11-01,outpatient,10000,,cancelled\n",
        "G,P0,,,2026-11-19,outpatient,10000,,done\n",  # tomorrow
        "H,P1,,,2025-01-01,outpatient,7,,\n",
    )
    first, second = standing(xiaohu).values()
    assert (str(first.amount), first.frequency, first.recency_days) == ("110.5", 2, 0)
    assert (str(second.amount), second.frequency, second.recency_days) == ("0", 0, 686)


def test_recency_frequency_and_amount_are_scored_by_fifths(xiaohu: Shell) -> None:
    rows = [
        f"X{number}-{turn},P{number},,,{TODAY - timedelta(days=number + 1)},outpatient,{100 - number},,\n"
        for number in range(5)
        for turn in range(5 - number)
    ]
    hospital(xiaohu, ["", "", "", "", ""], *rows)
    assert [(value.r, value.f, value.m) for value in standing(xiaohu).values()] == [
        (5, 5, 5),
        (4, 4, 4),
        (3, 3, 3),
        (2, 2, 2),
        (1, 1, 1),
    ]


def test_who_never_came_scores_one(xiaohu: Shell) -> None:
    hospital(xiaohu, ["100", ""])
    absent = standing(xiaohu)["P1"]
    assert (absent.r, absent.f, absent.m, absent.recency_days) == (1, 1, 1, None)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=300))
def test_who_spent_more_is_never_in_a_lower_tier(sums: list[int]) -> None:
    order = ["VIP", "main", "normal", "small"]
    places = [order.index(tiers.tier(rank, len(sums))) for rank in tiers.ranks(sums)]
    for (first, one), (second, other) in pairwise(zip(sums, places, strict=True)):
        assert (first - second) * (one - other) <= 0
    assert places[sums.index(max(sums))] == 0
