"""Promises in a colleague's words: 下午给您回电 becomes a task with a time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

from bot.language.when import read_when

_PROMISE: Final = re.compile(
    r"(?:回(?:您|你)?(?:个)?(?:电话|电)|给(?:您|你)(?:回|打)(?:个)?(?:电话|电|消息)|打(?:电话)?给(?:您|你)|(?:联系|答复|回复|通知)(?:您|你)|(?:您|你)(?:一个)?(?:答复|回复))"
)
_ASKED: Final = re.compile(r"请(?:您|你)?(?:再)?(?:回|打|联系)")
_WITHIN: Final = re.compile(r"(半|[0-9]+|[一两二三四五六十]+)(?:个)?(半)?(小时|分钟|钟头)(?:之|以)?内")
_DIGITS: Final = {"一": 1, "两": 2, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "十": 10}
_SOON: Final = re.compile(r"稍后|一会儿?|待会儿?|尽快|马上")
DAY_ENDS = time(18)


@dataclass(frozen=True, slots=True)
class Promise:
    """What was promised, by when."""

    text: str
    due: datetime


def read_promise(text: str, now: datetime) -> Promise | None:
    """The promise in these words, written at *now* (aware, the hospital's zone); None when there is none.

    Without a time it is due in two hours; a day without an hour ends at 18:00.
    """
    for sentence in re.split(r"[。！!？?\n；;]", text):
        if not _PROMISE.search(sentence) or _ASKED.search(sentence):
            continue
        return Promise(sentence.strip(), _due(sentence, now))
    return None


def _within(sentence: str) -> timedelta | None:
    """半小时内, 20分钟内, 两个小时以内."""
    match = _WITHIN.search(sentence)
    if match is None:
        return None
    count, unit = match[1], timedelta(minutes=1 if match[3] == "分钟" else 60)
    number = 0.5 if count == "半" else float(count) if count.isdigit() else float(_DIGITS.get(count, 10))
    return unit * (number + (0.5 if match[2] else 0))


def _due(sentence: str, now: datetime) -> datetime:
    if (span := _within(sentence)) is not None:
        return now + span
    whens = read_when(sentence, now)
    when = next((one for one in whens if not one.past), None)
    if when is None:
        return now + (timedelta(minutes=30) if _SOON.search(sentence) else timedelta(hours=2))
    if when.grain in ("second", "minute", "hour"):
        due = when.end if when.deadline and when.end else when.start
    else:
        due = when.end or when.start
    if due.time() == time(0):  # a whole day: until the desk closes
        due = datetime.combine(due.date() - timedelta(days=1), DAY_ENDS, now.tzinfo)
    return due if due > now else now + timedelta(hours=2)
