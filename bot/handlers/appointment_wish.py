"""What a message says about the appointment somebody wants: with whom, on which day, at what time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import TypeVar

import msgspec

from bot.conversation.talk import Talk
from bot.handlers import symptoms
from bot.language.meaning import Meaning, Named, When

SURE = 0.7  # from this score on a name was really said (bot/language/names.py)
FULL_NAME = 3  # characters
EARLIEST_HOUR, LATEST_HOUR = 7, 21  # between them an hour said without 上午 or 下午 is meant
NOON = 12
MORNING, AFTERNOON = "am", "pm"

# After one of these the last thing named is meant: 不是周三，是周四; 骨科换成消化内科.
_TAKEN_BACK = re.compile(r"不是|不要|不看|不约|改|换|别约|\bnot\b|\binstead\b|\bchange\b")
_OTHER_DOCTOR = re.compile(
    r"(?:换|别的|其他|另外|另一).{0,2}(?:医生|大夫|专家|人)|another doctor|different doctor"
)
_OTHER_TIME = re.compile(
    r"(?:换|别的|其他|另外|另).{0,2}(?:一?天|时间|日子|日期|时段|号)|another (?:day|time)|different (?:day|time)"
)
_OTHER_DEPARTMENT = re.compile(r"(?:换|别的|其他|另外|另).{0,2}科|another department")
_WEEKDAY = re.compile(
    r"(?:周|星期|礼拜)[一二三四五六日天]|(?:mon|tues|wednes|thurs|fri|satur|sun)day", re.IGNORECASE
)
_SOONEST = re.compile(
    r"最近的|最早|最快|尽快|越快越好|越早越好|第一个号|随便|都可以|都行|无所谓|any ?time|whenever|earliest|soonest|as soon as"
)

_NUMBER = re.compile(r"yy\d{6,}", re.IGNORECASE)
_NO_DAY = frozenset({"recent", "second"})  # 最近, 现在

# What may stand around a name and a time without asking for anything else.
_FILLERS = re.compile(
    r"副?主任|医师|医生|大夫|教授|专家|门诊|的|号|看|约|挂|想|我|要|请|帮|在|有没?有?|吗|呢|和|科"
    r"|\b(?:gua|yue|xiang|dr|doctor|with|on|at|in|the|a|for|please|see|book|visit|appointment|want|need|to|i)\b|[\s\W]"
)

# What a person may be talking of while a booking is open; anything else is another topic.
_STILL_BOOKING = frozenset(
    {
        "appointment.book",
        "appointment.reschedule",
        "triage.recommend",
        "health.consult",
        "unknown",
        "thanks",
        "greeting.chitchat",
    }
)
_ELSEWHERE = 0.6  # confidence


class Wish(msgspec.Struct, frozen=True):
    """What is settled: each list is empty while unknown, and to be asked about while it holds several."""

    departments: tuple[str, ...] = ()  # codes
    doctors: tuple[str, ...] = ()  # codes
    days: tuple[tuple[str, str], ...] = ()  # spans of days, ISO dates, the second one exclusive
    half: str = ""  # am, pm
    time: str = ""  # 09:30
    avoid: str = ""  # the doctor who is not wanted
    soonest: bool = False


W = TypeVar("W", bound=Wish)


class Heard(msgspec.Struct, frozen=True):
    """What one message says. Whatever is empty was not said."""

    number: str = ""  # of a booking: YY000012
    departments: tuple[str, ...] = ()
    missing: str = ""  # a department that this hospital does not have
    doctors: tuple[str, ...] = ()
    days: tuple[tuple[str, str], ...] = ()
    weekday: bool = False  # the day was said as one of the week, without saying of which: 周四
    half: str = ""
    time: str = ""
    past: str = ""  # a day that is over, as it was said
    other_doctor: bool = False
    other_time: bool = False
    other_department: bool = False
    soonest: bool = False

    def __bool__(self) -> bool:
        return any(msgspec.structs.astuple(self))  # a weekday is always a day, too


def hear(talk: Talk) -> Heard:
    """Read the message at hand."""
    return hear_in(talk, talk.said.meaning.text, talk.said.meaning.when)


def hear_in(talk: Talk, text: str, whens: Sequence[When]) -> Heard:
    """Read a part of the message at hand, with the times that stand in it."""
    meaning = talk.said.meaning
    lower = text.lower()
    taken_back = _TAKEN_BACK.search(lower) is not None
    number = _NUMBER.search(text)
    alone = names_a_time(talk)
    doctors, departments = (
        [one for one in found if one.score >= SURE or (alone and _believable(one, meaning))]
        for found in (meaning.doctors, meaning.departments)
    )
    known, here = symptoms.well_known(talk, lower)
    departments = [one for one in departments if one.text == known or one.text not in known]
    codes = _named(departments, lower, taken_back) or tuple(one.code for one in here)
    days, half, time = _moments(talk, whens, taken_back)
    weekday = any(_WEEKDAY.match(when.text) for when in whens[-1:] if not when.past)
    over = [when.text for when in whens if when.past and when.grain not in _NO_DAY]
    return Heard(
        number=number[0].upper() if number else "",
        departments=codes,
        missing="" if codes else known,
        doctors=_named(doctors, lower, taken_back),
        days=days,
        weekday=weekday,
        half=half,
        time=time,
        past=over[-1] if over and not days and not symptoms.departments(talk) else "",
        other_doctor=_OTHER_DOCTOR.search(lower) is not None,
        other_time=_OTHER_TIME.search(lower) is not None,
        other_department=_OTHER_DEPARTMENT.search(lower) is not None,
        soonest=_SOONEST.search(lower) is not None,
    )


def booking_number(talk: Talk) -> str:
    """The number of a booking that the message names; empty when it names none."""
    found = _NUMBER.search(talk.said.meaning.text)
    return found[0].upper() if found else ""


def about_something_else(talk: Talk) -> bool:
    """Whether the message clearly brings up another topic than the booking that is open."""
    meaning = talk.said.meaning
    return meaning.intent not in _STILL_BOOKING and meaning.confidence >= _ELSEWHERE


def names_a_time(talk: Talk) -> bool:
    """Whether the message is little more than a doctor or department of ours, and perhaps a time."""
    meaning = talk.said.meaning
    named = [one for one in (*meaning.doctors, *meaning.departments) if _believable(one, meaning)]
    said = [*(one.text for one in named), *(when.text for when in meaning.when)]
    rest = meaning.text.lower()
    for part in sorted(said, key=len, reverse=True):
        rest = rest.replace(part.lower(), " ")
    return bool(named) and not _FILLERS.sub("", rest)


def _believable(named: Named, meaning: Meaning) -> bool:
    """A name to believe when little else is said: a full one, though misspelt, or 刘强 with a time; not 高兴."""
    return named.score >= SURE or len(named.text) >= FULL_NAME or bool(meaning.when)


def merged(wish: W, heard: Heard) -> W:
    """The wish after what was heard: new things replace old ones, and what no longer fits them goes."""
    changes: dict[str, object] = {}
    if heard.other_doctor or heard.other_department:
        changes |= {"doctors": (), "avoid": wish.doctors[0] if len(wish.doctors) == 1 else wish.avoid}
    if heard.other_department:
        changes |= {"departments": (), "avoid": ""}
    if heard.other_time:
        changes |= {"days": (), "half": "", "time": "", "soonest": False}
    if heard.missing:
        changes |= {"departments": (), "doctors": ()}
    if heard.departments:
        changes |= {"departments": heard.departments, "doctors": ()}
    if heard.doctors:
        changes |= {"doctors": heard.doctors, "avoid": ""}
    if heard.days:
        changes |= {"days": _in_the_week_of(wish.days, heard), "soonest": False}
    if heard.half or heard.time:
        changes |= {"half": heard.half, "time": heard.time}
    if heard.soonest:
        changes |= {"soonest": True}
    return msgspec.structs.replace(wish, **changes)


def _in_the_week_of(before: Sequence[tuple[str, str]], heard: Heard) -> tuple[tuple[str, str], ...]:
    """不是周三，是周四 after a Wednesday of next week: the Thursday of next week."""
    if not heard.weekday or len(before) != 1:
        return heard.days
    settled, said = date.fromisoformat(before[0][0]), date.fromisoformat(heard.days[0][0])
    same_week = settled + timedelta(days=said.weekday() - settled.weekday())
    if same_week <= said:
        return heard.days
    return ((same_week.isoformat(), (same_week + timedelta(days=1)).isoformat()),)


def _named(found: Sequence[Named], text: str, taken_back: bool) -> tuple[str, ...]:
    """The codes that were named and cannot be told apart; of several names after 不是 or 换 the last one said."""
    sure = [one for one in found if one.text.lower() in text]
    if not sure:
        return ()
    if taken_back:
        last = max(text.rfind(one.text.lower()) for one in sure)
        sure = [one for one in sure if text.rfind(one.text.lower()) == last]
    best = max(one.score for one in sure)
    return tuple(one.code for one in sure if one.score == best)


def _moments(
    talk: Talk, whens: Sequence[When], taken_back: bool
) -> tuple[tuple[tuple[str, str], ...], str, str]:
    """The days that may be meant, the half of the day, and the time of the clock."""
    coming = [when for when in whens if not when.past]
    dated = [when for when in coming if not when.time_only and when.grain not in _NO_DAY]
    if taken_back:
        dated, coming = dated[-1:], coming[-1:]
    days = tuple(dict.fromkeys(span for when in dated for span in _spans(talk, when)))
    timed = [when for when in coming if when.grain in ("hour", "minute", "second", "part_of_day")]
    if not timed:
        return days, "", ""
    start = _by_daylight(timed[-1])
    half = MORNING if start.hour < NOON else AFTERNOON
    exact = timed[-1].grain != "part_of_day" and timed[-1].end is None
    return days, half, f"{start:%H:%M}" if exact else ""


def _spans(talk: Talk, when: When) -> list[tuple[str, str]]:
    """The days a time expression may mean, from today on."""
    readings = [(when.start, when.end), *when.others]
    spans = []
    for start, end in readings:
        first = talk.today if when.deadline else max(start.date(), talk.today)
        last = _day_after(start, end)
        if last > first:
            spans.append((first.isoformat(), last.isoformat()))
    return sorted(set(spans))


def _day_after(start: datetime, end: datetime | None) -> date:
    if end is None:
        return start.date() + timedelta(days=1)
    return max((end - timedelta(microseconds=1)).date(), start.date()) + timedelta(days=1)


def _by_daylight(when: When) -> datetime:
    """Three o'clock is in the afternoon at a hospital."""
    readings = [when.start, *(start for start, _ in when.others)]
    return next((one for one in readings if EARLIEST_HOUR <= one.hour < LATEST_HOUR), when.start)
