"""The Chinese calendar: lunar dates, festivals, legal holidays with make-up workdays, birthdays.

Dates are Gregorian `datetime.date` unless a name says lunar. Lunar years 1900 to 2099 are known;
outside them functions raise ValueError.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, lru_cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType

from borax.calendars.lunardate import LCalendars, TermUtils
from borax.calendars.lunardate import LunarDate as BoraxDate
from chinese_calendar.constants import holidays as _NOTIFIED_HOLIDAYS
from chinese_calendar.constants import workdays as _NOTIFIED_WORKDAYS

FIRST_LUNAR_YEAR = 1900
LAST_LUNAR_YEAR = 2099

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, order=True)
class LunarDate:
    """A day of the Chinese lunar calendar; `year` is the Gregorian year its 正月 lies in."""

    year: int
    month: int
    day: int
    leap: bool = False  # the second of two months with one number (闰月)


@lru_cache(maxsize=1024)
def solar_to_lunar(day: date) -> LunarDate:
    """The lunar date of a Gregorian one. Raises ValueError before 1900-01-31 and after lunar 2099."""
    lunar = BoraxDate.from_solar(day)
    if not FIRST_LUNAR_YEAR <= lunar.year <= LAST_LUNAR_YEAR:
        raise ValueError(f"{day} is outside lunar {FIRST_LUNAR_YEAR} to {LAST_LUNAR_YEAR}")
    return LunarDate(lunar.year, lunar.month, lunar.day, bool(lunar.leap))


def lunar_to_solar(lunar: LunarDate) -> date:
    """The Gregorian date of a lunar one. Raises ValueError when that lunar year has no such day."""
    if not 1 <= lunar.day <= days_in_lunar_month(lunar.year, lunar.month, lunar.leap):
        raise ValueError(f"{lunar} does not exist")
    return _first_of_lunar_month(lunar.year, lunar.month, lunar.leap) + timedelta(days=lunar.day - 1)


@cache
def _first_of_lunar_month(year: int, month: int, leap: bool) -> date:
    first: date = BoraxDate(year, month, 1, int(leap)).to_solar_date()
    return first


@cache
def days_in_lunar_month(year: int, month: int, leap: bool = False) -> int:
    """29 or 30. Raises ValueError when that lunar year has no such month."""
    if not FIRST_LUNAR_YEAR <= year <= LAST_LUNAR_YEAR:
        raise ValueError(f"lunar year {year} is outside {FIRST_LUNAR_YEAR} to {LAST_LUNAR_YEAR}")
    return int(LCalendars.ndays(year, month, int(leap)))


def leap_month(year: int) -> int | None:
    """The number of the month that comes twice in a lunar year, if one does."""
    return int(LCalendars.leap_month(year)) or None


# Birthdays


def birthday_in(birth: date, lunar: bool, year: int) -> date:
    """The day a birthday is kept in a year; for a lunar birthday the lunar year of that number.

    Born in a leap month: the ordinary month when the year does not repeat it. The 30th of a lunar
    month that has 29 days this year: the 29th. 29 February in a common year: the 28th.
    """
    if lunar:
        born = solar_to_lunar(birth)
        leap = born.leap and leap_month(year) == born.month
        last = days_in_lunar_month(year, born.month, leap)
        return lunar_to_solar(LunarDate(year, born.month, min(born.day, last), leap))
    try:
        return birth.replace(year=year)
    except ValueError:
        return date(year, 2, 28)


def is_birthday(birth: date, lunar: bool, day: date) -> bool:
    """Whether somebody's birthday is kept on a day. A Gregorian year holds none, one or two lunar ones."""
    year = solar_to_lunar(day).year if lunar else day.year
    return birthday_in(birth, lunar, year) == day


# Festivals


@dataclass(frozen=True, slots=True)
class _Solar:
    month: int
    day: int

    def dates(self, year: int) -> list[date]:
        return [date(year, self.month, self.day)]


@dataclass(frozen=True, slots=True)
class _Lunar:
    month: int
    day: int

    def dates(self, year: int) -> list[date]:
        # The twelfth month of one lunar year is in January of the next Gregorian year, mostly.
        found = [
            lunar_to_solar(LunarDate(y, self.month, self.day))
            for y in (year - 1, year)
            if FIRST_LUNAR_YEAR <= y <= LAST_LUNAR_YEAR
        ]
        return [day for day in found if day.year == year]


@dataclass(frozen=True, slots=True)
class _NewYearsEve:
    """除夕, the day before 正月初一: the 29th or the 30th of the twelfth month."""

    def dates(self, year: int) -> list[date]:
        return [lunar_to_solar(LunarDate(year, 1, 1)) - ONE_DAY]


@dataclass(frozen=True, slots=True)
class _NthWeekday:
    month: int
    nth: int
    weekday: int  # Monday is 0

    def dates(self, year: int) -> list[date]:
        first = date(year, self.month, 1)
        ahead = (self.weekday - first.weekday()) % 7 + 7 * (self.nth - 1)
        return [first + timedelta(days=ahead)]


@dataclass(frozen=True, slots=True)
class _SolarTerm:
    name: str

    def dates(self, year: int) -> list[date]:
        return [TermUtils.nth_term_day(year, term_name=self.name)]


@dataclass(frozen=True, slots=True)
class _Easter:
    """The Sunday after the first full moon of spring; the anonymous Gregorian computation."""

    before: int = 0  # days before the Sunday

    def dates(self, year: int) -> list[date]:
        golden = year % 19
        century = year // 100
        moon = (19 * golden + century - century // 4 - (8 * century + 13) // 25 + 15) % 30
        moon -= moon // 28 * (1 - 29 // (moon + 1) * ((21 - golden) // 11))
        weekday = (year + year // 4 + moon + 2 - century + century // 4) % 7
        ahead = moon - weekday
        month = 3 + (ahead + 40) // 44
        return [date(year, month, ahead + 28 - 31 * (month // 4)) - timedelta(days=self.before)]


_Rule = _Solar | _Lunar | _NewYearsEve | _NthWeekday | _SolarTerm | _Easter

_TERMS = "小寒大寒立春雨水惊蛰春分清明谷雨立夏小满芒种夏至小暑大暑立秋处暑白露秋分寒露霜降立冬小雪大雪冬至"
SOLAR_TERMS = tuple(_TERMS[i : i + 2] for i in range(0, len(_TERMS), 2))  # 节气, from January on

_FESTIVALS: Mapping[str, _Rule] = {
    "元旦": _Solar(1, 1),
    "除夕": _NewYearsEve(),
    "春节": _Lunar(1, 1),
    "元宵": _Lunar(1, 15),
    "龙抬头": _Lunar(2, 2),
    "端午": _Lunar(5, 5),
    "七夕": _Lunar(7, 7),
    "中元": _Lunar(7, 15),
    "中秋": _Lunar(8, 15),
    "重阳": _Lunar(9, 9),
    "寒衣节": _Lunar(10, 1),
    "下元": _Lunar(10, 15),
    "腊八": _Lunar(12, 8),
    "小年": _Lunar(12, 23),
    "情人节": _Solar(2, 14),
    "女生节": _Solar(3, 7),
    "妇女节": _Solar(3, 8),
    "植树节": _Solar(3, 12),
    "白色情人节": _Solar(3, 14),
    "消费者权益日": _Solar(3, 15),
    "愚人节": _Solar(4, 1),
    "世界地球日": _Solar(4, 22),
    "劳动节": _Solar(5, 1),
    "青年节": _Solar(5, 4),
    "护士节": _Solar(5, 12),
    "母亲节": _NthWeekday(5, 2, 6),
    "儿童节": _Solar(6, 1),
    "父亲节": _NthWeekday(6, 3, 6),
    "建党节": _Solar(7, 1),
    "建军节": _Solar(8, 1),
    "医师节": _Solar(8, 19),
    "抗战胜利日": _Solar(9, 3),
    "教师节": _Solar(9, 10),
    "国庆": _Solar(10, 1),
    "万圣夜": _Solar(10, 31),
    "万圣节": _Solar(10, 31),
    "记者节": _Solar(11, 8),
    "光棍节": _Solar(11, 11),
    "感恩节": _NthWeekday(11, 4, 3),
    "双十二": _Solar(12, 12),
    "国家公祭日": _Solar(12, 13),
    "平安夜": _Solar(12, 24),
    "圣诞节": _Solar(12, 25),
    "跨年夜": _Solar(12, 31),
    "复活节": _Easter(),
    **{term: _SolarTerm(term) for term in SOLAR_TERMS},
}


@cache
def festival_dates(year: int) -> Mapping[str, date]:
    """The festivals and solar terms of a Gregorian year by name (春节, 中秋, 母亲节, 冬至…).

    A festival of the twelfth lunar month (腊八, 小年) that falls twice in the year is given at its
    first date, and one that does not fall in it at all is left out.
    """
    found = {name: rule.dates(year) for name, rule in _FESTIVALS.items()}
    return MappingProxyType({name: days[0] for name, days in found.items() if days})


# Legal holidays and workdays

# As chinese_calendar names them; the rest of the house says it in Chinese.
_NOTICE_NAMES: Mapping[str, str] = {
    "New Year's Day": "元旦",
    "Spring Festival": "春节",
    "Tomb-sweeping Day": "清明",
    "Labour Day": "劳动节",
    "Dragon Boat Festival": "端午",
    "Mid-autumn Festival": "中秋",
    "National Day": "国庆",
}


@dataclass(frozen=True, slots=True)
class Holiday:
    """Days off in a row. Two festivals may share one row (国庆 and 中秋 in 2025)."""

    names: tuple[str, ...]
    start: date
    end: date  # exclusive: the first day after it


@dataclass(frozen=True, slots=True)
class Notice:
    """What the State Council announced for one year: days off by festival, and weekend days worked."""

    days_off: Mapping[date, str]
    make_up_workdays: frozenset[date] = frozenset()


class InvalidNotice(ValueError):
    """A holiday file that does not say what it should; the message names the place."""


def read_notices(toml: str) -> dict[int, Notice]:
    """Read holiday notices, one table a year, as in `holidays.toml` beside this module.

    Raises InvalidNotice when a year, a date or a name is not what it should be.
    """
    try:
        years = tomllib.loads(toml)
        return {int(year): _notice(int(year), table) for year, table in years.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as e:
        raise InvalidNotice(f"holiday notice: {e}") from e


def _notice(year: int, table: Mapping[str, list[object]]) -> Notice:
    days_off: dict[date, str] = {}
    for item in table["holidays"]:
        if not isinstance(item, dict) or not item["first"] <= item["last"]:
            raise ValueError(f"{year}: {item!r} is not a holiday with name, first and last")
        if item["name"] not in _NOTICE_NAMES.values():
            raise ValueError(f"{year}: {item['name']!r} is not one of {', '.join(_NOTICE_NAMES.values())}")
        day: date = item["first"]
        while day <= item["last"]:
            days_off[day] = item["name"]
            day += ONE_DAY
    workdays = frozenset(day for day in table.get("workdays", []) if isinstance(day, date))
    if len(workdays) != len(table.get("workdays", [])) or any(day.weekday() < 5 for day in workdays):
        raise ValueError(f"{year}: workdays are dates of Saturdays and Sundays")
    return Notice(days_off, workdays)


class WorkCalendar:
    """Which days the hospital's offices work, by the State Council's yearly notice.

    Years with a notice: those given, and those the chinese_calendar package knows. For any other
    year the statutory festivals are off with their customary length, weekends are off, and there
    are no make-up workdays: the notice comes out only in the November before.
    """

    def __init__(self, notices: Mapping[int, Notice] | None = None) -> None:
        self._notices = dict(_published_notices()) | dict(notices or {})
        self._customary: dict[int, Notice] = {}
        self._rows: dict[int, list[Holiday]] = {}

    def is_workday(self, day: date) -> bool:
        """Whether offices are open: make-up workdays yes, weekends and legal holidays no."""
        notice = self._notice(day.year)
        if day in notice.days_off:
            return False
        return day.weekday() < 5 or day in notice.make_up_workdays

    def add_workdays(self, day: date, count: int) -> date:
        """The *count*-th working day after a day (that day not counted); before it if negative.

        Zero gives the day itself, whether or not it is worked.
        """
        step = ONE_DAY if count > 0 else -ONE_DAY
        for _ in range(abs(count)):
            day += step
            while not self.is_workday(day):
                day += step
        return day

    def holidays(self, year: int) -> tuple[Holiday, ...]:
        """The legal holidays that begin in a year, in order."""
        return tuple(h for h in self._around(year) if h.start.year == year)

    def holiday_of(self, day: date) -> Holiday | None:
        """The legal holiday a day belongs to."""
        return next((h for h in self._around(day.year) if h.start <= day < h.end), None)

    def next_holiday(self, day: date) -> Holiday:
        """The legal holiday that a day lies in, or else the next one to come."""
        for year in (day.year, day.year + 1):
            for holiday in self._around(year):
                if holiday.end > day:
                    return holiday
        raise ValueError(f"no holiday known after {day}")

    def _notice(self, year: int) -> Notice:
        if year in self._notices:
            return self._notices[year]
        if year not in self._customary:
            self._customary[year] = _customary_notice(year)
        return self._customary[year]

    def _around(self, year: int) -> list[Holiday]:
        """Holidays of a year; its first and last may reach over New Year."""
        if year not in self._rows:
            self._rows[year] = self._read_rows(year)
        return self._rows[year]

    def _read_rows(self, year: int) -> list[Holiday]:
        days: dict[date, str] = {}
        for y in (year - 1, year, year + 1):
            days |= self._notice(y).days_off
        rows: list[Holiday] = []
        for day, name in sorted(days.items()):
            last = rows[-1] if rows else None
            if last is None or last.end != day:
                rows.append(Holiday((name,), day, day + ONE_DAY))
            else:
                names = last.names if name in last.names else (*last.names, name)
                rows[-1] = Holiday(names, last.start, day + ONE_DAY)
        return [row for row in rows if row.start.year == year or (row.end - ONE_DAY).year == year]


@cache
def _published_notices() -> Mapping[int, Notice]:
    days_off: dict[int, dict[date, str]] = {}
    for day, name in _NOTIFIED_HOLIDAYS.items():
        if name in _NOTICE_NAMES:  # others are single occasions, such as the 2015 parade
            days_off.setdefault(day.year, {})[day] = _NOTICE_NAMES[name]
        else:
            days_off.setdefault(day.year, {})[day] = name
    published = {
        year: Notice(days, frozenset(d for d in _NOTIFIED_WORKDAYS if d.year == year))
        for year, days in days_off.items()
    }
    own = resources.files(__package__).joinpath("holidays.toml").read_text("utf-8")
    return MappingProxyType(published | read_notices(own))


def _customary_notice(year: int) -> Notice:
    festivals = festival_dates(year)
    rows = {
        "元旦": _with_weekend(festivals["元旦"]),
        "春节": [festivals["除夕"] + timedelta(days=n) for n in range(8)],
        "清明": _with_weekend(festivals["清明"]),
        "劳动节": [festivals["劳动节"] + timedelta(days=n) for n in range(5)],
        "端午": _with_weekend(festivals["端午"]),
        "中秋": _with_weekend(festivals["中秋"]),
        "国庆": [festivals["国庆"] + timedelta(days=n) for n in range(7)],
    }
    return Notice({day: name for name, days in rows.items() for day in days})


def _with_weekend(festival: date) -> list[date]:
    """A one-day holiday with the weekend it touches; on a weekend the Monday is off instead."""
    first, last = {
        0: (-2, 0),
        4: (0, 2),
        5: (0, 2),
        6: (-1, 1),
    }.get(festival.weekday(), (0, 0))
    return [festival + timedelta(days=n) for n in range(first, last + 1)]


@cache
def _official() -> WorkCalendar:
    return WorkCalendar()


def is_workday(day: date) -> bool:
    """Whether a day is worked by the notices this version ships with. See WorkCalendar."""
    return _official().is_workday(day)


def add_workdays(day: date, count: int) -> date:
    """The *count*-th working day after a day, by the notices this version ships with."""
    return _official().add_workdays(day, count)


def holidays(year: int) -> tuple[Holiday, ...]:
    """The legal holidays of a year, by the notices this version ships with."""
    return _official().holidays(year)


def next_holiday(day: date) -> Holiday:
    """The legal holiday a day lies in or the next to come, by the notices this version ships with."""
    return _official().next_holiday(day)


def read_notice_file(path: Path) -> dict[int, Notice]:
    """Read a hospital's own holiday file for `WorkCalendar`. Raises InvalidNotice or OSError."""
    return read_notices(path.read_text("utf-8"))
