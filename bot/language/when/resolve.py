"""From what was said to a stretch of time, relative to a present moment."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

from bot.domain import calendar
from bot.domain.calendar import Holiday
from bot.language.when.almanac import Almanac, Unresolvable
from bot.language.when.nodes import (
    LENGTHS,
    Amount,
    Beside,
    Delta,
    Feast,
    Fields,
    Node,
    Pick,
    Shift,
    Span,
    Window,
    Within,
    inherit,
)
from bot.language.when.places import (
    DAY,
    WEEK,
    Place,
    add_months,
    between,
    days,
    floor,
    midnight,
    monday,
    month,
    shift,
)
from bot.language.when.words import Kind, Portion, Unit

_AWAY = ["year_away", "quarter_away", "month_away", "week_away", "day_away", "festival_away"]


class Resolver(Almanac):
    """Answers which time any node means, seen from *now*."""

    def place(self, node: Node) -> Place:
        """The stretch a node means. Raises ValueError or OverflowError when there is none."""
        if isinstance(node, Fields):
            return self.fields(node)
        if isinstance(node, Shift):
            return self._shift(node)
        if isinstance(node, Window):
            return self._window(node)
        if isinstance(node, Pick):
            return self._pick(node)
        if isinstance(node, Beside):
            return self._beside(node)
        if isinstance(node, Feast):
            return self._feast(node)
        if isinstance(node, Within):
            return self._within(node)
        return self._span(node)

    # Holidays without a name

    def _feast(self, said: Feast) -> Place:
        holiday = self._holiday(said)
        if said.side is Kind.DURING:
            return between(holiday.start, holiday.end)
        if said.side is Kind.AFTER:
            return days(holiday.end, 7, "fuzzy")
        if holiday.start <= self.today:
            holiday = self._holiday(said, holiday.end)
        return between(self.today, holiday.start, "fuzzy")

    def _holiday(self, said: Feast, day: date | None = None) -> Holiday:
        holiday = calendar.next_holiday(day or self.today)
        while said.name is not None and said.name not in holiday.names:
            holiday = calendar.next_holiday(holiday.end)
        return holiday

    # Distances and windows

    def _shift(self, said: Shift) -> Place:
        low, high = said.amount.low, said.amount.high
        if said.base is not None:
            side = Kind.AFTER if said.sign > 0 else Kind.BEFORE
            return self._shift_from(said, self._anchor(said.base, side))
        if low.seconds:
            near, far = (shift(self.now, delta, said.sign) for delta in (low, high))
            first, last = min(near, far), max(near, far)
            return Place(first, last, "minute")
        near, far = (shift(self.now, delta, said.sign) for delta in (low, high))
        first, last = min(near, far), max(near, far)
        return between(first.date(), last.date() + DAY, "day" if low == high else "fuzzy")

    def _shift_from(self, said: Shift, base: Place) -> Place:
        amount, sign = said.amount, said.sign
        if isinstance(said.base, Feast):
            holiday = self._holiday(said.base)
            base = between(holiday.start, holiday.end)
        if amount.unit in (Unit.DAY, Unit.DATE) or amount.low.seconds:
            edge = base.start if sign < 0 or base.reach - base.start <= DAY else base.reach - DAY
            if not amount.low.seconds:
                edge = midnight(edge.date())
            near, far = (shift(edge, delta, sign) for delta in (amount.low, amount.high))
            if amount.low.seconds:
                return Place(min(near, far), max(near, far), "minute")
            return between(min(near, far).date(), max(near, far).date() + DAY)
        base = self._edge(said.base, base, Kind.AFTER if sign > 0 else Kind.BEFORE)
        edge = midnight((base.reach if sign > 0 else base.start).date())
        other = shift(edge, amount.high, sign)
        return Place(min(edge, other), max(edge, other), "day")

    def _anchor(self, node: Node, side: Kind | None) -> Place:
        """The base of 后 or 前; said in the middle of the days off, 国庆后 is after these."""
        if side is Kind.AFTER and isinstance(node, Fields) and node.festival and not node.vacation:
            running = self.fields(node._replace(vacation=True))
            if running.start <= self.now < running.reach:
                return days(self._festival_day(node._replace(vacation=True), node.festival))
        return self.place(node)

    def _edge(self, node: Node | None, base: Place, side: Kind) -> Place:
        """After 国庆 is after its days off, not after 1 October."""
        if isinstance(node, Fields) and node.festival and not node.has_time:
            return self.vacation(node.festival, base.start.date()) or base
        if isinstance(node, Feast):
            holiday = self._holiday(node)
            return between(holiday.start, holiday.end)
        return base

    def _window(self, said: Window) -> Place:
        delta, today = said.amount.high, midnight(self.today)
        if said.manner is Kind.RELATIVE:
            edge = floor(self.now, said.amount.unit)
            if said.sign > 0:
                edge = shift(edge, _one(said.amount), 1)
            other = shift(edge, delta, said.sign)
            return Place(min(edge, other), max(edge, other), _GRAINS.get(said.amount.unit, "day"))
        if delta.seconds:
            other = shift(self.now, delta, said.sign)
            return Place(min(self.now, other), max(self.now, other), "minute")
        start = today + DAY if said.manner is Kind.AFTER else today
        other = shift(start, delta, said.sign)
        grain = "recent" if said.manner is Kind.FEW else "day"
        place = Place(min(start, other), max(start, other), grain)
        if said.manner is Kind.NOW:  # 这两天 are those to come, or those just past
            return place.or_else(Place(shift(today + DAY, delta, -1), today + DAY, "day"))
        return place

    # Beside and among

    def _beside(self, said: Beside) -> Place:
        base = self._anchor(said.base, said.side)
        if said.side is Kind.ONWARDS:
            return replace(base, end=None)
        if said.side is Kind.SINCE:
            return Place(base.start, self.now, base.grain)
        base = self._edge(said.base, base, said.side)
        if said.side is Kind.AFTER:
            return Place(base.start if base.moment else base.reach, None, base.grain, base.time_only)
        if base.moment and base.others and base.start <= self.now < base.others[0][0]:
            base = Place(
                base.others[0][0], base.others[0][0], base.grain, base.time_only
            )  # 五点之前, said at ten
        start = self.now if base.moment or base.grain == "part_of_day" else midnight(self.today)
        until = base.reach if _names_the_end(said.base) else base.start
        if until <= start:
            return base
        return Place(start, until, base.grain, base.time_only)

    def _pick(self, said: Pick) -> Place:
        base = self._anchor(said.base, said.side)
        if said.side is None:
            return self._among(said, base)
        base = self._edge(said.base, base, said.side)
        if said.side is Kind.AFTER:
            return self._walk(said, (base.reach if not base.moment else base.start + DAY).date(), DAY)
        return self._walk(said, base.start.date() - DAY, -DAY)

    def _walk(self, said: Pick, day: date, step: timedelta) -> Place:
        """The nth day of a kind, going on from a day (that one included)."""
        nth = abs(said.nth)
        if isinstance(said.unit, Unit):
            return self._walk_units(said.unit, nth, day, 1 if step > timedelta() else -1)
        for _ in range(3000):
            if _is_kind(day, said):
                nth -= 1
                if not nth:
                    return days(day, 2 if said.unit is Kind.WEEKEND else 1)
            day += step
        raise Unresolvable

    def _walk_units(self, unit: Unit, nth: int, day: date, sign: int) -> Place:
        if unit in (Unit.DAY, Unit.DATE):
            return days(day + timedelta(sign * (nth - 1)))
        if unit is Unit.WEEK:
            return days(monday(day) + WEEK * (nth - (sign > 0 and day.weekday() == 0)) * sign, 7, "week")
        if unit is Unit.MONTH:
            first = add_months(day.replace(day=1), sign * (nth - (sign > 0 and day.day == 1)))
            return month(first.year, first.month)
        raise Unresolvable

    def _among(self, said: Pick, base: Place) -> Place:
        first, after = base.start.date(), base.reach.date()
        if not isinstance(said.unit, Unit):
            kinds = [day for n in range((after - first).days) if _is_kind(day := first + timedelta(n), said)]
            day = kinds[said.nth - 1 if said.nth > 0 else said.nth]
            return days(day, 2 if said.unit is Kind.WEEKEND else 1)
        if said.unit is Unit.WEEK:
            return self._weeks_among(said, first, after)
        length = LENGTHS[said.unit]
        if said.nth > 0:
            start = shift(base.start, length.times(said.nth - 1), 1)
            end = shift(start, length.times(said.count), 1)
        else:
            end = shift(base.reach, length.times(-said.nth - 1), -1)
            start = shift(end, length.times(said.count), -1)
        if start < base.start or start >= base.reach:
            raise Unresolvable
        return Place(start, end, _GRAINS.get(said.unit, "minute") if said.count == 1 else "day")

    def _weeks_among(self, said: Pick, first: date, after: date) -> Place:
        """Weeks of a month or a year begin on its first Monday."""
        if said.nth < 0 and said.count == 1:
            last = after - DAY
            return days(monday(last), 7, "week")
        if said.count > 1:
            span = WEEK * said.count
            return between(first, first + span) if said.nth > 0 else between(after - span, after)
        start = first + timedelta(-first.weekday() % 7) + WEEK * (said.nth - 1)
        return days(start, 7, "week")

    def _within(self, said: Within) -> Place:
        base, fields = self.place(said.base), said.fields
        inner = Resolver(midnight(base.start.date()))
        if fields.weekday is not None and fields.week_away is None and base.grain in ("day", "week"):
            day = days(monday(base.start.date()) + timedelta(fields.weekday - 1))
            return inner.at(day, fields)
        if not fields.has_date:
            return inner.at(base, fields)
        return inner.fields(fields)

    # From one place to another

    def _span(self, said: Span) -> Place:
        left = self.place(said.left)
        right = self._far_end(said, left)
        end = right.start if right.moment or right.end is None else right.end
        if end <= left.start:
            end = self._later(said, left, right, end)
        grain = right.grain if right.grain == left.grain else _finer(left.grain, right.grain)
        return Place(left.start, end, grain, left.time_only and right.time_only)

    def _far_end(self, said: Span, left: Place) -> Place:
        right = said.right
        if not isinstance(right, Fields):
            return self.place(right)
        if isinstance(said.left, Fields):
            right = inherit(said.left, right)
        if any(getattr(right, name) is not None for name in _AWAY) or right.now:
            return self.place(right)
        seen_from = Resolver(midnight(left.start.date()))
        place = seen_from.place(right)
        return replace(place, time_only=left.time_only)

    def _later(self, said: Span, left: Place, right: Place, end: datetime) -> datetime:
        """A far end said shortly lies after the near one: 上午十点到两点, 晚上十点到六点, 周五到周一."""
        fields = said.right if isinstance(said.right, Fields) else Fields()
        if fields.hour is not None and not fields.has_date:
            if fields.hour <= 12 and end + timedelta(hours=12) > left.start and fields.part is None:
                return end + timedelta(hours=12)
            return end + DAY * ((left.start - end) // DAY + 1)
        if fields.part is not None and not fields.has_date:
            return end + DAY
        if fields.weekday is not None:
            return end + WEEK
        raise Unresolvable


_GRAINS = {
    Unit.SECOND: "second",
    Unit.MINUTE: "minute",
    Unit.HOUR: "hour",
    Unit.DAY: "day",
    Unit.DATE: "day",
    Unit.WEEK: "week",
    Unit.MONTH: "month",
    Unit.QUARTER: "quarter",
    Unit.YEAR: "year",
}
_FINENESS = "second minute hour part_of_day day fuzzy week month quarter half_year season year decade century"


def _finer(a: str, b: str) -> str:
    order = _FINENESS.split()
    return min(a, b, key=order.index)


def _one(amount: Amount) -> Delta:
    return LENGTHS[amount.unit]


def _names_the_end(node: Node) -> bool:
    """月底前 is before the month is over, not before its last days."""
    return isinstance(node, Fields) and node.portion is not None and node.portion[1] is Portion.END


def _is_kind(day: date, said: Pick) -> bool:
    if said.unit is Kind.WORKDAY:
        return calendar.is_workday(day)
    if said.unit is Kind.WEEKEND:
        return day.weekday() == 5
    return day.weekday() == said.weekday - 1
