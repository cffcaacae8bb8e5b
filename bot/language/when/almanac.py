"""Which days a place in the calendar means, seen from a present moment."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from bot.domain import calendar
from bot.domain.calendar import LunarDate
from bot.language.when.nodes import Fields
from bot.language.when.places import (
    DAY,
    WEEK,
    Place,
    add_months,
    between,
    days,
    midnight,
    monday,
    month,
    months,
)
from bot.language.when.words import Part, Portion, Unit

_SEASONS = {1: "立春", 2: "立夏", 3: "立秋", 4: "立冬"}  # the solar terms that begin them
_SCHOOL_HOLIDAYS = {5: (7, 2), 6: (2, 1)}  # 暑假, 寒假: first month and how many


_LEGAL = frozenset({"元旦", "春节", "清明", "劳动节", "端午", "中秋", "国庆"})


class Unresolvable(ValueError):
    """What was said does not exist: 2月30日, a year beyond the calendar."""


class Almanac:
    """Answers which days Fields mean, seen from *now* (naive, in the hospital's zone).

    *backwards*: bare months, days and weekdays are those just past, as in 周五做的检查.
    """

    def __init__(self, now: datetime, *, backwards: bool = False) -> None:
        self.now = now
        self.today = now.date()
        self.backwards = backwards

    def fields(self, said: Fields) -> Place:
        """The day or days, with their hours if those were said. Raises ValueError when there are none."""
        if said.now:
            return Place(self.now, self.now, "second")
        if not said.has_date:
            return self.at(days(self.today), said, time_only=True)
        if said.weekday is not None and said.week_away is None and said.day is None:
            return self._bare_weekday(said)
        place = self._day(said) if said.has_day else self._period(said)
        return self.at(place, said) if said.has_time else place

    def at(self, place: Place, said: Fields, *, time_only: bool = False) -> Place:
        """A part of the day or a clock time on a day."""
        start = midnight(place.start.date())
        if said.hour is None:
            if said.part is None:
                return place
            first, last, _ = said.part.value
            final = midnight((place.reach - DAY).date()) if place.reach - start > DAY else start
            return Place(
                start + timedelta(hours=first), final + timedelta(hours=last), "part_of_day", time_only
            )
        hour, doubt = _hour(said.hour, said.part)
        moment = start + timedelta(hours=hour, minutes=said.minute or 0, seconds=said.second or 0)
        grain = "second" if said.second is not None else "minute" if said.minute is not None else "hour"
        result = Place(moment, moment, grain, time_only)
        if doubt:
            other = moment + timedelta(hours=12)
            result = result.or_else(Place(other, other, grain))
        return result.or_else(*(self.at(days(s.date()), said) for s, _ in place.others))

    def _bare_weekday(self, said: Fields) -> Place:
        assert said.weekday is not None
        if said.has_period:
            inside = self._period(said)
            first = inside.start.date()
            return self.at(days(first + timedelta((said.weekday - 1 - first.weekday()) % 7)), said)
        ahead = (said.weekday - 1 - self.today.weekday()) % 7
        if ahead:
            day = self.today + timedelta(ahead - 7 if self.backwards else ahead)
            opposite = self.at(days(day + WEEK), said) if self.backwards else None
            return self.at(days(day), said).or_else(opposite)
        # 周日 on a Sunday: today, if the hour is still to come, or in a week
        today, week = self.at(days(self.today), said), timedelta(-7 if self.backwards else 7)
        further = self.at(days(self.today + week), said)
        if said.hour is not None and today.start > self.now:
            return today.or_else(further)
        return further.or_else(today)

    def _year(self, said: Fields) -> int | None:
        if said.year is not None:
            return said.year
        return None if said.year_away is None else self.today.year + said.year_away

    def _day(self, said: Fields) -> Place:
        if said.day_away is not None:
            return self._day_away(said)
        if said.festival is not None:
            return self._festival(said)
        if said.weekend:
            return self._weekend(said)
        if said.lunar and said.day is not None:
            return self._lunar_day(said)
        if said.weekday is not None and said.day is None:
            first = monday(self.today) + WEEK * (said.week_away or 0)
            return days(first + timedelta(said.weekday - 1))
        return self._day_of_month(said)

    def _day_away(self, said: Fields) -> Place:
        assert said.day_away is not None
        day = self.today + timedelta(said.day_away)
        if (year := self._year(said)) is not None:  # 去年今天
            day = add_months(day, 12 * (year - self.today.year))
        if said.month_away is not None:
            day = add_months(day, said.month_away)
        if said.week_away is not None:
            day += WEEK * said.week_away
        return days(day)

    def _day_of_month(self, said: Fields) -> Place:
        assert said.day is not None
        if said.month is None and said.month_away is None:
            return self._nearest(self._same_day_each_month(said.day))
        if said.month_away is not None:
            return days(self._period(said).start.date().replace(day=said.day))
        assert said.month is not None
        year = self._year(said)
        if year is not None:
            place = days(date(year, said.month, said.day))
        else:
            place = self._nearest(self._same_day_each_year(said.month, said.day))
        return place.or_else(self._lunar_too(said)) if said.perhaps_lunar else place

    def _lunar_too(self, said: Fields) -> Place | None:
        try:
            return self._lunar_day(said._replace(lunar=True))
        except ValueError:
            return None

    def _nearest(self, candidates: Iterator[date]) -> Place:
        """The next of a series of days, today included; looking backwards the last one before."""
        earlier: date | None = None
        for day in candidates:
            if day >= self.today:
                if self.backwards and earlier is not None:
                    return days(earlier).or_else(days(day))
                return days(day)
            earlier = day
        raise Unresolvable

    def _same_day_each_month(self, day: int) -> Iterator[date]:
        if not 1 <= day <= 31:
            raise Unresolvable
        first = self.today.replace(day=1)
        for away in range(-3, 15):
            try:
                yield add_months(first, away).replace(day=day)
            except ValueError:
                continue

    def _same_day_each_year(self, number: int, day: int) -> Iterator[date]:
        for year in range(self.today.year - 8, self.today.year + 9):  # 29 February, 1896 to 1904
            try:
                yield date(year, number, day)
            except ValueError:
                continue

    def _weekend(self, said: Fields) -> Place:
        saturday = monday(self.today) + timedelta(5)
        if said.week_away is not None:
            return days(saturday + WEEK * said.week_away, 2)
        if said.has_period:
            first = self._period(said).start.date()
            return days(first + timedelta((5 - first.weekday()) % 7), 2)
        if self.backwards and self.today <= saturday:
            return days(saturday - WEEK, 2).or_else(days(saturday, 2))
        if self.today >= saturday:
            return days(saturday, 2).or_else(days(saturday + WEEK, 2))
        return days(saturday, 2)

    # Festivals

    def _festival(self, said: Fields) -> Place:
        assert said.festival is not None
        day = self._festival_day(said, said.festival)
        if not said.vacation:
            return days(day)
        return self.vacation(said.festival, day) or days(day)

    def _festival_day(self, said: Fields, name: str) -> date:
        year = self._year(said)
        if said.festival_away == 0 and year is None:
            year = self.today.year
        if year is not None:
            if said.lunar and name == "除夕":
                year += 1  # the eve that ends the lunar year of that number
            found = calendar.festival_dates(year).get(name)
            if found is None:
                raise Unresolvable
            return found
        series = [
            day
            for y in range(self.today.year - 1, self.today.year + 3)
            if (day := calendar.festival_dates(y).get(name))
        ]
        if self.backwards or said.festival_away == -1:
            return max(day for day in series if day < self.today or (self.backwards and day == self.today))
        for day in series:
            holiday = self.vacation(name, day) if said.vacation else None
            if day >= self.today or (holiday and holiday.reach > self.now):
                return day
        raise Unresolvable

    def vacation(self, name: str, day: date) -> Place | None:
        """The days off around a festival."""
        if name == "除夕":
            name, day = "春节", day + DAY
        if name not in _LEGAL:
            return None
        for year in (day.year, day.year - 1):
            for holiday in calendar.holidays(year):
                if name in holiday.names and abs((holiday.start - day).days) < 12:
                    return between(holiday.start, holiday.end)
        return None

    # Lunar dates

    def _lunar_day(self, said: Fields) -> Place:
        assert said.day is not None
        year = self._year(said)
        if said.month is None:
            return self._bare_lunar_day(said, said.day)
        if year is not None:
            return days(_lunar(year, said.month, said.day, said.leap))
        now = calendar.solar_to_lunar(self.today)
        return self._nearest(
            day
            for y in range(now.year - (40 if said.leap else 3), now.year + (40 if said.leap else 4))
            if (day := _lunar_or_none(y, said.month, said.day, said.leap))
        )

    def _bare_lunar_day(self, said: Fields, day: int) -> Place:
        """初八: of the lunar month it falls in next; around the new year that of 正月 is meant as well."""
        now = calendar.solar_to_lunar(self.today)
        if said.month_away is not None:
            number = now.month - 1 + said.month_away
            return days(_lunar(now.year + number // 12, number % 12 + 1, day, False))
        starts = [found for y in (now.year - 1, now.year, now.year + 1) for found in _lunar_months(y)]
        series = sorted(
            midnight_day
            for year, number, leap in starts
            if (midnight_day := _lunar_or_none(year, number, day, leap))
        )
        place = self._nearest(iter(series))
        new_year = _lunar_or_none(now.year + 1, 1, day, False)
        soon = new_year is not None and (new_year - self.today).days < 60
        return place.or_else(days(new_year)) if soon and new_year else place

    def _lunar_period(self, said: Fields) -> Place:
        year = self._year(said)
        now = calendar.solar_to_lunar(self.today)
        if said.month is None:
            year = now.year if year is None else year
            return between(_lunar(year, 1, 1, False), _lunar(year + 1, 1, 1, False), "year")
        if year is None:
            year = now.year + (1 if said.month < now.month else 0)
            if self.backwards and said.month > now.month:
                year = now.year - 1
        first = _lunar(year, said.month, 1, said.leap)
        count = calendar.days_in_lunar_month(year, said.month, said.leap)
        if said.portion is not None:
            return _portion_of_month(first, count, said.portion[1])
        return days(first, count, "month")

    # Periods

    def _period(self, said: Fields) -> Place:
        if said.lunar:
            return self._lunar_period(said)
        if said.week_away is not None:
            if said.month is not None or said.month_away is not None:
                raise Unresolvable
            return days(monday(self.today) + WEEK * said.week_away, 7, "week")
        if said.portion is not None:
            return self._portion(said)
        if said.month is not None or said.month_away is not None:
            return self._month(said)
        year = self._year(said)
        if said.season is not None:
            return self._season(said.season, year)
        if said.half_year is not None:
            return months(year or self.today.year, 6 * said.half_year - 5, 6, "half_year")
        if said.quarter is not None:
            return months(year or self.today.year, 3 * said.quarter - 2, 3, "quarter")
        if said.quarter_away is not None:
            first = (self.today.month - 1) // 3 * 3 + 1 + 3 * said.quarter_away
            return months(year or self.today.year, first, 3, "quarter")
        if year is not None:
            return between(date(year, 1, 1), date(year + 1, 1, 1), "year")
        return self._long(said)

    def _long(self, said: Fields) -> Place:
        if said.decade is not None:
            hundred = 100 * (said.century - 1) if said.century else 2000 if said.decade <= 20 else 1900
            first = hundred + said.decade
            return between(date(first, 1, 1), date(first + 10, 1, 1), "decade")
        if said.century is None:
            raise Unresolvable
        first = 100 * (said.century - 1)
        return between(date(max(first, 1), 1, 1), date(first + 100, 1, 1), "century")

    def _month(self, said: Fields) -> Place:
        year = self._year(said)
        if said.month_away is not None:
            base = add_months(self.today.replace(day=1), said.month_away)
            return month(base.year if year is None else year, base.month)
        assert said.month is not None
        if year is None:
            year = self.today.year
            if self.backwards:
                year -= said.month > self.today.month
            else:
                year += said.month < self.today.month
        return month(year, said.month)

    def _season(self, season: int, year: int | None) -> Place:
        if year is not None:
            return _season_of(year, season)
        place = _season_of(self.today.year - 1, season)
        while place.reach <= self.now:
            place = _season_of(place.start.year + 1, season)
        return place

    def _portion(self, said: Fields) -> Place:
        assert said.portion is not None
        unit, portion = said.portion
        if unit is Unit.DECADE:
            decade = self._long(said)
            start = {Portion.BEGINNING: 0, Portion.MIDDLE: 3}.get(portion, 7)
            return months(decade.start.year + start, 1, 36, "fuzzy")
        if unit is Unit.YEAR:
            year = self._year(said)
            return _portion_of_year(self.today.year if year is None else year, portion)
        if unit is Unit.MONTH and (said.month is not None or said.month_away is not None):
            whole = self._month(said)
            return _portion_of_month(whole.start.date(), (whole.reach - whole.start).days, portion)
        if unit is Unit.MONTH:
            return self._bare_portion(portion)
        raise Unresolvable

    def _bare_portion(self, portion: Portion) -> Place:
        this, following = (
            _portion_of_month(whole.start.date(), (whole.reach - whole.start).days, portion)
            for whole in (months(self.today.year, self.today.month + n, 1, "month") for n in (0, 1))
        )
        if self.backwards or this.reach > self.now:
            return this
        return following.or_else(this)


def _hour(hour: int, part: Part | None) -> tuple[int, bool]:
    """Hours after midnight of the day meant, and whether twelve hours later may be meant as well."""
    if part is None:
        return hour, 1 <= hour <= 12
    manner = part.value[2]
    if hour > 12 or manner == "morning":
        return hour, False
    if manner == "afternoon":
        return (hour if hour == 12 else hour + 12), False
    if manner == "noon":
        return (hour + 12 if hour < 6 else hour), False
    if manner == "evening":
        if hour in (0, 12):
            return 24, False
        return (hour + 24 if hour < 4 else hour + 12), False
    if manner == "midnight":
        return (
            24
            if hour == 12 and part is not Part.MIDNIGHT
            else hour % 12
            if hour < 7 or hour == 12
            else hour + 12
        ), False
    return hour % 12 if hour == 12 else hour, False


def _season_of(year: int, season: int) -> Place:
    if season in _SCHOOL_HOLIDAYS:
        first, count = _SCHOOL_HOLIDAYS[season]
        return months(year, first, count, "season")
    begins = calendar.festival_dates(year)[_SEASONS[season]]
    following = year + 1 if season == 4 else year
    return between(begins, calendar.festival_dates(following)[_SEASONS[season % 4 + 1]], "season")


def _portion_of_month(first: date, count: int, portion: Portion) -> Place:
    start, end, grain = {
        Portion.BEGINNING: (0, 10, "fuzzy"),
        Portion.MIDDLE: (10, 20, "fuzzy"),
        Portion.END: (count - 5, count, "fuzzy"),
        Portion.FIRST_TEN_DAYS: (0, 10, "day"),
        Portion.SECOND_TEN_DAYS: (10, 20, "day"),
        Portion.LAST_TEN_DAYS: (20, count, "day"),
        Portion.FIRST_HALF: (0, 15, "day"),
        Portion.SECOND_HALF: (15, count, "day"),
    }[portion]
    return between(first + timedelta(start), first + timedelta(end), grain)


def _portion_of_year(year: int, portion: Portion) -> Place:
    first, count = {Portion.BEGINNING: (1, 2), Portion.MIDDLE: (6, 2), Portion.END: (11, 2)}[portion]
    return months(year, first, count, "fuzzy")


def _lunar(year: int, number: int, day: int, leap: bool) -> date:
    """The 30th of a month that has 29 days is its last day: 腊月三十 in a short year."""
    if leap and calendar.leap_month(year) != number:
        raise Unresolvable
    last = calendar.days_in_lunar_month(year, number, leap)
    if day > 30:
        raise Unresolvable
    return calendar.lunar_to_solar(LunarDate(year, number, min(day, last), leap))


def _lunar_or_none(year: int, number: int, day: int, leap: bool) -> date | None:
    try:
        return _lunar(year, number, day, leap)
    except ValueError:
        return None


def _lunar_months(year: int) -> Iterator[tuple[int, int, bool]]:
    for number in range(1, 13):
        yield year, number, False
    if repeated := calendar.leap_month(year):
        yield year, repeated, True
