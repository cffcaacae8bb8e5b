"""A text cut into the words that speak of time; everything between them is a gap."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import IntEnum

from bot.language.numerals import HAN_NUMERAL, Count, parse_count
from bot.language.when.phrasebook import in_chinese
from bot.language.when.words import NOT_AFTER, NOT_BEFORE, Kind, Word, vocabulary


class Glue(IntEnum):
    """How a token follows the one before it."""

    GAP = 0
    COMMA = 1
    CLOSE = 2  # nothing between, or 的, or a space


@dataclass(frozen=True, slots=True)
class Token:
    """One word of time. A NUMBER's value is a Count."""

    kind: Kind
    value: object
    text: str
    start: int
    end: int
    glue: Glue


_HAN_NUMERAL_START = frozenset("〇零○一二三四五六七八九十两俩仨廿卅壹贰叁肆伍陆柒捌玖拾几好")
_APPROXIMATE = re.compile(
    r"(?:[二三四五六七八九]?十)?(?:[一两二三四五六七八][二两三四五六七八九]|几)"
    r"(?=个|天|日|号|点|周|星期|礼拜|小时|钟头|分|年|月|秒|季|刻)|几十(?=个|天|年|分|秒)"
)
_YEAR = r"(?:1[89]|20|21)\d\d"
_DATES = (
    re.compile(rf"({_YEAR}|\d{{4}})([-/.])(\d{{1,2}})\2(\d{{1,2}})(?![\d])"),
    re.compile(rf"(?<!\d)({_YEAR})()(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?!\d)"),
    re.compile(rf"({_YEAR})([-/.])(0?[1-9]|1[0-2])()(?![\d./-]|年)"),
)
_DAY_MONTH = re.compile(
    r"(0?[1-9]|1[0-2])([/·])(0?[1-9]|[12]\d|3[01])(?![\d/.·%]|小时|片|粒|颗|个|袋|支|瓶|mm)"
)
_DOTTED_DAY = re.compile(
    r"(0?[1-9]|1[0-2])(\.)(0?[1-9]|[12]\d|3[01])(?=[日号]| ?(?:上午|下午|早|晚|中午|凌晨))"
)
_PADDED_DAY = re.compile(r"(0[1-9])(-)(0[1-9]|[12]\d|3[01])(?![\d-])")  # 03-18
_MONTH_DAY_YEAR = re.compile(
    rf"(0?[1-9]|1[0-2])([/-])(0?[1-9]|[12]\d|3[01])\2({_YEAR}|\d\d(?=\D|$))(?!\d)"  # 3/15/2026
)
_DAY_MONTH_YEAR = re.compile(rf"([12]\d|3[01]|0?[1-9])([./-])(0?[1-9]|1[0-2])\2({_YEAR})(?!\d)")  # 15.3.2026
_SHORT_YEAR = re.compile(r"(\d\d)([-.])(0?[1-9]|1[0-2])\2([12]\d|3[01]|0?[1-9])(?!\d)")  # 26-3-15
_MONTH_YEAR = re.compile(rf"(0?[1-9]|1[0-2])/({_YEAR})(?![\d/])")  # 3/2026
_REVERSED = re.compile(r"(1[3-9]|2\d|3[01])/(0?[1-9]|1[0-2])(?![\d/.%])")  # 15/3
_CLOCK = re.compile(r"([01]?\d|2[0-4])[:：∶]([0-5]\d)(?:[:：∶]([0-5]\d)(?:\.\d+)?)?(?![\d:：∶])")
_DOTTED_CLOCK = re.compile(r"(1?\d|2[0-3])\.([0-5]\d)(?![\d.])")
_ARABIC = re.compile(r"\d+")
_LATIN = re.compile(r"[a-z]+(?:\.m\.?)?")
_ENGLISH_CLOCK = re.compile(r"(\d{1,2})(?:[:.](\d\d))? ?([ap])\.?m\b\.?")
_ENGLISH_ORDINAL = re.compile(r"(?:st|nd|rd|th)\b")


def tokens(text: str) -> list[Token]:
    """The time words of lower-case *text*, in order. Linear in its length."""
    return _Reader(text).read()


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.words, self.lengths = vocabulary()
        self.found: list[Token] = []
        self.reach = -1  # where a token must begin to follow the last one closely
        self.comma = False

    def read(self) -> list[Token]:
        text, firsts, i = self.text, self.lengths, 0
        while i < len(text):
            char = text[i]
            if "0" <= char <= "9":
                i = self._digits(i)
            elif "a" <= char <= "z":
                i = self._latin(i)
            elif char in firsts or char in _HAN_NUMERAL_START:
                i = self._word(i)
            else:
                i += 1
        return self.found

    def _add(self, kind: Kind, value: object, start: int, end: int) -> int:
        glue = Glue.GAP
        if start == self.reach:
            glue = Glue.COMMA if self.comma else Glue.CLOSE
        self.found.append(Token(kind, value, self.text[start:end], start, end, glue))
        self.reach, self.comma = end, False
        return end

    def _add_chinese(self, said: str, start: int, end: int) -> int:
        """The tokens of a translation; each stands where the whole phrase does."""
        for token in _Reader(said).read():
            self._add(token.kind, token.value, start, end)
            self.found[-1] = replace(self.found[-1], text=token.text)
            self.reach = start
        self.reach = end
        return end

    def _word(self, i: int) -> int:
        text = self.text
        numeral = self._numeral_at(i) if text[i] in _HAN_NUMERAL_START else None
        for length in self.lengths.get(text[i], ()):
            said = text[i : i + length]
            if len(said) < length or said not in self.words or not self._may_stand(said, i):
                continue
            word = self.words[said]
            if numeral and length <= len(numeral[0]) and not _festival_wins(word, said, numeral[0], text, i):
                break
            return self._known(word, i, i + length)
        if numeral:
            return self._add(Kind.NUMBER, numeral[1], i, i + len(numeral[0]))
        return i + 1

    def _known(self, word: Word | None, start: int, end: int) -> int:
        if word is None:
            return end
        if word.kind is Kind.FILLER or word.kind is Kind.SEPARATOR:
            if start == self.reach:
                self.reach = end
                self.comma = self.comma or word.kind is Kind.SEPARATOR
            return end
        return self._add(word.kind, word.value, start, end)

    def _may_stand(self, said: str, i: int) -> bool:
        after = i + len(said)
        if said[0] in "周星礼" and len(said) > 1 and self._counted(i) and said not in _WEEKS:
            return False  # 怀孕21周4天, 一周三次
        if (blocked := _BLOCKED_AFTER.get(said)) and self.text.startswith(blocked, after):
            return False
        blocked_before = _BLOCKED_BEFORE.get(said)
        return not (blocked_before and i and self.text[i - 1] in blocked_before)

    def _counted(self, i: int) -> bool:
        return bool(self.found) and self.found[-1].kind is Kind.NUMBER and self.found[-1].end == i

    def _numeral_at(self, i: int) -> tuple[str, Count] | None:
        match = _APPROXIMATE.match(self.text, i) or HAN_NUMERAL.match(self.text, i)
        if not match or not match[0]:
            return None
        count = parse_count(match[0])
        return (match[0], count) if count else None

    def _digits(self, i: int) -> int:
        text = self.text
        alone = i == 0 or not text[i - 1].isdecimal()
        if alone and (end := self._date(i) or self._clock(i)):
            return end
        match = _ARABIC.match(text, i)
        assert match is not None
        end = match.end()
        if len(match[0]) > 8:
            return end
        if self.text[end : end + 2].strip().startswith("o") and (translated := in_chinese(text, i, match[0])):
            return self._add_chinese(translated[0], i, translated[1])  # 3 o'clock
        if (dotted := _DOTTED_CLOCK.match(text, i)) and self._clock_expected(i):  # 下午2.30
            return self._add(Kind.CLOCK, (int(dotted[1]), int(dotted[2]), None, False), i, dotted.end())
        if text[end : end + 1] == "." and text[end + 1 : end + 2].isdecimal():
            decimal = re.compile(r"[\d.]+").match(text, i)  # 38.5, 1.5: not a count of anything here
            assert decimal is not None
            return decimal.end()
        if ordinal := _ENGLISH_ORDINAL.match(text, end):
            end = ordinal.end()
        return self._add(Kind.NUMBER, Count(int(match[0]), int(match[0])), i, end)

    def _clock_expected(self, i: int) -> bool:
        kinds = [token.kind for token in self.found[-2:]] if self.reach == i else []
        return kinds[-1:] == [Kind.PART] or kinds == [Kind.CLOCK, Kind.TO]

    def _date(self, i: int) -> int | None:
        for pattern in _DATES:
            if match := pattern.match(self.text, i):
                day = int(match[4]) if match[4] else None
                if 1 <= int(match[3]) <= 12 and (day is None or 1 <= day <= 31):
                    return self._add(
                        Kind.DATE, (int(match[1]), int(match[3]), day), i, self._past_t(match.end())
                    )
        for pattern, order in _OTHER_DATES:
            if match := pattern.match(self.text, i):
                year, month, day = (int(match[n]) if n else None for n in order)
                if year is not None and year < 100:
                    year += 1900 if year > 50 else 2000
                return self._add(Kind.DATE, (year, month, day), i, match.end())
        if self.text[i] == "0" and (match := _PADDED_DAY.match(self.text, i)):
            return self._add(Kind.DATE, (None, int(match[1]), int(match[3])), i, match.end())
        if match := _DAY_MONTH.match(self.text, i) or _DOTTED_DAY.match(self.text, i):
            end = match.end()
            if self.text[end : end + 1] in ("日", "号"):
                end += 1
            return self._add(Kind.DATE, (None, int(match[1]), int(match[3])), i, end)
        return None

    def _past_t(self, end: int) -> int:
        """ISO 8601 puts a T between the date and the clock."""
        return end + 1 if re.match(r"t\d", self.text[end : end + 2]) else end

    def _clock(self, i: int) -> int | None:
        if match := _ENGLISH_CLOCK.match(self.text, i):
            hour = int(match[1])
            if 1 <= hour <= 12:
                hour = hour % 12 + (12 if match[3] == "p" else 0)
                return self._add(Kind.CLOCK, (hour, int(match[2] or 0), None, True), i, match.end())
        if match := _CLOCK.match(self.text, i):
            second = int(match[3]) if match[3] else None
            return self._add(Kind.CLOCK, (int(match[1]), int(match[2]), second, False), i, match.end())
        return None

    def _latin(self, i: int) -> int:
        match = _LATIN.match(self.text, i)
        assert match is not None
        text, end = self.text, match.end()
        if match[0] == "from" and (phrase := _FROM_NOW.match(text, i)):
            return self._add(Kind.AFTER, None, i, phrase.end())
        if translated := in_chinese(text, i, match[0]):
            return self._add_chinese(translated[0], i, translated[1])
        if (
            match[0] == "q"
            and text[end : end + 1] in tuple("1234")
            and not (text[end + 1 : end + 2].isascii() and text[end + 1 : end + 2].isalnum())
        ):
            return self._add(Kind.QUARTER, int(text[end]), i, end + 1)
        if match[0] in self.words:
            return self._known(self.words[match[0]], i, end)
        return end


# The groups that hold year, month and day; 0 for none.
_OTHER_DATES = (
    (_MONTH_DAY_YEAR, (4, 1, 3)),
    (_DAY_MONTH_YEAR, (4, 3, 1)),
    (_SHORT_YEAR, (1, 3, 4)),
    (_MONTH_YEAR, (2, 1, 0)),
    (_REVERSED, (0, 2, 1)),
)
_FROM_NOW = re.compile(r"from (?:now|today)")
_WEEKS = frozenset({"星期", "礼拜", "周年"})
_BLOCKED_AFTER = {word: tuple(after.split()) for word, after in NOT_BEFORE.items()}
_BLOCKED_BEFORE = {word: frozenset(before.split()) for word, before in NOT_AFTER.items()}
_NUMBER_GOES_ON = frozenset("〇零一二三四五六七八九十百千点月日号年岁个天次度分片粒周块元%/-.:0123456789")


def _festival_wins(word: Word | None, said: str, numeral: str, text: str, i: int) -> bool:
    """五一 is a holiday and 五一二 is not; 六一 is, and 六一点 is not; 廿五 is a lunar day, 廿五号 is not."""
    if word is None or word.kind not in (Kind.FESTIVAL, Kind.LUNAR_DAY) or len(said) < len(numeral):
        return False
    follows = text[i + len(said) : i + len(said) + 1]
    precedes = text[i - 1 : i]
    return (follows == "" or follows not in _NUMBER_GOES_ON) and (
        precedes == "" or precedes not in _NUMBER_GOES_ON - {"年"}
    )
