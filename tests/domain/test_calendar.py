"""The Chinese calendar against known dates."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.calendar import (
    InvalidNotice,
    LunarDate,
    WorkCalendar,
    add_workdays,
    birthday_in,
    festival_dates,
    holidays,
    is_birthday,
    is_workday,
    leap_month,
    lunar_to_solar,
    next_holiday,
    read_notices,
    solar_to_lunar,
)

D = date.fromisoformat
lunar_days = st.dates(date(1900, 1, 31), date(2099, 12, 31))


@pytest.mark.parametrize(
    ("solar", "lunar"),
    [
        ("2026-02-17", LunarDate(2026, 1, 1)),
        ("2026-03-18", LunarDate(2026, 1, 30)),
        ("2026-11-18", LunarDate(2026, 10, 10)),
        ("2025-07-25", LunarDate(2025, 6, 1, leap=True)),
        ("2025-06-25", LunarDate(2025, 6, 1)),
        ("2025-01-28", LunarDate(2024, 12, 29)),
        ("2023-03-22", LunarDate(2023, 2, 1, leap=True)),
        ("2033-12-22", LunarDate(2033, 11, 1, leap=True)),
        ("1900-01-31", LunarDate(1900, 1, 1)),
        ("1984-02-02", LunarDate(1984, 1, 1)),
    ],
)
def test_lunar_and_solar_dates_match(solar: str, lunar: LunarDate) -> None:
    assert solar_to_lunar(D(solar)) == lunar
    assert lunar_to_solar(lunar) == D(solar)


@given(day=lunar_days)
def test_every_day_goes_there_and_back(day: date) -> None:
    assert lunar_to_solar(solar_to_lunar(day)) == day


@pytest.mark.parametrize(
    "lunar", [LunarDate(2026, 6, 1, leap=True), LunarDate(2026, 2, 30), LunarDate(2100, 1, 1)]
)
def test_a_lunar_day_that_is_not_there_is_refused(lunar: LunarDate) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (borax has words of its own for a month)
        lunar_to_solar(lunar)


@pytest.mark.parametrize(
    ("festival", "dates"),
    [
        ("除夕", "2024-02-09 2025-01-28 2026-02-16 2027-02-05 2028-01-25"),
        ("春节", "2024-02-10 2025-01-29 2026-02-17 2027-02-06 2028-01-26 2033-01-31"),
        ("元宵", "2024-02-24 2025-02-12 2026-03-03 2027-02-20"),
        ("清明", "2024-04-04 2025-04-04 2026-04-05 2027-04-05"),
        ("端午", "2024-06-10 2025-05-31 2026-06-19 2027-06-09"),
        ("七夕", "2024-08-10 2025-08-29 2026-08-19"),
        ("中秋", "2024-09-17 2025-10-06 2026-09-25 2027-09-15"),
        ("重阳", "2024-10-11 2025-10-29 2026-10-18 2027-10-08"),
        ("冬至", "2024-12-21 2025-12-21 2026-12-22"),
        ("母亲节", "2024-05-12 2025-05-11 2026-05-10 2027-05-09"),
        ("父亲节", "2024-06-16 2025-06-15 2026-06-21 2027-06-20"),
        ("感恩节", "2024-11-28 2025-11-27 2026-11-26"),
        ("复活节", "2024-03-31 2025-04-20 2026-04-05 2027-03-28 2038-04-25"),
        ("妇女节", "2026-03-08"),
        ("护士节", "2026-05-12"),
        ("儿童节", "2026-06-01"),
        ("教师节", "2026-09-10"),
        ("国庆", "2026-10-01"),
    ],
)
def test_festivals_fall_on_their_days(festival: str, dates: str) -> None:
    for day in map(D, dates.split()):
        assert festival_dates(day.year)[festival] == day


def test_a_festival_of_the_twelfth_month_may_miss_a_year() -> None:
    assert festival_dates(2022)["腊八"] == D("2022-01-10")
    assert "腊八" not in festival_dates(2023)  # 2022-12-30 and then 2024-01-18
    assert festival_dates(2024)["腊八"] == D("2024-01-18")


@given(year=st.integers(1901, 2099))
def test_every_year_has_its_festivals_and_new_year_follows_its_eve(year: int) -> None:
    dates = festival_dates(year)
    assert dates["春节"] - dates["除夕"] == timedelta(days=1)
    assert date(year, 1, 20) < dates["春节"] < date(year, 2, 22)


# Birthdays


@pytest.mark.parametrize(
    ("birth", "lunar", "year", "kept"),
    [
        ("1990-05-20", False, 2026, "2026-05-20"),
        ("1992-02-29", False, 2026, "2026-02-28"),
        ("1992-02-29", False, 2028, "2028-02-29"),
        ("1954-03-18", True, 2026, "2026-04-01"),  # 二月十四
        ("2001-05-23", True, 2026, "2026-05-17"),  # born on the first of the leap fourth month
        ("2001-05-23", True, 2020, "2020-05-23"),  # and 2020 repeats the fourth month
        ("2025-07-25", True, 2026, "2026-07-14"),  # leap sixth month, 2026 has none
        ("2026-03-18", True, 2027, "2027-03-07"),  # 正月三十, and 2027 has one too
        ("2024-02-09", True, 2024, "2025-01-28"),  # 腊月三十, and 2024 ends on the 29th
        ("2000-01-15", True, 2026, "2027-01-16"),  # 腊月初九 of 1999: in January of the next year
    ],
)
def test_a_birthday_is_kept_on_this_day(birth: str, lunar: bool, year: int, kept: str) -> None:
    assert birthday_in(D(birth), lunar, year) == D(kept)
    assert is_birthday(D(birth), lunar, D(kept))


@given(birth=st.dates(date(1920, 1, 1), date(2026, 1, 1)), lunar=st.booleans(), year=st.integers(2020, 2090))
def test_everybody_has_one_birthday_a_year(birth: date, lunar: bool, year: int) -> None:
    kept = birthday_in(birth, lunar, year)
    assert is_birthday(birth, lunar, kept)
    assert not is_birthday(birth, lunar, kept + timedelta(days=1))
    if lunar:
        born, found = solar_to_lunar(birth), solar_to_lunar(kept)
        assert (found.year, found.month) == (year, born.month)
        assert found.leap == (born.leap and leap_month(year) == born.month)
        assert born.day - found.day in (0, 1)


# Working days


@pytest.mark.parametrize(
    ("day", "worked"),
    [
        ("2026-03-18", True),
        ("2026-03-21", False),  # a Saturday
        ("2026-10-01", False),
        ("2026-10-07", False),
        ("2026-10-08", True),
        ("2026-10-10", True),  # a Saturday worked for 国庆
        ("2026-02-28", True),  # a Saturday worked for 春节
        ("2025-10-08", False),  # 国庆 and 中秋 in one row of eight days
        ("2024-02-09", True),  # 除夕 was a working day that year
        ("2027-01-01", False),  # no notice yet: the statutory day
        ("2027-02-08", False),
        ("2027-02-15", True),
    ],
)
def test_a_day_is_worked_or_not(day: str, worked: bool) -> None:
    assert is_workday(D(day)) is worked


@pytest.mark.parametrize(
    ("day", "count", "expected"),
    [
        ("2026-03-18", 5, "2026-03-25"),
        ("2026-03-20", 1, "2026-03-23"),
        ("2026-03-21", 1, "2026-03-23"),
        ("2026-09-24", 5, "2026-10-09"),
        ("2026-09-30", 5, "2026-10-13"),
        ("2026-02-13", 5, "2026-02-27"),  # Saturday the 14th is worked
        ("2026-12-29", 5, "2027-01-06"),
        ("2026-10-08", -1, "2026-09-30"),
        ("2026-10-03", 0, "2026-10-03"),
    ],
)
def test_working_days_are_counted_from_the_day_after(day: str, count: int, expected: str) -> None:
    assert add_workdays(D(day), count) == D(expected)


@given(day=st.dates(date(2004, 1, 1), date(2060, 1, 1)), count=st.integers(1, 30))
def test_counting_forth_and_back_returns(day: date, count: int) -> None:
    there = add_workdays(day, count)
    assert is_workday(there)
    assert there > day
    assert add_workdays(there, -count) <= day < add_workdays(there, -count + 1)


def test_holidays_stand_in_rows() -> None:
    named = {holiday.names: holiday for holiday in holidays(2025)}
    both = named[("国庆", "中秋")] if ("国庆", "中秋") in named else named[("中秋", "国庆")]
    assert (both.start, both.end) == (D("2025-10-01"), D("2025-10-09"))
    assert next_holiday(D("2026-09-28")).names == ("国庆",)
    assert next_holiday(D("2026-10-03")).names == ("国庆",)
    assert next_holiday(D("2026-10-08")).names == ("元旦",)


NOTICE = """
[2027]
holidays = [
  { name = "元旦", first = 2027-01-01, last = 2027-01-02 },
  { name = "春节", first = 2027-02-04, last = 2027-02-11 },
]
workdays = [2027-01-03, 2027-02-13]
"""


def test_a_hospital_can_give_the_notice_of_a_year_itself() -> None:
    calendar = WorkCalendar(read_notices(NOTICE))
    assert calendar.is_workday(D("2027-01-03"))
    assert not calendar.is_workday(D("2027-02-04"))
    assert calendar.is_workday(D("2027-02-12"))
    assert calendar.is_workday(D("2027-10-01"))  # the notice is taken at its word
    assert calendar.is_workday(D("2026-10-10"))
    assert calendar.add_workdays(D("2027-01-01"), 1) == D("2027-01-03")


@pytest.mark.parametrize(
    ("toml", "named"),
    [
        ("[2027", "Expected"),
        ("[year]\nholidays = []", "year"),
        ("[2027]\nworkdays = []", "holidays"),
        ('[2027]\nholidays = [{ name = "元旦", first = 2027-01-02, last = 2027-01-01 }]', "2027"),
        ('[2027]\nholidays = [{ name = "圣诞", first = 2027-12-25, last = 2027-12-25 }]', "圣诞"),
        ("[2027]\nholidays = []\nworkdays = [2027-01-04]", "Saturdays"),
        ('[2027]\nholidays = []\nworkdays = ["sunday"]', "Saturdays"),
    ],
)
def test_a_wrong_notice_says_what_is_wrong(toml: str, named: str) -> None:
    with pytest.raises(InvalidNotice, match=named):
        read_notices(toml)
