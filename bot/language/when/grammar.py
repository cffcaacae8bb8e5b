"""Time words put together: which tokens make one date, time or range, and what it says.

A recursive descent over the tokens. Every rule takes the place of a token and gives what it read
and the place after it, or None; a rule never looks back, and each looks only a few tokens ahead,
so the time is linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.language.when.calendar_words import Calendar
from bot.language.when.cursor import Read
from bot.language.when.lengths import Lengths
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
from bot.language.when.tokens import Glue
from bot.language.when.words import Kind, Unit

# 三点建议, 一点都不疼: 点 after a bare number that is no clock time.
_NO_CLOCK = (
    "建议 意见 要求 原因 疑问 疑惑 问题 不满 不明白 不清楚 不足 说明 注意 想法 看法 感受 体会 经验 理由 好处 优点 缺点 心意 希望 内容 症状 "
    "需要 钱 东西 事 都 也 儿 子 头 病"
)
_NO_CLOCK_BEFORE = tuple(_NO_CLOCK.split())
_LISTING = ("这", "那", "以下", "如下", "提", "有")  # 有三点要说
# 今年50岁, 今年六十了: an age and no date.
_AGE = re.compile(r"(?:已经|才|刚|快|都)?(?:\d{1,3}|[一二三四五六七八九十]{1,3})(?:周?岁|多岁|了|[,.，。]|$)")


_ENGLISH_WORDS = frozenset(["may", "mar", "march", "sun", "sat", "wed", "mon", "sec", "min"])


@dataclass(frozen=True, slots=True)
class Phrase:
    """One date, time or range of a text and where it stands."""

    node: Node
    start: int
    end: int


def phrases(text: str, limit: int) -> Iterator[Phrase]:
    """The dates, times and ranges of lower-case *text* in order, at most *limit*."""
    parser = _Parser(text)
    i = found = 0
    before: Node | None = None
    while i < len(parser.tokens) and found < limit:
        if (read := parser.phrase(i, before)) is None:
            i += 1
            continue
        node, j = read
        if node is not None:
            found += 1
            node = _in_context(node, before, listed=parser.listed(i))
            yield Phrase(node, parser.tokens[i].start, parser.tokens[j - 1].end)
            before = node
        i = j


def _in_context(node: Node, before: Node | None, *, listed: bool) -> Node:
    """What a later date leaves to an earlier one: 下周三或周四, 明天上午、下午, 腊月二十三 … 二十三那天."""
    earlier = _last_fields(before)
    if not isinstance(node, Fields) or earlier is None:
        return node
    if listed:
        return inherit(earlier, node)
    if node.on_that_day and node.month is None and node.month_away is None:
        return node._replace(month=earlier.month, month_away=earlier.month_away, lunar=earlier.lunar)
    return node


def _last_fields(node: Node | None) -> Fields | None:
    if isinstance(node, Span):
        return _last_fields(node.right)
    if isinstance(node, Beside):
        return _last_fields(node.base)
    return node if isinstance(node, Fields) else None


class _Parser(Lengths, Calendar):
    def listed(self, i: int) -> bool:
        """Whether a place stands in one list with the one before: 周三或周四, 周三、周五, 三点，四点."""
        if i == 0 or self.tokens[i].glue is Glue.GAP:
            return False
        return self.tokens[i].glue is Glue.COMMA or self.tokens[i - 1].kind in (Kind.OR, Kind.AND)

    # Phrases

    def phrase(self, i: int, before: Node | None = None) -> Read[Node | None]:
        """A whole expression; None in the place of the node is one to pass over (每周三)."""
        if self.tokens[i].kind is Kind.NEXT_DAY:
            return self._next_day(i, before)
        if self.tokens[i].kind in (Kind.EVERY, Kind.WORKDAY):
            return self._recurring(i)
        start = i
        opening = self.tokens[i].kind
        if opening in (Kind.FROM, Kind.BETWEEN):
            if i + 1 >= len(self.tokens) or self.tokens[i + 1].glue is Glue.GAP:
                return None
            start = i + 1
        left = self.point(start)
        if left is None:
            return None
        if opening is Kind.BETWEEN and self.is_(left[1], Kind.AND):  # between 2pm and 4pm
            right = self.point(left[1] + 1) if self.is_(left[1] + 1, *Kind) else None
            if right is not None:
                return Span(left[0], right[0]), right[1]
        return self._range(left, opened=start > i)

    def _recurring(self, i: int) -> Read[Node | None]:
        """每周三, 每月15号, 工作日上午: no time of their own."""
        j = i + 1 + self.is_(i + 1, Kind.UNIT)
        following = self.point(j) if self.is_(j, *Kind) else None
        return (None, following[1]) if following else None

    def _next_day(self, i: int, before: Node | None) -> Read[Node | None]:
        """次日, 第二天: the day after the one just named; tomorrow when none was."""
        if before is None and self.tokens[i].text == "第二天":
            return None
        one = Amount(Delta(days=1), Delta(days=1), Unit.DAY, 1)
        node: Node = Shift(one, 1, None if before is None else before)
        fields = self.fields(i + 1, Fields(), follows=True) if i + 1 < len(self.tokens) else None
        return (Within(node, fields[0]), fields[1]) if fields else (node, i + 1)

    def _range(self, left: tuple[Node, int], *, opened: bool) -> tuple[Node, int]:
        node, i = left
        if self.is_(i, Kind.BETWEEN) and self.text[self.tokens[i].start] == "之":
            i += 1
        joined = self.is_(i, Kind.TO) or (self.is_(i, Kind.ONWARDS) and self.is_(i + 1, Kind.TO))
        if joined or self.is_(i, Kind.AND):
            after = i + 1 if self.is_(i, Kind.TO, Kind.AND) else i + 2
            right = (self.point(after) or self._bare_day(after, node)) if self.is_(after, *Kind) else None
            if right is not None:
                ranged = joined or self.is_(right[1], Kind.BETWEEN)
                if joined and (days_and_hours := self._hours_of_days(node, right)):
                    return days_and_hours
                if ranged:
                    end = right[1] + (1 if self.is_(right[1], Kind.BETWEEN, Kind.DURING) else 0)
                    return Span(node, right[0]), end
        if self.is_(i, Kind.TO) and self.is_(i + 1, Kind.NOW):
            return Beside(node, Kind.SINCE), i + 2
        if self.is_(i, Kind.SINCE):
            return Beside(node, Kind.SINCE), i + 1
        if self.is_(i, Kind.ONWARDS) and (opened or self.tokens[i].text == "起"):
            return Beside(node, Kind.ONWARDS), i + 1
        return node, i

    def _bare_day(self, i: int, first: Node) -> Read[Node]:
        """农历七月初七到十五, 8月3到5."""
        number = self.exactly(i, 1, 31)
        if number is None or not isinstance(first, Fields) or first.day is None or first.has_time:
            return None
        if self.is_(i + 1, Kind.UNIT, Kind.MEASURE, Kind.NUMBER, Kind.HALF):
            return None
        return Fields(day=number), i + 1

    def _pair(self, fields: Fields, i: int) -> Read[Node]:
        """七八月份, 下午三四点, 五六号."""
        if not self.is_(i, Kind.NUMBER) and not (fields == Fields() and self.number(i)):
            return None
        count = self.number(i)
        if count is None or not 0 < count.high - count.low <= 2 or not self.is_(i + 1, Kind.UNIT):
            return None
        unit = self.the_unit(i + 1)
        if self.is_(i + 2, Kind.BEFORE, Kind.AFTER):
            return None
        if unit is Unit.MONTH and count.high <= 12:
            return Span(fields._replace(month=count.low), fields._replace(month=count.high)), i + 2
        if unit is Unit.DATE and count.high <= 31:
            return Span(fields._replace(day=count.low), fields._replace(day=count.high)), i + 2
        if unit is Unit.O_CLOCK and count.high <= 24:
            return Span(fields._replace(hour=count.low), fields._replace(hour=count.high)), i + 2
        return None

    def _hours_of_days(self, first: Node, last: tuple[Node, int]) -> Read[Node]:
        """周一到周五上午8点到12点: from the first hour of the first day to the last of the last."""
        day, i = last
        if not (isinstance(first, Fields) and isinstance(day, Fields) and self.is_(i, Kind.TO)):
            return None
        until = self.point(i + 1) if self.is_(i + 1, *Kind) else None
        if until is None or first.has_time or not day.has_date or day.hour is None:
            return None
        if not isinstance(until[0], Fields) or until[0].has_date:
            return None
        opening = first._replace(part=day.part, hour=day.hour, minute=day.minute)
        return Span(opening, inherit(day, until[0])), until[1]

    # Points: one side of a range

    def point(self, i: int) -> Read[Node]:
        if self.tokens[i].kind in (Kind.DAYS, Kind.YEARS):
            return self._days(i), i + 1
        base = self._window(i) or self._elapsed(i) or self._feast(i) or self._calendar(i)
        if base is None:
            return None
        node, i = base
        for _ in range(4):  # 国庆后 第一个周一 上午: each step is one narrowing
            step = self._narrower(node, i)
            if step is None:
                break
            node, i = step
        return node, i

    def _narrower(self, base: Node, i: int) -> Read[Node]:
        if isinstance(base, Window | Span):
            return None
        several = isinstance(base, Fields) and (base.vacation or (base.has_period and not base.has_day))
        if several and self.is_(i, Kind.NEXT_DAY):
            return Pick(base, Unit.DAY, 2), i + 1  # 国庆假期第二天
        if step := self._pick(base, i) or self._beside(base, i):
            return step
        if isinstance(base, Fields | Beside):
            return None
        fields = self.fields(i, Fields(), follows=True)
        return (Within(base, fields[0]), fields[1]) if fields else None

    def _days(self, i: int) -> Node:
        """今明两天."""
        value = self.tokens[i].value
        assert isinstance(value, tuple)
        if self.tokens[i].kind is Kind.YEARS:
            return Span(Fields(year_away=value[0]), Fields(year_away=value[1]))
        return Span(Fields(day_away=value[0]), Fields(day_away=value[1]))

    def _feast(self, i: int) -> Read[Node]:
        token = self.tokens[i]
        if token.kind is Kind.FEAST:
            assert isinstance(token.value, Kind)
            return Feast(token.value), i + 1
        if token.kind is Kind.NEW_YEAR:
            assert isinstance(token.value, Kind)
            return Feast(token.value, "春节"), i + 1
        if token.kind is Kind.VACATION and self.is_(i + 1, Kind.AFTER, Kind.BEFORE, Kind.DURING):
            return Feast(self.tokens[i + 1].kind), i + 2
        return None

    # Beside and among

    def _beside(self, base: Node, i: int) -> Read[Node]:
        """国庆后第一个周一, 中秋前一天, 周五之前, 节后第三天."""
        if isinstance(base, Feast):
            if base.side is Kind.DURING:
                return None
            picked = self._ordinal(base, i, base.side)
            return picked or self._distance(base, i, base.side)
        if not self.is_(i, Kind.AFTER, Kind.BEFORE) or isinstance(base, Beside):
            return None
        side = self.tokens[i].kind
        picked = self._ordinal(base, i + 1, side) or self._distance(base, i + 1, side)
        if picked:
            return picked
        if isinstance(base, Fields | Pick | Within):
            return Beside(base, side), i + 1
        return None

    def _distance(self, base: Node, i: int, side: Kind) -> Read[Node]:
        """中秋前三天, 春节后两周, 国庆后的周五."""
        sign = 1 if side is Kind.AFTER else -1
        if self.is_(i, Kind.NUMBER, Kind.HALF, Kind.FEW) and (read := self.amount(i)):
            return Shift(read[0], sign, base), read[1]
        if self.is_(i, Kind.WEEKDAY):
            weekday = self.tokens[i].value
            assert isinstance(weekday, int)
            return Pick(base, Kind.WEEKDAY, sign, weekday=weekday, side=side), i + 1
        if self.is_(i, Kind.WORKDAY):
            return Pick(base, Kind.WORKDAY, sign, side=side), i + 1
        if self.is_(i, Kind.WEEKEND):
            return Pick(base, Kind.WEEKEND, sign, side=side), i + 1
        return None

    def _ordinal(self, base: Node, i: int, side: Kind | None) -> Read[Node]:
        """第一个周一, 第三天, 最后一个工作日, 首个周六, 第2周."""
        sign = -1 if side is Kind.BEFORE else 1
        if self.is_(i, Kind.ORDINAL) and (nth := self.exactly(i + 1, 1, 400)) is not None:
            j, count = i + 2, 1
        elif self.is_(i, Kind.FRONT) and self.tokens[i].text == "首":
            nth, count, j = 1, 1, i + 1
        elif self.is_(i, Kind.LAST):
            sign, nth, j = -1, 1, i + 1
            count = 1
            if (number := self.exactly(j, 1, 400)) and self.is_(j, Kind.NUMBER):
                count, j = number, j + 1
        else:
            return None
        j += self.is_(j, Kind.MEASURE)
        what = self._what(j)
        if what is None:
            return None
        unit, weekday, j = what
        return Pick(base, unit, sign * nth, count, weekday, side), j

    def _what(self, j: int) -> tuple[Unit | Kind, int, int] | None:
        if self.is_(j, Kind.WEEKDAY):
            weekday = self.tokens[j].value
            assert isinstance(weekday, int)
            return Kind.WEEKDAY, weekday, j + 1
        if self.is_(j, Kind.WORKDAY):
            return Kind.WORKDAY, 0, j + 1
        if self.is_(j, Kind.WEEKEND):
            return Kind.WEEKEND, 0, j + 1
        if self.is_(j, Kind.UNIT) and (unit := self.the_unit(j)) in LENGTHS:
            # 第一个星期 一 is cut as 星期 and 一 only when a gap follows; 第一周 周一 is narrowed later
            return unit, 0, j + 1
        return None

    def _pick(self, base: Node, i: int) -> Read[Node]:
        """十月第一个周一, 今年前五个月, 去年最后三天, 今年头两周."""
        if not isinstance(base, Fields | Pick | Shift | Within):
            return None
        if picked := self._ordinal(base, i, None):
            return picked
        if not isinstance(base, Fields) or not base.has_period or base.has_day or base.has_time:
            return None
        if self.is_(i, Kind.BEFORE, Kind.FRONT, Kind.AFTER) and self.is_(i + 1, Kind.NUMBER, Kind.HALF):
            read = self.amount(i + 1)
            if read and read[0].count:
                nth = -1 if self.tokens[i].kind is Kind.AFTER else 1
                return Pick(base, read[0].unit, nth, read[0].count), read[1]
        return None

    # Calendar places, from the coarse to the fine

    def _calendar(self, i: int) -> Read[Node]:
        read = self.fields(i, Fields())
        if read is None:
            return self._pair(Fields(), i)
        fields, j = read
        if pair := self._pair(fields, j):
            return pair
        if fields.has_time and not fields.has_date and (fields.hour is not None or self._latin(j)):
            fields, j = self._date_after(j, fields)
        if fields.weekday is not None and fields.week_away is None and self._latin(j):
            fields, j = self._week_after(j, fields)
        if not self._stands(fields, i, j):
            return None
        return fields, j

    def _latin(self, j: int) -> bool:
        return j < len(self.tokens) and self.tokens[j].text.isascii()

    def _week_after(self, j: int, day: Fields) -> tuple[Fields, int]:
        """Friday next week."""
        if not self.is_(j, Kind.RELATIVE) or not self.unit(j + 1, Unit.WEEK):
            return day, j
        away = self.tokens[j].value
        assert isinstance(away, int)
        whole = day._replace(week_away=away)
        return self.fields(j + 2, whole, follows=True) or (whole, j + 2)

    def _date_after(self, j: int, time: Fields) -> tuple[Fields, int]:
        """A day that follows its hour: 3pm tomorrow, 下午三点 周五."""
        if not self.is_(j, Kind.DAY, Kind.WEEKDAY, Kind.RELATIVE, Kind.MONTH, Kind.DATE):
            return time, j
        read = self.fields(j, Fields(), follows=True)
        if read is None or read[0].has_time:
            return time, j
        date = read[0]
        return date._replace(part=time.part, hour=time.hour, minute=time.minute, second=time.second), read[1]

    def _stands(self, fields: Fields, i: int, j: int) -> bool:
        """Whether tokens *i* to *j* can be a date all by themselves."""
        first = self.tokens[i]
        if not fields.has_date and not fields.has_time:
            return False  # 农历
        if j == i + 1 and first.kind is Kind.PART and len(first.text) == 1:
            return False  # 早, 晚, 夜 alone are parts of other words
        if j == i + 1 and first.kind is Kind.SEASON and len(first.text) == 1:
            return False
        if j == i + 1 and first.text in _ENGLISH_WORDS and len(first.text) < len(self.text):
            return False  # may, sun, sat
        if j == i + 1 and first.kind is Kind.YEAR and _AGE.match(self.text, first.end):
            return False
        if not fields.has_date and fields.hour is not None and fields.part is None:
            return self._bare_clock_stands(i, j)
        return True

    def _bare_clock_stands(self, i: int, j: int) -> bool:
        end = self.tokens[j - 1].end
        if (
            self.tokens[i].kind is Kind.CLOCK
            or j > i + 2
            or (i and self.tokens[i - 1].kind is Kind.TO and self.tokens[i].glue is Glue.CLOSE)
        ):
            return True
        if self.text.startswith(_NO_CLOCK_BEFORE, end):
            return False
        start = self.tokens[i].start
        if self.tokens[i].text in ("一", "1", "半") or self.text.endswith(_LISTING, 0, start):
            return start == 0 and (end == len(self.text) or self.text[end] in "见来去到吗左")
        return True
