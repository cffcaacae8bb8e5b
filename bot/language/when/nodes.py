"""What a stretch of text says about time, before anyone asks which day that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from bot.language.when.words import Kind, Part, Portion, Unit


class Fields(NamedTuple):
    """A place in the calendar, named from the coarse to the fine; None is unsaid.

    `…_away` counts units from the present one: last month is -1.
    """

    lunar: bool = False
    century: int | None = None
    decade: int | None = None  # its first year within the century: 80
    year: int | None = None
    year_away: int | None = None
    season: int | None = None
    half_year: int | None = None
    quarter: int | None = None
    quarter_away: int | None = None
    month: int | None = None
    month_away: int | None = None
    leap: bool = False
    portion: tuple[Unit, Portion] | None = None
    week_away: int | None = None
    weekday: int | None = None  # 1 Monday … 7 Sunday
    weekend: bool = False
    day: int | None = None
    day_away: int | None = None
    festival: str | None = None
    festival_away: int | None = None  # 上个中秋 -1, 下个中秋 1
    vacation: bool = False  # all the days off around the festival
    part: Part | None = None
    hour: int | None = None
    minute: int | None = None
    second: int | None = None
    now: bool = False
    perhaps_lunar: bool = False  # 八月十五, without 日 or 农历
    on_that_day: bool = False  # 二十三那天: of a month named before

    @property
    def has_day(self) -> bool:
        """Whether a day, or the days of a weekend or vacation, is named."""
        return (
            self.day is not None
            or self.day_away is not None
            or self.weekday is not None
            or self.festival is not None
            or self.weekend
            or self.now
        )

    @property
    def has_date(self) -> bool:
        """Whether anything above the part of the day is named."""
        return self.has_day or self.has_period

    @property
    def has_period(self) -> bool:
        """Whether a week, month or anything longer is named."""
        return any(
            value is not None
            for value in (
                self.century,
                self.decade,
                self.year,
                self.year_away,
                self.season,
                self.half_year,
                self.quarter,
                self.quarter_away,
                self.month,
                self.month_away,
                self.portion,
                self.week_away,
            )
        )

    @property
    def has_time(self) -> bool:
        """Whether a part of the day or a clock time is named."""
        return self.part is not None or self.hour is not None


@dataclass(frozen=True, slots=True)
class Delta:
    """A length of time in calendar months, days and seconds, which do not convert into each other."""

    months: int = 0
    days: int = 0
    seconds: int = 0

    def __add__(self, other: Delta) -> Delta:
        return Delta(self.months + other.months, self.days + other.days, self.seconds + other.seconds)

    def times(self, count: int) -> Delta:
        return Delta(self.months * count, self.days * count, self.seconds * count)


LENGTHS = {
    Unit.SECOND: Delta(seconds=1),
    Unit.MINUTE: Delta(seconds=60),
    Unit.QUARTER_HOUR: Delta(seconds=900),
    Unit.HOUR: Delta(seconds=3600),
    Unit.DAY: Delta(days=1),
    Unit.DATE: Delta(days=1),
    Unit.WEEK: Delta(days=7),
    Unit.TEN_DAYS: Delta(days=10),
    Unit.MONTH: Delta(months=1),
    Unit.QUARTER: Delta(months=3),
    Unit.YEAR: Delta(months=12),
    Unit.DECADE: Delta(months=120),
    Unit.CENTURY: Delta(months=1200),
}
"""How long one unit is."""


@dataclass(frozen=True, slots=True)
class Amount:
    """A length between two bounds, equal unless it was vague, in units of `unit`."""

    low: Delta
    high: Delta
    unit: Unit
    count: int  # how many of `unit`, when it is one unit and a whole number; else 0


@dataclass(frozen=True, slots=True)
class Shift:
    """So long after (1) or before (-1) a base; no base is the present."""

    amount: Amount
    sign: int
    base: Node | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """The stretch that reaches so far from the present: 未来三天, 上两周, 三天内."""

    amount: Amount
    manner: Kind  # COMING (from today), AFTER (from tomorrow), PAST, WITHIN, RECENT, NOW (这两天), FEW (最近); RELATIVE: whole calendar units
    sign: int


@dataclass(frozen=True, slots=True)
class Pick:
    """Some of the units a base holds or that lie beside it: 十月第一个周一, 今年前五个月, 节后第三天."""

    base: Node
    unit: Unit | Kind  # WEEKDAY, WORKDAY and WEEKEND are kinds
    nth: int  # from 1; negative from the end
    count: int = 1
    weekday: int = 0
    side: Kind | None = None  # AFTER or BEFORE the base; None within it


@dataclass(frozen=True, slots=True)
class Beside:
    """Open stretches: 周五之前, 国庆后, 三号起, 去年以来."""

    base: Node
    side: Kind  # BEFORE, AFTER, ONWARDS, SINCE


@dataclass(frozen=True, slots=True)
class Feast:
    """节后, 节前: around the next legal holiday, whichever it is; 年后, 年前: around the Spring Festival."""

    side: Kind
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Within:
    """A finer place inside a coarser one: the Friday of the week in two weeks."""

    base: Node
    fields: Fields


@dataclass(frozen=True, slots=True)
class Span:
    """From one place to another, both included as far as they are days."""

    left: Node
    right: Node


Node = Fields | Shift | Window | Pick | Beside | Feast | Within | Span

_COARSE_TO_FINE = (
    ("century", "decade"),
    ("year", "year_away"),
    ("season", "half_year", "quarter", "quarter_away"),
    ("month", "month_away", "leap"),
    ("portion",),
    ("week_away",),
    ("weekday", "weekend", "day", "day_away", "festival", "festival_away", "vacation"),
    ("part",),
    ("hour", "minute", "second"),
)


def _is_said(value: object) -> bool:
    return value is not None and value is not False  # 0 is said: 今年, 零点


def inherit(left: Fields, right: Fields) -> Fields:
    """What the later of two places leaves unsaid because the earlier said it: 8月3日到5日, 下周三或周四."""
    top = next(
        (
            level
            for level, names in enumerate(_COARSE_TO_FINE)
            if any(_is_said(getattr(right, name)) for name in names)
        ),
        len(_COARSE_TO_FINE),
    )
    taken = {name: getattr(left, name) for names in _COARSE_TO_FINE[:top] for name in names}
    if taken.get("part") is not None and right.hour is not None and right.hour > 12:
        del taken["part"]
    if left.lunar and not right.lunar and (right.day or right.month):
        taken["lunar"] = True
    return right._replace(**taken)
