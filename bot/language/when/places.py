"""Stretches of time on a wall clock, and arithmetic in calendar units. Naive: one zone, the hospital's."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from bot.language.when.nodes import Delta
from bot.language.when.words import Unit

DAY = timedelta(days=1)
WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Place:
    """A stretch of time, end exclusive; a moment ends where it starts. `others` are other readings."""

    start: datetime
    end: datetime | None  # None: open
    grain: str
    time_only: bool = False
    others: tuple[tuple[datetime, datetime | None], ...] = ()

    @property
    def moment(self) -> bool:
        """Whether it is a point on the clock, not a stretch."""
        return self.end == self.start

    @property
    def reach(self) -> datetime:
        """Where it ends, or starts when it is open."""
        return self.start if self.end is None else self.end

    def or_else(self, *others: Place | None) -> Place:
        """The same place with other readings beside it."""
        more = tuple(
            (o.start, None if o.moment else o.end) for o in others if o is not None and o.start != self.start
        )
        return replace(self, others=(*self.others, *more))


def midnight(day: date) -> datetime:
    """The first moment of a day."""
    return datetime.combine(day, time())


def days(first: date, count: int = 1, grain: str = "day") -> Place:
    """Whole days from the first on."""
    start = midnight(first)
    return Place(start, start + count * DAY, grain)


def between(first: date, after: date, grain: str = "day") -> Place:
    """From the first day up to, and not with, the one after the last."""
    return Place(midnight(first), midnight(after), grain)


def month(year: int, number: int) -> Place:
    """A Gregorian month. Raises ValueError for months and years that do not exist."""
    first = date(year, number, 1)
    return days(first, monthrange(year, number)[1], "month")


def months(year: int, first: int, count: int, grain: str) -> Place:
    """Several months in a row; *first* may be beyond December."""
    start = date(year + (first - 1) // 12, (first - 1) % 12 + 1, 1)
    return between(start, add_months(start, count), grain)


def add_months(day: date, count: int) -> date:
    """The same day so many months on, or the last of that month."""
    total = day.year * 12 + day.month - 1 + count
    year, number = divmod(total, 12)
    last = monthrange(year, number + 1)[1]
    return date(year, number + 1, min(day.day, last))


def shift(moment: datetime, delta: Delta, sign: int) -> datetime:
    """So long after or before a moment, months first."""
    day = add_months(moment.date(), sign * delta.months)
    whole = datetime.combine(day, moment.time())
    return whole + sign * timedelta(days=delta.days, seconds=delta.seconds)


def monday(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def floor(moment: datetime, unit: Unit) -> datetime:
    """The beginning of the unit a moment lies in."""
    if unit is Unit.SECOND:
        return moment.replace(microsecond=0)
    if unit is Unit.MINUTE or unit is Unit.QUARTER_HOUR:
        return moment.replace(second=0, microsecond=0)
    if unit is Unit.HOUR:
        return moment.replace(minute=0, second=0, microsecond=0)
    day = moment.date()
    if unit is Unit.WEEK:
        day = monday(day)
    elif unit is Unit.MONTH:
        day = day.replace(day=1)
    elif unit is Unit.QUARTER:
        day = day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
    elif unit in (Unit.YEAR, Unit.DECADE, Unit.CENTURY):
        day = day.replace(month=1, day=1)
    return midnight(day)
