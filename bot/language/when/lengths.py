"""Lengths of time, and the stretches they measure off from the present."""

from __future__ import annotations

from bot.language.when.cursor import Cursor, Read
from bot.language.when.nodes import LENGTHS, Amount, Delta, Fields, Node, Pick, Shift, Span, Window
from bot.language.when.tokens import Glue, Token
from bot.language.when.words import Kind, Unit

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


class Lengths(Cursor):
    """三天后, 过去两周, 未来一个月, 三个工作日内."""

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
            if self.is_(j, Kind.UNIT) and (unit := self.the_unit(j)) in _HALVES:
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
        unit = self.the_unit(j)
        if unit not in LENGTHS or not self._counts(i, j, unit, measured=measured):
            return None
        extra = Delta()
        if half or self.is_(j + 1, Kind.HALF):
            if unit not in _HALVES:
                return None
            extra = _HALVES[unit]
            j += not half
        elif self.is_(j + 1, Kind.ABOUT) and self.tokens[j + 1].text == "多":
            j += 1
        length = LENGTHS[unit]
        count = low if low == high and extra == Delta() else 0
        return ((length.times(low) + extra, length.times(high) + extra), unit, count), j + 1

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
            if self.is_(j, Kind.UNIT) and self.the_unit(j) in LENGTHS and count.low < more:
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
        if self.text.endswith("within ", 0, token.start):
            return Window(amount, Kind.WITHIN, 1), j
        if self.text.endswith(("in ", "in about "), 0, token.start):
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
        whole = amount.count and amount.unit in (Unit.WEEK, Unit.MONTH, Unit.QUARTER, Unit.YEAR)
        if whole and kind in (Kind.BEFORE, Kind.FRONT, Kind.AFTER):  # 前两个月 are calendar months
            return Window(amount, Kind.RELATIVE, 1 if kind is Kind.AFTER else -1), j
        if kind is Kind.COMING or kind is Kind.AFTER:
            return Window(amount, kind, 1), j + (1 if self.is_(j, Kind.WITHIN, Kind.DURING) else 0)
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
        if self.is_(i + 1, Kind.UNIT) and (unit := self.the_unit(i + 1)) in _CLOCK_UNITS and away:
            one = Amount(LENGTHS[unit], LENGTHS[unit], unit, 1)
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
