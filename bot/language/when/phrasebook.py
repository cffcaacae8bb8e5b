"""English turns of phrase and pinyin, each with the Chinese that says the same.

The reader of time words reads the Chinese in their place, so that the grammar knows one language.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from itertools import product

_HOURS = {"one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8",
          "nine": "9", "ten": "10", "eleven": "11", "twelve": "12"}  # fmt: skip
_HOUR = rf"(\d{{1,2}}|{'|'.join(_HOURS)})(?![\d:/])"
_PLACES = {"beginning": "初", "start": "初", "middle": "中", "end": "底"}
_WHICH = {"this": "本", "the": "本", "next": "下", "last": "上", None: "本"}

_ENGLISH: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(rf"half past {_HOUR}"), "{0}点半"),
    (re.compile(rf"quarter past {_HOUR}"), "{0}点一刻"),
    (re.compile(rf"quarter to {_HOUR}"), "{0}点差一刻"),
    (re.compile(rf"{_HOUR} ?o'?clock"), "{0}点钟"),
    (re.compile(rf"at {_HOUR}(?! ?(?:[ap]\.?m|o'?clock|st\b|nd\b|rd\b|th\b|days?|weeks?|hours?|years?|%))(?=[ ,.?!]|$)"), "{0}点"),
    (re.compile(r"(beginning|start|middle|end) of (?:(the|this|next|last) )?month"), "{which}月{place}"),
    (re.compile(r"(?:the )?day after tomorrow"), "后天"),
    (re.compile(r"(?:the )?day before yesterday"), "前天"),
    (re.compile(r"(?:the )?week after next"), "下下周"),
    (re.compile(r"on the (\d{1,2})(?:st|nd|rd|th)\b(?! (?:of|floor))"), "{0}号"),
)  # fmt: skip
_ENGLISH_FIRST = frozenset(
    ["half", "quarter", "at", "beginning", "start", "middle", "end", "the", "day", "week", "on"]
) | frozenset(_HOURS)

_PINYIN_DAYS = {
    "jintian": "今天",
    "mingtian": "明天",
    "houtian": "后天",
    "dahoutian": "大后天",
    "zuotian": "昨天",
    "qiantian": "前天",
}
_PINYIN_PARTS = {
    "zaoshang": "早上",
    "shangwu": "上午",
    "zhongwu": "中午",
    "xiawu": "下午",
    "wanshang": "晚上",
}
_PINYIN_WEEKS = {"zhou": "周", "xingqi": "星期", "libai": "礼拜"}
_PINYIN_WEEKDAYS = {
    "yi": "一",
    "er": "二",
    "san": "三",
    "si": "四",
    "wu": "五",
    "liu": "六",
    "ri": "日",
    "tian": "天",
}
_PINYIN_WHICH = {"": "", "xia": "下", "xiage": "下个", "shang": "上", "zhe": "这", "xiaxia": "下下"}


@cache
def _pinyin() -> Mapping[str, str]:
    words = _PINYIN_DAYS | _PINYIN_PARTS | {name: han for name, han in _PINYIN_WHICH.items() if name}
    words |= {a + b: x + y for (a, x), (b, y) in product(_PINYIN_DAYS.items(), _PINYIN_PARTS.items())}
    for (which, x), (week, y) in product(_PINYIN_WHICH.items(), _PINYIN_WEEKS.items()):
        words |= {which + week + day: x + y + z for day, z in _PINYIN_WEEKDAYS.items()}
        if which:
            words[which + week] = x + y
        words[which + "zhoumo"] = x + "周末"
        words[which + "geyue"] = x.removesuffix("个") + "个月" if x else "个月"
    return words


def in_chinese(text: str, i: int, word: str) -> tuple[str, int] | None:
    """The Chinese for the phrase that begins with *word* at *i* of lower-case *text*, and where that ends."""
    if word in _ENGLISH_FIRST or word.isdecimal():
        for pattern, han in _ENGLISH:
            if match := pattern.match(text, i):
                return _filled(match, han), match.end()
    if han_word := _pinyin().get(word):
        return han_word, i + len(word)
    return None


def _filled(match: re.Match[str], han: str) -> str:
    if "place" in han:
        return han.format(which=_WHICH[match[2]], place=_PLACES[match[1]])
    said = match[1] if match.groups() else ""
    return han.format(_HOURS.get(said, said))
