"""Time words put together: which tokens make one date, time or range, and what it says.

A recursive descent over the tokens. Every rule takes the place of a token and gives what it read
and the place after it, or None; a rule never looks back, and each looks only a few tokens ahead,
so the time is linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from bot.language.numerals import Count
from bot.language.when.nodes import (
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
from bot.language.when.tokens import Glue, Token, tokens
from bot.language.when.words import Kind, Part, Portion, Unit

# A place may follow only a coarser one.
_LUNAR, _FRAME, _DECADES, _YEARS, _PERIOD, _MONTHS, _PORTIONS, _WEEKS, _DAY, _PARTS, _CLOCKS = range(1, 12)
_THIS_CENTURY = 21

T = TypeVar("T")
Read = tuple[T, int] | None

_LENGTHS = {
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
_HALVES = {
    Unit.MINUTE: Delta(seconds=30),
    Unit.HOUR: Delta(seconds=1800),
    Unit.DAY: Delta(seconds=12 * 3600),
    Unit.WEEK: Delta(days=3),
    Unit.MONTH: Delta(days=15),
    Unit.YEAR: Delta(months=6),
    Unit.CENTURY: Delta(months=600),
}
_CLOCK_UNITS = frozenset({Unit.SECOND, Unit.MINUTE, Unit.QUARTER_HOUR, Unit.HOUR})

# 手术三天后, 饭前半小时, 产后一周: counted from something that is not the present.
_EVENT_BEFORE = frozenset("术院药牙饭产完针餐娩苗线血检查后前经孕床食水奶疗镜膜伤生病怀周岁第了")
# 三点建议, 一点都不疼: 点 after a bare number that is no clock time.
_NO_CLOCK_BEFORE = [
    "建议",
    "意见",
    "要求",
    "原因",
    "疑问",
    "疑惑",
    "问题",
    "不满",
    "不明白",
    "不清楚",
    "不足",
    "说明",
    "注意",
    "想法",
    "看法",
    "感受",
    "体会",
    "经验",
    "理由",
    "好处",
    "优点",
    "缺点",
    "心意",
    "希望",
    "内容",
    "症状",
    "需要",
    "钱",
    "东西",
    "事",
    "都",
    "也",
    "儿",
    "子",
    "头",
    "病",
]


# 今年50岁, 今年六十了: an age and no date.
_AGE = re.compile(r"(?:已经|才|刚|快|都)?(?:\d{1,3}|[一二三四五六七八九十]{1,3})(?:周?岁|多岁|了|[,.，。]|$)")


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
        return replace(node, month=earlier.month, month_away=earlier.month_away, lunar=earlier.lunar)
    return node


def _last_fields(node: Node | None) -> Fields | None:
    if isinstance(node, Span):
        return _last_fields(node.right)
    if isinstance(node, Beside):
        return _last_fields(node.base)
    return node if isinstance(node, Fields) else None


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens(text)

    # Looking at tokens

    def is_(self, i: int, *kinds: Kind) -> bool:
        """Whether a token of these kinds follows closely at *i*."""
        return i < len(self.tokens) and self.tokens[i].kind in kinds and self.tokens[i].glue is Glue.CLOSE

    def unit(self, i: int, *units: Unit) -> bool:
        return self.is_(i, Kind.UNIT) and self.tokens[i].value in units

    def number(self, i: int) -> Count | None:
        if i < len(self.tokens) and self.tokens[i].kind is Kind.NUMBER:
            value = self.tokens[i].value
            assert isinstance(value, Count)
            return value
        return None

    def exactly(self, i: int, low: int, high: int) -> int | None:
        """The number at *i* when it is exact and within bounds."""
        count = self.number(i)
        return count.low if count and count.low == count.high and low <= count.low <= high else None

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
            skipped = self.point(i + 1) if self.is_(i + 1, *Kind) else None
            return (None, skipped[1]) if skipped else None
        start = i
        if self.tokens[i].kind is Kind.FROM or self.tokens[i].kind is Kind.BETWEEN:
            if i + 1 >= len(self.tokens) or self.tokens[i + 1].glue is Glue.GAP:
                return None
            start = i + 1
        left = self.point(start)
        if left is None:
            return None
        return self._range(left, opened=start > i)

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
            right = self.point(after) if self.is_(after, *Kind) else None
            if right is not None:
                ranged = joined or self.is_(right[1], Kind.BETWEEN)
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
        if isinstance(base, Fields) and base.vacation and self.is_(i, Kind.NEXT_DAY):
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

    # Lengths of time

    def amount(self, i: int, *, first: bool = False) -> Read[Amount]:
        """两三天, 一个半月, 两小时三十分, 半年, 3-5天, 一年零三个月."""
        low = high = Delta()
        units: list[tuple[Unit, int]] = []
        while first or self.is_(i, Kind.NUMBER, Kind.HALF, Kind.FEW):
            first = False
            part = self._one_length(i)
            if part is None:
                break
            (bounds, unit, count), i = part
            low, high = low + bounds[0], high + bounds[1]
            units.append((unit, count))
        if not units:
            return None
        single = units[0][1] if len(units) == 1 else 0
        return Amount(low, high, units[-1][0], single), i

    def _one_length(self, i: int) -> Read[tuple[tuple[Delta, Delta], Unit, int]]:
        if self.tokens[i].kind is Kind.HALF:
            j = i + 1 + (1 if self.is_(i + 1, Kind.MEASURE) else 0)
            if self.is_(j, Kind.UNIT) and (unit := self._unit(j)) in _HALVES:
                return ((_HALVES[unit], _HALVES[unit]), unit, 0), j + 1
            return None
        counted = self._count(i)
        if counted is None:
            return None
        (low, high), j = counted
        if self.is_(j, Kind.ABOUT) and self.tokens[j].text in ("多", "来"):
            j += 1
        measured = self.is_(j, Kind.MEASURE)
        j += measured
        half = self.is_(j, Kind.HALF)
        j += half
        if not self.is_(j, Kind.UNIT):
            return None
        unit = self._unit(j)
        if unit not in _LENGTHS or not self._counts(i, j, unit, measured=measured):
            return None
        extra = Delta()
        if half or self.is_(j + 1, Kind.HALF):
            if unit not in _HALVES:
                return None
            extra = _HALVES[unit]
            j += not half
        elif self.is_(j + 1, Kind.ABOUT) and self.tokens[j + 1].text == "多":
            j += 1
        length = _LENGTHS[unit]
        count = low if low == high and extra == Delta() else 0
        return ((length.times(low) + extra, length.times(high) + extra), unit, count), j + 1

    def _unit(self, i: int) -> Unit:
        unit = self.tokens[i].value
        assert isinstance(unit, Unit)
        return unit

    def _counts(self, i: int, j: int, unit: Unit, *, measured: bool) -> bool:
        """Whether a number and a unit are a length: 3个月, 两年, not 3月, 3号, 2026年."""
        number, count = self.tokens[i], self.number(i)
        if unit is Unit.MONTH:
            return measured or self.tokens[j].text != "月" or number.text in ("两", "半", "数", "几", "two")
        if unit is Unit.DATE:
            return self.tokens[j].text == "日"
        if unit is Unit.YEAR:
            return count is None or count.high < 1000
        return True

    def _count(self, i: int) -> Read[tuple[int, int]]:
        if self.tokens[i].kind is Kind.FEW:
            return (3, 7), i + 1
        count = self.number(i)
        if count is None:
            return None
        if self.is_(i + 1, Kind.TO, Kind.OR) and (more := self.exactly(i + 2, 1, 999)):
            # 3-5天, 2、3天, 两到三天
            j = i + 3 + (1 if self.is_(i + 3, Kind.MEASURE) else 0)
            if self.is_(j, Kind.UNIT) and self._unit(j) in _LENGTHS and count.low < more:
                return (count.low, more), i + 3
        if i + 1 < len(self.tokens) and self.tokens[i + 1].glue is Glue.COMMA:
            more_or_none = self.exactly(i + 1, count.low + 1, count.low + 2)
            if more_or_none and self.is_(i + 2, Kind.UNIT, Kind.MEASURE):
                return (count.low, more_or_none), i + 2
        return (count.low, count.high), i + 1

    def _elapsed(self, i: int) -> Read[Node]:
        """三天后, 半小时前, 两周内, in two weeks, two weeks ago."""
        token = self.tokens[i]
        if token.kind not in (Kind.NUMBER, Kind.HALF, Kind.FEW) or self._event_before(token.start):
            return None
        read = self.amount(i, first=True)
        if read is None:
            return None
        amount, j = read
        if self.is_(j, Kind.WORKDAY):
            return None
        if self.is_(j, Kind.AFTER):
            return Shift(amount, 1), j + 1
        if self.is_(j, Kind.BEFORE):
            return Shift(amount, -1), j + 1
        if self.is_(j, Kind.WITHIN):
            return Window(amount, Kind.WITHIN, 1), j + 1
        if self.text[: token.start].endswith(("in ", "in about ")):
            return Shift(amount, 1), j
        return None

    def _event_before(self, start: int) -> bool:
        return start > 0 and self.text[start - 1] in _EVENT_BEFORE

    def _window(self, i: int) -> Read[Node]:
        """未来三天, 最近两周, 过去半年, 前两天, 上两个月, 下三周; 三个工作日后."""
        token = self.tokens[i]
        kind = token.kind
        if kind is Kind.NUMBER or kind is Kind.FEW:
            return self._workdays(i)
        if kind is Kind.PASSING:
            return self._passing(i)
        if kind not in (
            Kind.PAST,
            Kind.RECENT,
            Kind.COMING,
            Kind.BEFORE,
            Kind.AFTER,
            Kind.FRONT,
            Kind.RELATIVE,
        ):
            return None
        if kind in (Kind.BEFORE, Kind.AFTER) and self._han_before(token.start):
            return None
        if kind is Kind.RELATIVE and (one := self._single(i)):
            return one
        if not self.is_(i + 1, Kind.NUMBER, Kind.HALF, Kind.FEW):
            return self._recently(i) if kind is Kind.RECENT else None
        read = self.amount(i + 1)
        if read is None:
            return None
        amount, j = read
        if kind is Kind.RELATIVE:
            return self._aligned(token, amount, j)
        if amount.unit is Unit.QUARTER and 1 <= amount.count <= 3 and kind in (Kind.BEFORE, Kind.FRONT):
            return Pick(Fields(year_away=0), Unit.QUARTER, 1, amount.count), j  # 前三季度
        if kind is Kind.COMING or kind is Kind.AFTER:
            return Window(amount, Kind.COMING, 1), j + (1 if self.is_(j, Kind.WITHIN, Kind.DURING) else 0)
        if kind is Kind.RECENT and token.text == "近" and self.is_(j, Kind.BEFORE):  # 近一个月前
            return Shift(amount, -1), j + 1
        manner = Kind.RECENT if kind is Kind.RECENT else Kind.PAST
        return Window(amount, manner, -1), j + (1 if self.is_(j, Kind.WITHIN, Kind.DURING) else 0)

    def _passing(self, i: int) -> Read[Node]:
        """过两天, 再过半小时."""
        token = self.tokens[i]
        if token.text == "过" and self._han_before(token.start):
            return None
        if not self.is_(i + 1, Kind.NUMBER, Kind.HALF, Kind.FEW):
            return None
        read = self.amount(i + 1)
        if read is None:
            return None
        after = read[1] + (1 if self.is_(read[1], Kind.AFTER) else 0)
        return Shift(read[0], 1), after

    def _single(self, i: int) -> Read[Node]:
        """下个工作日, 上个小时."""
        away = self.tokens[i].value
        assert isinstance(away, int)
        if self.is_(i + 1, Kind.WORKDAY) and away:
            side = Kind.AFTER if away > 0 else Kind.BEFORE
            return Pick(Fields(day_away=0), Kind.WORKDAY, away, side=side), i + 2
        if self.is_(i + 1, Kind.UNIT) and (unit := self._unit(i + 1)) in _CLOCK_UNITS and away:
            one = Amount(_LENGTHS[unit], _LENGTHS[unit], unit, 1)
            return Window(one, Kind.RELATIVE, away), i + 2
        return None

    def _recently(self, i: int) -> Read[Node]:
        if self.tokens[i].text != "最近":
            return None
        few = Amount(Delta(days=3), Delta(days=3), Unit.DAY, 0)
        return Window(few, Kind.FEW, -1), i + 1

    def _han_before(self, start: int) -> bool:
        """术后三天, 饭前两小时, 以前: 前 and 后 lean on a word before them."""
        if start == 0:
            return False
        before = self.text[start - 1]
        return (
            "\u4e00" <= before <= "\u9fff"
            and before not in "的在是请约到从就我你他她和跟为给了过想要问这那再等先能"
        )

    def _aligned(self, token: Token, amount: Amount, j: int) -> Read[Node]:
        away = token.value
        assert isinstance(away, int)
        if away == 0 or abs(away) != 1:
            if away == 0 and amount.unit in (Unit.DAY, Unit.WEEK, Unit.MONTH):  # 这两天, 这三个月
                return Window(amount, Kind.NOW, 1), j
            return None
        if amount.unit in _CLOCK_UNITS or amount.count:
            return Window(amount, Kind.RELATIVE, away), j
        return None

    def _workdays(self, i: int) -> Read[Node]:
        """三个工作日后, 5个工作日内."""
        count = self.exactly(i, 1, 366)
        j = i + 1 + (1 if self.is_(i + 1, Kind.MEASURE) else 0)
        if (
            count is None
            or not self.is_(j, Kind.WORKDAY)
            or not self.is_(j + 1, Kind.AFTER, Kind.WITHIN, Kind.BEFORE)
        ):
            return None
        side = self.tokens[j + 1].kind
        today = Fields(day_away=0)
        if side is Kind.BEFORE:
            return Pick(today, Kind.WORKDAY, -count, side=Kind.BEFORE), j + 2
        if side is Kind.AFTER:
            return Pick(today, Kind.WORKDAY, count, side=Kind.AFTER), j + 2
        return Span(today, Pick(today, Kind.WORKDAY, count, side=Kind.AFTER)), j + 2

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
        if self._must_be_anchor(base):
            return Beside(base, side), i + 1
        return None

    def _must_be_anchor(self, base: Node) -> bool:
        return isinstance(base, Fields | Pick | Within)

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
        if self.is_(j, Kind.UNIT) and (unit := self._unit(j)) in _LENGTHS:
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
            return None
        fields, j = read
        if fields.has_time and not fields.has_date and self._latin_date(j):  # 3pm tomorrow
            fields, j = self.fields(j, fields, follows=True) or (fields, j)
        if not self._stands(fields, i, j):
            return None
        return fields, j

    def _latin_date(self, j: int) -> bool:
        return (
            self.is_(j, Kind.DAY, Kind.WEEKDAY, Kind.RELATIVE, Kind.MONTH) and self.tokens[j].text.isascii()
        )

    def _stands(self, fields: Fields, i: int, j: int) -> bool:
        """Whether tokens *i* to *j* can be a date all by themselves."""
        first = self.tokens[i]
        if j == i + 1 and first.kind is Kind.PART and len(first.text) == 1:
            return False  # 早, 晚, 夜 alone are parts of other words
        if j == i + 1 and first.kind is Kind.SEASON and len(first.text) == 1:
            return False
        if j == i + 1 and first.kind is Kind.MONTH and len(first.text) <= 3:
            return False
        if j == i + 1 and first.kind is Kind.YEAR and _AGE.match(self.text, first.end):
            return False
        if not fields.has_date and fields.hour is not None and fields.part is None:
            return self._bare_clock_stands(i, j)
        return True

    def _bare_clock_stands(self, i: int, j: int) -> bool:
        end = self.tokens[j - 1].end
        if self.tokens[i].kind is Kind.CLOCK or j > i + 2:
            return True
        if any(self.text.startswith(word, end) for word in _NO_CLOCK_BEFORE):
            return False
        before = self.text[: self.tokens[i].start]
        if self.tokens[i].text in ("一", "1", "半") or before.endswith(
            ("这", "那", "以下", "如下", "提", "有")
        ):
            return before == "" and (end == len(self.text) or self.text[end] in "见来去到吗左")
        return True

    def fields(self, i: int, fields: Fields, *, follows: bool = False) -> Read[Fields]:
        """A run of calendar places, each finer than the last."""
        rank, start = 0, i
        while i < len(self.tokens):
            token = self.tokens[i]
            if (i > start or follows) and not self._continues(token, rank):
                break
            step = self._field(i, fields, rank)
            if step is None:
                break
            fields, i, rank = step
            i = self._after_field(i, fields)
        return (fields, i) if i > start else None

    def _continues(self, token: Token, rank: int) -> bool:
        if token.glue is Glue.CLOSE:
            return True
        # "10月12号，星期一", "(周三)", "明天，下午3点"
        return (
            token.glue is Glue.COMMA and rank >= _DAY and token.kind in (Kind.WEEKDAY, Kind.PART, Kind.CLOCK)
        )

    def _after_field(self, i: int, fields: Fields) -> int:
        while (
            self.is_(i, Kind.ABOUT, Kind.THAT_DAY, Kind.SHARP)
            or (self.is_(i, Kind.WITHIN) and fields.has_period and not fields.has_day)
            or (self.is_(i, Kind.DURING) and not (fields.has_time and self.tokens[i].text == "里"))
        ):
            if self.tokens[i].text in ("多", "来", "许") and fields.hour is None:
                break
            i += 1
        return i

    def _field(self, i: int, fields: Fields, rank: int) -> tuple[Fields, int, int] | None:
        kind = self.tokens[i].kind
        if kind is Kind.LUNAR and not fields.has_day:  # 二〇一七年农历正月十九
            return replace(fields, lunar=True), i + 1, max(rank, _LUNAR)
        if kind is Kind.RELATIVE:
            step = self._relative(i, fields)
            return step if step and step[2] > rank else None
        for level, rule in _RULES.get(kind, ()):
            again = kind is Kind.WEEKDAY and level == rank and fields.day is not None  # 10月12号，星期一
            if (level > rank or again) and (read := rule(self, i, fields)):
                return read[0], read[1], self._level(level, read[0])
        return None

    def _level(self, level: int, fields: Fields) -> int:
        """How fine the place has become; some words say more than one thing (今晚, 2026-03)."""
        if level == _DAY and fields.part is not None:
            return _PARTS
        if fields.portion is not None and level < _PORTIONS:
            return _PORTIONS
        if level == _DAY and fields.day is None and not fields.has_day:
            return _MONTHS
        return level

    # One rule for each kind of place

    def _now(self, i: int, fields: Fields) -> Read[Fields]:
        return replace(fields, now=True), i + 1

    def _year_word(self, i: int, fields: Fields) -> Read[Fields]:
        away = self.tokens[i].value
        assert isinstance(away, int)
        return replace(fields, year_away=away), i + 1

    def _year_number(self, i: int, fields: Fields) -> Read[Fields]:
        """2026年, 二〇二六年, 零八年, 98年3月, 2018~2020年."""
        token, number = self.tokens[i], self.exactly(i, 0, 9999)
        if number is None:
            return None
        if number >= 1900 and self.is_(i + 1, Kind.QUARTER):  # 2019Q3
            return replace(fields, year=number), i + 1
        if number >= 1900 and (portion := self._portion_of(i + 1, "年")):  # 2018年底
            return replace(fields, year=number, portion=portion), i + 2
        borrowed = self._borrowed(i, Unit.YEAR) if number >= 1000 else None
        if borrowed is None and not self.unit(i + 1, Unit.YEAR):
            return None
        j = i + 1 if borrowed else i + 2
        if number >= 1000:
            return replace(fields, year=number), j
        if len(token.text) == 2 and not set(token.text) & set("十百两几"):
            sure = token.text[0] in "0零〇" or not token.text.isdecimal()  # noqa: RUF001
            if sure or self._year_goes_on(j) or (i == 0 and j == len(self.tokens) and token.start == 0):
                return replace(fields, year=number + (1900 if number > 50 else 2000)), j
        return None

    def _portion_of(self, i: int, whole: str) -> tuple[Unit, Portion] | None:
        """The 底 of 年底 after a number, which the tokens took for one word."""
        if not self.is_(i, Kind.PORTION) or not self.tokens[i].text.startswith(whole):
            return None
        value = self.tokens[i].value
        assert isinstance(value, tuple)
        return value[0], value[1]

    def _year_goes_on(self, j: int) -> bool:
        if self.is_(j, Kind.SEASON, Kind.HALF_YEAR, Kind.FESTIVAL, Kind.LUNAR_MONTH, Kind.QUARTER):
            return True
        return self.number(j) is not None and self.unit(j + 1, Unit.MONTH, Unit.QUARTER)

    def _borrowed(self, i: int, *units: Unit) -> int | None:
        """The unit that comes only after the far end: 9~11点, 3-5号. Gives its place."""
        ranged = self.is_(i + 1, Kind.TO) and self.is_(i + 2, Kind.NUMBER) and self.unit(i + 3, *units)
        return i + 3 if ranged else None

    def _century(self, i: int, fields: Fields) -> Read[Fields]:
        """21世纪, 上世纪, 本世纪."""
        number = self.exactly(i, 1, 30)
        if number is not None and self.unit(i + 1, Unit.CENTURY):
            return replace(fields, century=number), i + 2
        return None

    def _decade(self, i: int, fields: Fields) -> Read[Fields]:
        """90年代, 八十年代, 2010年代."""
        number = self.exactly(i, 0, 2090)
        if number is None or number % 10 or not self.unit(i + 1, Unit.DECADE) or 90 < number < 1000:
            return None
        if number >= 1000:
            return replace(fields, century=number // 100 + 1, decade=number % 100), i + 2
        return replace(fields, decade=number), i + 2

    def _relative(self, i: int, fields: Fields) -> tuple[Fields, int, int] | None:
        """上周, 下下个星期三, 本月底, 上世纪, 下个中秋, this afternoon."""
        away = self.tokens[i].value
        assert isinstance(away, int)
        if not self.is_(i + 1, *Kind):
            return None
        token = self.tokens[i + 1]
        value = token.value
        if token.kind is Kind.UNIT:
            assert isinstance(value, Unit)
            return self._relative_unit(i, fields, away, value)
        if token.kind is Kind.WEEKDAY:
            assert isinstance(value, int)
            return replace(fields, week_away=away, weekday=value), i + 2, _DAY
        if token.kind is Kind.WEEKEND:
            return replace(fields, week_away=away, weekend=True), i + 2, _DAY
        if token.kind is Kind.PORTION and token.text[0] in "月周" and isinstance(value, tuple):
            return replace(fields, month_away=away, portion=value), i + 2, _PORTIONS
        if token.kind is Kind.SEASON:
            assert isinstance(value, int)
            return replace(fields, year_away=away, season=value), i + 2, _PERIOD
        if token.kind is Kind.FESTIVAL:
            assert isinstance(value, str)
            return replace(fields, festival=value, festival_away=away), i + 2, _DAY
        if token.kind is Kind.PART and token.text.isascii() and away <= 0:  # this morning, last night
            assert isinstance(value, Part)
            return replace(fields, day_away=away, part=value), i + 2, _PARTS
        return None

    def _relative_unit(self, i: int, fields: Fields, away: int, unit: Unit) -> tuple[Fields, int, int] | None:
        if unit is Unit.WEEK:
            return replace(fields, week_away=away), i + 2, _WEEKS
        if unit is Unit.MONTH:
            return replace(fields, month_away=away), i + 2, _MONTHS
        if unit is Unit.YEAR:
            return replace(fields, year_away=away), i + 2, _YEARS
        if unit is Unit.QUARTER:
            return replace(fields, quarter_away=away), i + 2, _PERIOD
        if unit is Unit.CENTURY:
            return replace(fields, century=_THIS_CENTURY + away), i + 2, _FRAME
        return None

    def _date(self, i: int, fields: Fields) -> Read[Fields]:
        value = self.tokens[i].value
        assert isinstance(value, tuple)
        year, month, day = value
        return replace(fields, year=year, month=month, day=day), i + 1

    def _season(self, i: int, fields: Fields) -> Read[Fields]:
        value = self.tokens[i].value
        assert isinstance(value, int)
        return replace(fields, season=value), i + 1

    def _half_year(self, i: int, fields: Fields) -> Read[Fields]:
        value = self.tokens[i].value
        assert isinstance(value, int)
        return replace(fields, half_year=value), i + 1

    def _quarter(self, i: int, fields: Fields) -> Read[Fields]:
        """第三季度, 二季度, Q3, 四季度."""
        if self.tokens[i].kind is Kind.QUARTER:
            value = self.tokens[i].value
            assert isinstance(value, int)
            return replace(fields, quarter=value), i + 1
        j = i + (1 if self.tokens[i].kind is Kind.ORDINAL else 0)
        if (j > i and not self.is_(j, Kind.NUMBER)) or (number := self.exactly(j, 1, 4)) is None:
            return None
        j += 1 + (1 if self.is_(j + 1, Kind.MEASURE) else 0)
        return (replace(fields, quarter=number), j + 1) if self.unit(j, Unit.QUARTER) else None

    def _month_number(self, i: int, fields: Fields) -> Read[Fields]:
        """3月, 三月份, 闰六月, 3到5月."""
        leap = self.tokens[i].kind is Kind.LEAP
        i += leap
        number = self.exactly(i, 1, 12)
        if number is None or self.tokens[i].text == "两":
            return None
        if not leap and (portion := self._portion_of(i + 1, "月")):  # 8月底
            return replace(fields, month=number, portion=portion), i + 2
        if self._borrowed(i, Unit.MONTH):
            return replace(fields, month=number, leap=leap), i + 1
        if self.unit(i + 1, Unit.MONTH):
            return replace(fields, month=number, leap=leap, lunar=fields.lunar or leap), i + 2
        return None

    def _month_name(self, i: int, fields: Fields) -> Read[Fields]:
        value = self.tokens[i].value
        assert isinstance(value, int)
        lunar = self.tokens[i].kind is Kind.LUNAR_MONTH
        return replace(fields, month=value, lunar=lunar or fields.lunar), i + 1

    def _portion(self, i: int, fields: Fields) -> Read[Fields]:
        value = self.tokens[i].value
        assert isinstance(value, tuple)
        unit, portion = value
        if (
            self.tokens[i].text[0] not in "年月上中下前后周世" or self.tokens[i].text[1:] == "期"
        ):  # 年 or 月 stands before 初, 底, 末
            above = fields.month is not None or fields.month_away is not None
            if not above and fields.year is None and fields.year_away is None and fields.decade is None:
                return None
            unit = Unit.MONTH if above else Unit.YEAR if fields.decade is None else Unit.DECADE
        return replace(fields, portion=(unit, portion)), i + 1

    def _weekday(self, i: int, fields: Fields) -> Read[Fields]:
        value = self.tokens[i].value
        assert isinstance(value, int)
        return replace(fields, weekday=value), i + 1

    def _weekend(self, i: int, fields: Fields) -> Read[Fields]:
        return replace(fields, weekend=True), i + 1

    def _day_number(self, i: int, fields: Fields) -> Read[Fields]:
        """15号, 8月3日, 十月31, 3-5号, 腊月二十三, 二十三那天."""
        number = self.exactly(i, 1, 31)
        if number is None:
            return None
        if self.unit(i + 1, Unit.DATE):
            return replace(fields, day=number), i + 2
        if self.is_(i + 1, Kind.MONTH) and fields.month is None:  # 5 March
            month = self.tokens[i + 1].value
            assert isinstance(month, int)
            return self._english_year(i + 2, replace(fields, day=number, month=month))
        if self._borrowed(i, Unit.DATE):
            return replace(fields, day=number), i + 1
        in_month = fields.month is not None or fields.month_away is not None
        if in_month and not self.is_(i + 1, Kind.UNIT, Kind.MEASURE, Kind.NUMBER, Kind.HALF):
            return self._english_year(i + 1, replace(fields, day=number))
        if self.is_(i + 1, Kind.THAT_DAY):
            return replace(fields, day=number, on_that_day=True), i + 2
        return None

    def _english_year(self, i: int, fields: Fields) -> Read[Fields]:
        """March 5, 2026."""
        glued = i < len(self.tokens) and self.tokens[i].glue is not Glue.GAP
        if glued and self.text[i - 1 : i].isascii() and (year := self.exactly(i, 1900, 2100)):
            return replace(fields, year=year), i + 1
        return fields, i

    def _lunar_date(self, i: int, fields: Fields) -> Read[Fields]:
        value = self.tokens[i].value
        assert isinstance(value, tuple)
        return replace(fields, lunar=True, month=value[0], day=value[1]), i + 1

    def _lunar_day(self, i: int, fields: Fields) -> Read[Fields]:
        value = self.tokens[i].value
        assert isinstance(value, int)
        return replace(fields, lunar=True, day=value), i + 1

    def _day_word(self, i: int, fields: Fields) -> Read[Fields]:
        value = self.tokens[i].value
        assert isinstance(value, tuple)
        return replace(fields, day_away=value[0], part=value[1] or fields.part), i + 1

    def _festival(self, i: int, fields: Fields) -> Read[Fields]:
        token, name = self.tokens[i], self.tokens[i].value
        if token.kind is Kind.NUMBER:  # 十一 is 国庆 only where nothing else fits
            if token.text != "十一" or not self.is_(
                i + 1, Kind.VACATION, Kind.DURING, Kind.AFTER, Kind.BEFORE, Kind.THAT_DAY
            ):
                return None
            name = "国庆"
        assert isinstance(name, str)
        vacation = self.is_(i + 1, Kind.VACATION) or (
            self.is_(i + 1, Kind.DURING) and self.tokens[i + 1].text == "期间"
        )
        return replace(fields, festival=name, vacation=vacation), i + 1 + vacation

    def _part(self, i: int, fields: Fields) -> Read[Fields]:
        value = self.tokens[i].value
        assert isinstance(value, Part)
        if value in (Part.NOON, Part.MIDNIGHT) and (beside := self._beside_noon(i, value, fields)):
            return beside
        return replace(fields, part=value), i + 1

    def _beside_noon(self, i: int, part: Part, fields: Fields) -> Read[Fields]:
        """中午过一刻, 午夜差五分."""
        minutes = self._minutes(i + 2) if self.is_(i + 1, Kind.PASSING, Kind.SHORT_OF) else None
        if minutes is None:
            return None
        noon = 12 if part is Part.NOON else 0
        if self.tokens[i + 1].kind is Kind.PASSING:
            return replace(fields, hour=noon, minute=minutes[0]), minutes[1]
        return replace(fields, hour=(noon - 1) % 24, minute=60 - minutes[0]), minutes[1]

    def _clock(self, i: int, fields: Fields) -> Read[Fields]:
        value = self.tokens[i].value
        assert isinstance(value, tuple)
        hour, minute, second, certain = value
        part = fields.part
        if certain:
            part = part or (Part.AM if hour < 12 else Part.PM)
        return replace(fields, hour=hour, minute=minute, second=second, part=part), i + 1

    def _o_clock(self, i: int, fields: Fields) -> Read[Fields]:
        """三点半, 8点20, 下午3点一刻, 16时40分50秒, 差五分八点, 八点差一刻, 9~11点."""
        short = 0
        if self.tokens[i].kind is Kind.SHORT_OF:
            lacking = self._minutes(i + 1)
            if lacking is None:
                return None
            short, i = lacking
        hour = self.exactly(i, 0, 24)
        if hour is None or (short and not self.is_(i, Kind.NUMBER)):
            return None
        if self._borrowed(i, Unit.O_CLOCK):
            return replace(fields, hour=hour), i + 1
        if not self.unit(i + 1, Unit.O_CLOCK):
            return None
        minute, second, i = self._after_o_clock(i + 2)
        if minute is None and i < 0:
            return None
        if not minute and self.is_(i, Kind.SHORT_OF) and (lacking := self._lacking(i + 1)):
            short, i = lacking
        if short:
            hour, minute = (hour - 1) % 24, 60 - short
        return replace(fields, hour=hour, minute=minute, second=second), i

    def _minutes(self, i: int) -> Read[int]:
        if not self.is_(i, Kind.NUMBER):
            return None
        number = self.exactly(i, 1, 59)
        if number and self.unit(i + 1, Unit.MINUTE):
            return number, i + 2
        if number and number <= 3 and self.unit(i + 1, Unit.QUARTER_HOUR):
            return number * 15, i + 2
        return None

    def _lacking(self, i: int) -> Read[int]:
        """What 差 says: minutes, and after 点 a bare number or 半 too."""
        if self.is_(i, Kind.HALF):
            return 30, i + 1
        if minutes := self._minutes(i):
            return minutes
        number = self.exactly(i, 1, 59) if self.is_(i, Kind.NUMBER) else None
        return (number, i + 1) if number else None

    def _after_o_clock(self, i: int) -> tuple[int | None, int | None, int]:
        """Minutes and seconds after 点; the place is -1 when it was a decimal (三点五) and no clock."""
        i += self.is_(i, Kind.SHARP)
        if (
            self.is_(i, Kind.PASSING)
            and self.tokens[i].text == "过"
            and self.is_(i + 1, Kind.NUMBER, Kind.HALF)
        ):
            i += 1  # 八点过五分
        if self.is_(i, Kind.HALF):
            return 30, None, i + 1
        if not self.is_(i, Kind.NUMBER):
            return None, None, i
        if minutes := self._minutes(i):
            minute, i = minutes
            if self.is_(i, Kind.NUMBER) and self.unit(i + 1, Unit.SECOND):
                second = self.exactly(i, 0, 59)
                return (minute, second, i + 2) if second is not None else (minute, None, i)
            return minute, None, i
        if (zero := self.exactly(i, 0, 0)) is not None and self.unit(i + 1, Unit.MINUTE):
            return zero, None, i + 2
        bare = self.exactly(i, 0, 59)
        if bare is None or self.is_(i + 1, Kind.UNIT, Kind.MEASURE, Kind.HALF):
            return None, None, i
        if len(self.tokens[i].text) == 1 and bare < 10:
            return None, None, -1
        return bare, None, i + 1


_RULES: Mapping[Kind, tuple[tuple[int, Callable[[_Parser, int, Fields], Read[Fields]]], ...]] = {
    Kind.NOW: ((_DAY, _Parser._now),),
    Kind.NUMBER: (
        (_FRAME, _Parser._century),
        (_DECADES, _Parser._decade),
        (_YEARS, _Parser._year_number),
        (_PERIOD, _Parser._quarter),
        (_MONTHS, _Parser._month_number),
        (_DAY, _Parser._festival),
        (_DAY, _Parser._day_number),
        (_CLOCKS, _Parser._o_clock),
    ),
    Kind.YEAR: ((_YEARS, _Parser._year_word),),
    Kind.DATE: ((_DAY, _Parser._date),),
    Kind.SEASON: ((_PERIOD, _Parser._season),),
    Kind.HALF_YEAR: ((_PERIOD, _Parser._half_year),),
    Kind.QUARTER: ((_PERIOD, _Parser._quarter),),
    Kind.ORDINAL: ((_PERIOD, _Parser._quarter),),
    Kind.LEAP: ((_MONTHS, _Parser._month_number),),
    Kind.MONTH: ((_MONTHS, _Parser._month_name),),
    Kind.LUNAR_MONTH: ((_MONTHS, _Parser._month_name),),
    Kind.PORTION: ((_PORTIONS, _Parser._portion),),
    Kind.WEEKDAY: ((_DAY, _Parser._weekday),),
    Kind.WEEKEND: ((_DAY, _Parser._weekend),),
    Kind.LUNAR_DATE: ((_DAY, _Parser._lunar_date),),
    Kind.LUNAR_DAY: ((_DAY, _Parser._lunar_day),),
    Kind.DAY: ((_DAY, _Parser._day_word),),
    Kind.FESTIVAL: ((_DAY, _Parser._festival),),
    Kind.PART: ((_PARTS, _Parser._part),),
    Kind.CLOCK: ((_CLOCKS, _Parser._clock),),
    Kind.SHORT_OF: ((_CLOCKS, _Parser._o_clock),),
}
