"""Places in the calendar, from the coarse to the fine: 明年四月十五号下午三点半."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bot.language.when.clock import Clock
from bot.language.when.cursor import Read
from bot.language.when.nodes import Fields
from bot.language.when.tokens import Glue, Token
from bot.language.when.words import Kind, Part, Portion, Unit

# A place may follow only a coarser one.
_LUNAR, _FRAME, _DECADES, _YEARS, _PERIOD, _MONTHS, _PORTIONS, _WEEKS, _DAY, _PARTS, _CLOCKS = range(1, 12)
_THIS_CENTURY = 21


class Calendar(Clock):
    """One run of calendar words, each finer than the last, put into Fields."""

    def fields(self, i: int, fields: Fields, *, follows: bool = False) -> Read[Fields]:
        """A run of calendar places, each finer than the last."""
        rank, start = 0, i
        while i < len(self.tokens):
            token = self.tokens[i]
            if rank == _DAY and self._in_brackets(i) and (again := self.fields(i, Fields())):
                return _same_day_twice(fields, again[0]), again[1]
            if (i > start or follows) and not self._continues(token, rank):
                break
            step = self._field(i, fields, rank)
            if step is None:
                break
            fields, i, rank = step
            i = self._after_field(i, fields)
        return (fields, i) if i > start else None

    def _in_brackets(self, i: int) -> bool:
        """Whether the token at *i* opens brackets: 本周五(3月20日)上午."""
        token = self.tokens[i]
        return token.glue is Glue.COMMA and self.text[token.start - 1] in "(（"

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
            return fields._replace(lunar=True), i + 1, max(rank, _LUNAR)
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
        return fields._replace(now=True), i + 1

    def _year_word(self, i: int, fields: Fields) -> Read[Fields]:
        away = self.tokens[i].value
        assert isinstance(away, int)
        return fields._replace(year_away=away), i + 1

    def _year_number(self, i: int, fields: Fields) -> Read[Fields]:
        """2026年, 二〇二六年, 零八年, 98年3月, 2018~2020年."""
        token, number = self.tokens[i], self.exactly(i, 0, 9999)
        if number is None:
            return None
        if number >= 1900 and self.is_(i + 1, Kind.QUARTER):  # 2019Q3
            return fields._replace(year=number), i + 1
        if number >= 1900 and (portion := self._portion_of(i + 1, "年")):  # 2018年底
            return fields._replace(year=number, portion=portion), i + 2
        borrowed = self._borrowed(i, Unit.YEAR) if number >= 1000 else None
        if borrowed is None and not self.unit(i + 1, Unit.YEAR):
            return None
        j = i + 1 if borrowed else i + 2
        if number >= 1000:
            return fields._replace(year=number), j
        if len(token.text) == 2 and not set(token.text) & set("十百两几"):
            sure = token.text[0] in "0零〇" or not token.text.isdecimal()  # noqa: RUF001
            length = self.is_(j, Kind.BEFORE, Kind.AFTER, Kind.WITHIN, Kind.SINCE)
            if sure or (number >= 60 and not length) or self._year_goes_on(j):
                return fields._replace(year=number + (1900 if number > 50 else 2000)), j
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

    def _century(self, i: int, fields: Fields) -> Read[Fields]:
        """21世纪, 上世纪, 本世纪."""
        number = self.exactly(i, 1, 30)
        if number is not None and self.unit(i + 1, Unit.CENTURY):
            return fields._replace(century=number), i + 2
        return None

    def _decade(self, i: int, fields: Fields) -> Read[Fields]:
        """90年代, 八十年代, 2010年代."""
        number = self.exactly(i, 0, 2090)
        if number is None or number % 10 or not self.unit(i + 1, Unit.DECADE) or 90 < number < 1000:
            return None
        if number >= 1000:
            return fields._replace(century=number // 100 + 1, decade=number % 100), i + 2
        return fields._replace(decade=number), i + 2

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
            return fields._replace(week_away=away, weekday=value), i + 2, _DAY
        if token.kind is Kind.WEEKEND:
            return fields._replace(week_away=away, weekend=True), i + 2, _DAY
        if token.kind is Kind.PORTION and token.text[0] in "月周" and isinstance(value, tuple):
            return fields._replace(month_away=away, portion=value), i + 2, _PORTIONS
        if token.kind is Kind.SEASON:
            assert isinstance(value, int)
            return fields._replace(year_away=away, season=value), i + 2, _PERIOD
        if token.kind is Kind.FESTIVAL:
            assert isinstance(value, str)
            return fields._replace(festival=value, festival_away=away), i + 2, _DAY
        if token.kind is Kind.PART and token.text.isascii() and away <= 0:  # this morning, last night
            assert isinstance(value, Part)
            return fields._replace(day_away=away, part=value), i + 2, _PARTS
        return None

    def _relative_unit(self, i: int, fields: Fields, away: int, unit: Unit) -> tuple[Fields, int, int] | None:
        if unit is Unit.WEEK:
            return fields._replace(week_away=away), i + 2, _WEEKS
        if unit is Unit.MONTH:
            return fields._replace(month_away=away), i + 2, _MONTHS
        if unit is Unit.YEAR:
            return fields._replace(year_away=away), i + 2, _YEARS
        if unit is Unit.QUARTER:
            return fields._replace(quarter_away=away), i + 2, _PERIOD
        if unit is Unit.CENTURY:
            return fields._replace(century=_THIS_CENTURY + away), i + 2, _FRAME
        return None

    def _date(self, i: int, fields: Fields) -> Read[Fields]:
        value = self.tokens[i].value
        assert isinstance(value, tuple)
        year, month, day = value
        return fields._replace(year=year, month=month, day=day), i + 1

    def _season(self, i: int, fields: Fields) -> Read[Fields]:
        value = self.tokens[i].value
        assert isinstance(value, int)
        return fields._replace(season=value), i + 1

    def _half_year(self, i: int, fields: Fields) -> Read[Fields]:
        value = self.tokens[i].value
        assert isinstance(value, int)
        return fields._replace(half_year=value), i + 1

    def _quarter(self, i: int, fields: Fields) -> Read[Fields]:
        """第三季度, 二季度, Q3, 四季度."""
        if self.tokens[i].kind is Kind.QUARTER:
            value = self.tokens[i].value
            assert isinstance(value, int)
            return fields._replace(quarter=value), i + 1
        j = i + (1 if self.tokens[i].kind is Kind.ORDINAL else 0)
        if (j > i and not self.is_(j, Kind.NUMBER)) or (number := self.exactly(j, 1, 4)) is None:
            return None
        j += 1 + (1 if self.is_(j + 1, Kind.MEASURE) else 0)
        return (fields._replace(quarter=number), j + 1) if self.unit(j, Unit.QUARTER) else None

    def _month_number(self, i: int, fields: Fields) -> Read[Fields]:
        """3月, 三月份, 闰六月, 3到5月."""
        leap = self.tokens[i].kind is Kind.LEAP
        i += leap
        number = self.exactly(i, 1, 12)
        if number is None or self.tokens[i].text == "两":
            return None
        if not leap and (portion := self._portion_of(i + 1, "月")):  # 8月底
            return fields._replace(month=number, portion=portion), i + 2
        if self._borrowed(i, Unit.MONTH):
            return fields._replace(month=number, leap=leap), i + 1
        if self.unit(i + 1, Unit.MONTH):
            return fields._replace(month=number, leap=leap, lunar=fields.lunar or leap), i + 2
        return None

    def _month_name(self, i: int, fields: Fields) -> Read[Fields]:
        value = self.tokens[i].value
        assert isinstance(value, int)
        lunar = self.tokens[i].kind is Kind.LUNAR_MONTH
        return fields._replace(month=value, lunar=lunar or fields.lunar), i + 1

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
        return fields._replace(portion=(unit, portion)), i + 1

    def _weekday(self, i: int, fields: Fields) -> Read[Fields]:
        value = self.tokens[i].value
        assert isinstance(value, int)
        return fields._replace(weekday=value), i + 1

    def _weekend(self, i: int, fields: Fields) -> Read[Fields]:
        return fields._replace(weekend=True), i + 1

    def _day_number(self, i: int, fields: Fields) -> Read[Fields]:
        """15号, 8月3日, 十月31, 3-5号, 腊月二十三, 二十三那天."""
        number = self.exactly(i, 1, 31)
        if number is None:
            return None
        if self.unit(i + 1, Unit.DATE):
            return fields._replace(day=number), i + 2
        if self.is_(i + 1, Kind.MONTH) and fields.month is None:  # 5 March
            month = self.tokens[i + 1].value
            assert isinstance(month, int)
            return self._english_year(i + 2, fields._replace(day=number, month=month))
        if self._borrowed(i, Unit.DATE):
            return fields._replace(day=number), i + 1
        in_month = fields.month is not None or fields.month_away is not None or fields.lunar
        goes_on = self.is_(i + 1, Kind.UNIT, Kind.MEASURE, Kind.NUMBER, Kind.HALF, Kind.PORTION)
        if in_month and fields.portion is None and not goes_on:
            perhaps_lunar = not self.tokens[i].text.isascii() and fields.month is not None
            return self._english_year(i + 1, fields._replace(day=number, perhaps_lunar=perhaps_lunar))
        if self.is_(i + 1, Kind.THAT_DAY):
            return fields._replace(day=number, on_that_day=True), i + 2
        return None

    def _english_year(self, i: int, fields: Fields) -> Read[Fields]:
        """March 5, 2026."""
        glued = i < len(self.tokens) and self.tokens[i].glue is not Glue.GAP
        if glued and self.text[i - 1 : i].isascii() and (year := self.exactly(i, 1900, 2100)):
            return fields._replace(year=year), i + 1
        return fields, i

    def _lunar_date(self, i: int, fields: Fields) -> Read[Fields]:
        value = self.tokens[i].value
        assert isinstance(value, tuple)
        return fields._replace(lunar=True, month=value[0], day=value[1]), i + 1

    def _lunar_day(self, i: int, fields: Fields) -> Read[Fields]:
        value = self.tokens[i].value
        assert isinstance(value, int)
        return fields._replace(lunar=True, day=value), i + 1

    def _day_word(self, i: int, fields: Fields) -> Read[Fields]:
        value = self.tokens[i].value
        assert isinstance(value, tuple)
        return fields._replace(day_away=value[0], part=value[1] or fields.part), i + 1

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
        return fields._replace(festival=name, vacation=vacation), i + 1 + vacation


def _same_day_twice(outside: Fields, inside: Fields) -> Fields:
    """今天(周三)下午: the day from where it is named most exactly, the hours from behind the brackets."""
    if inside.day is not None and not inside.lunar:
        return inside
    return outside._replace(part=inside.part, hour=inside.hour, minute=inside.minute, second=inside.second)


_RULES: Mapping[Kind, tuple[tuple[int, Callable[[Calendar, int, Fields], Read[Fields]]], ...]] = {
    Kind.NOW: ((_DAY, Calendar._now),),
    Kind.NUMBER: (
        (_FRAME, Calendar._century),
        (_DECADES, Calendar._decade),
        (_YEARS, Calendar._year_number),
        (_PERIOD, Calendar._quarter),
        (_MONTHS, Calendar._month_number),
        (_DAY, Calendar._festival),
        (_DAY, Calendar._day_number),
        (_CLOCKS, Calendar._o_clock),
    ),
    Kind.YEAR: ((_YEARS, Calendar._year_word),),
    Kind.DATE: ((_DAY, Calendar._date),),
    Kind.SEASON: ((_PERIOD, Calendar._season),),
    Kind.HALF_YEAR: ((_PERIOD, Calendar._half_year),),
    Kind.QUARTER: ((_PERIOD, Calendar._quarter),),
    Kind.ORDINAL: ((_PERIOD, Calendar._quarter),),
    Kind.LEAP: ((_MONTHS, Calendar._month_number),),
    Kind.MONTH: ((_MONTHS, Calendar._month_name),),
    Kind.LUNAR_MONTH: ((_MONTHS, Calendar._month_name),),
    Kind.PORTION: ((_PORTIONS, Calendar._portion),),
    Kind.WEEKDAY: ((_DAY, Calendar._weekday),),
    Kind.WEEKEND: ((_DAY, Calendar._weekend),),
    Kind.LUNAR_DATE: ((_DAY, Calendar._lunar_date),),
    Kind.LUNAR_DAY: ((_DAY, Calendar._lunar_day),),
    Kind.DAY: ((_DAY, Calendar._day_word),),
    Kind.FESTIVAL: ((_DAY, Calendar._festival),),
    Kind.PART: ((_PARTS, Calendar._part),),
    Kind.CLOCK: ((_CLOCKS, Calendar._clock),),
    Kind.SHORT_OF: ((_CLOCKS, Calendar._o_clock),),
}
