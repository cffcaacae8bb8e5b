"""Clock times: 三点半, 8点20, 下午3点一刻, 差五分八点, 15:30."""

from __future__ import annotations

from bot.language.when.cursor import Cursor, Read
from bot.language.when.nodes import Fields
from bot.language.when.words import Kind, Part, Unit


class Clock(Cursor):
    """Parts of the day and hours of the clock."""

    def _part(self, i: int, fields: Fields) -> Read[Fields]:
        value = self.tokens[i].value
        assert isinstance(value, Part)
        if value in (Part.NOON, Part.MIDNIGHT) and (beside := self._beside_noon(i, value, fields)):
            return beside
        return fields._replace(part=value), i + 1

    def _beside_noon(self, i: int, part: Part, fields: Fields) -> Read[Fields]:
        """中午过一刻, 午夜差五分."""
        minutes = self._minutes(i + 2) if self.is_(i + 1, Kind.PASSING, Kind.SHORT_OF) else None
        if minutes is None:
            return None
        noon = 12 if part is Part.NOON else 0
        if self.tokens[i + 1].kind is Kind.PASSING:
            return fields._replace(hour=noon, minute=minutes[0]), minutes[1]
        return fields._replace(hour=(noon - 1) % 24, minute=60 - minutes[0]), minutes[1]

    def _clock(self, i: int, fields: Fields) -> Read[Fields]:
        value = self.tokens[i].value
        assert isinstance(value, tuple)
        hour, minute, second, certain = value
        certain = certain or hour >= 8 or self.tokens[i].text[0] == "0"  # 08:30, 8:30, but 2:30 is either
        part = fields.part
        if certain:
            part = part or (Part.AM if hour < 12 else Part.PM)
        return fields._replace(hour=hour, minute=minute, second=second, part=part), i + 1

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
            return fields._replace(hour=hour), i + 1
        if self.is_(i + 1, Kind.TO) and self.is_(i + 2, Kind.CLOCK) and hour <= 12:
            return self._borrowed_meridiem(i, hour, fields)
        if not self.unit(i + 1, Unit.O_CLOCK):
            return None
        minute, second, i = self._after_o_clock(i + 2)
        if minute is None and i < 0:
            return None
        if not minute and self.is_(i, Kind.SHORT_OF) and (lacking := self._lacking(i + 1)):
            short, i = lacking
        if short:
            hour, minute = (hour - 1) % 24, 60 - short
        return fields._replace(hour=hour, minute=minute, second=second), i

    def _borrowed_meridiem(self, i: int, hour: int, fields: Fields) -> Read[Fields]:
        """2-4pm, 11am… 11-1pm is from the morning on."""
        value = self.tokens[i + 2].value
        assert isinstance(value, tuple)
        until, certain = value[0], value[3]
        if not certain:
            return None
        afternoon = (until >= 12) == (hour % 12 <= until % 12)
        return fields._replace(hour=hour, part=Part.PM if afternoon else Part.AM), i + 1

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
        if zero is not None and self.is_(i + 1, Kind.NUMBER) and (units := self.exactly(i + 1, 1, 9)):
            return units, None, i + 2  # 10点零5
        bare = self.exactly(i, 0, 59)
        if bare is None or self.is_(i + 1, Kind.UNIT, Kind.MEASURE, Kind.HALF):
            return None, None, i
        if len(self.tokens[i].text) == 1 and bare < 10:
            return None, None, -1
        return bare, None, i + 1

    def _borrowed(self, i: int, *units: Unit) -> int | None:
        """The unit that comes only after the far end: 9~11点, 3-5号, 7、8点. Gives its place."""
        ranged = (
            self.is_(i + 1, Kind.TO, Kind.OR) and self.is_(i + 2, Kind.NUMBER) and self.unit(i + 3, *units)
        )
        return i + 3 if ranged else None
