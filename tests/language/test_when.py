"""Dates and times as patients write them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.language.meaning import When
from bot.language.normalise import normalise
from bot.language.when import main_when, read_when

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 3, 18, 10, 20, tzinfo=SHANGHAI)  # a Wednesday
PHRASES = Path(__file__).parent / "fixtures" / "when.txt"


def read(text: str, now: datetime = NOW) -> tuple[When, ...]:
    return read_when(normalise(text), now)


def phrases() -> Iterator[tuple[datetime, str, str]]:
    now = NOW
    for line in PHRASES.read_text("utf-8").splitlines():
        said = line.split("#")[0].strip()
        if said.startswith("now "):
            now = datetime.fromisoformat(said[4:].strip()).replace(tzinfo=SHANGHAI)
        elif said:
            text, _, expected = said.partition(" | ")
            yield now, text, expected


def written(when: When) -> str:
    clock = when.grain in ("second", "minute", "hour", "part_of_day")

    def moment(at: datetime) -> str:
        return at.strftime("%Y-%m-%d %H:%M" if clock or (at.hour, at.minute) != (0, 0) else "%Y-%m-%d")

    text = moment(when.start)
    one_day = when.grain == "day" and when.end == when.start + timedelta(days=1)
    if when.end is not None and not (one_day and when.start.hour == 0):
        text += " .. " + moment(when.end)
    if when.end is None and not clock:
        text += " .. …"
    return " or ".join([text, *(moment(start) for start, _ in when.others)])


@pytest.mark.parametrize(("now", "text", "expected"), list(phrases()))
def test_a_phrase_means_this(now: datetime, text: str, expected: str) -> None:
    assert " | ".join(map(written, read(text, now))) == expected.replace("-", "", expected == "-")


@pytest.mark.parametrize(("now", "text", "expected"), list(phrases())[:300:3])
def test_a_phrase_means_the_same_inside_a_sentence(now: datetime, text: str, expected: str) -> None:
    alone, inside = read(text, now), read(f"你好，{text}，可以吗", now)
    assert [(w.start, w.end) for w in inside] == [(w.start, w.end) for w in alone]


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("tomorrow 3pm", "2026-03-19 15:00", None),
        ("3pm tomorrow", "2026-03-19 15:00", None),
        ("this Friday", "2026-03-20 00:00", "2026-03-21 00:00"),
        ("next Monday", "2026-03-23 00:00", "2026-03-24 00:00"),
        ("Friday next week", "2026-03-27 00:00", "2026-03-28 00:00"),
        ("next Friday afternoon", "2026-03-27 12:00", "2026-03-27 18:00"),
        ("in two weeks", "2026-04-01 00:00", "2026-04-02 00:00"),
        ("within three days", "2026-03-18 00:00", "2026-03-21 00:00"),
        ("an hour ago", "2026-03-18 09:20", None),
        ("the day after tomorrow", "2026-03-20 00:00", "2026-03-21 00:00"),
        ("tonight at 8", "2026-03-18 20:00", None),
        ("half past 3 tomorrow", "2026-03-19 03:30", None),
        ("2-4pm", "2026-03-18 14:00", "2026-03-18 16:00"),
        ("11-1pm", "2026-03-18 11:00", "2026-03-18 13:00"),
        ("between 2pm and 4pm", "2026-03-18 14:00", "2026-03-18 16:00"),
        ("April 15 at 2:30 pm", "2026-04-15 14:30", None),
        ("15th of April", "2026-04-15 00:00", "2026-04-16 00:00"),
        ("end of next month", "2026-04-26 00:00", "2026-05-01 00:00"),
        ("mingtian xiawu", "2026-03-19 12:00", "2026-03-19 18:00"),
        ("xiazhouyi shangwu", "2026-03-23 08:00", "2026-03-23 12:00"),
        ("xia zhouwu", "2026-03-27 00:00", "2026-03-28 00:00"),
        ("聽日下晝三點", "2026-03-19 15:00", None),
        ("下個禮拜三朝早", "2026-03-25 06:00", "2026-03-25 12:00"),
        ("後日", "2026-03-20 00:00", "2026-03-21 00:00"),
        ("週末", "2026-03-21 00:00", "2026-03-23 00:00"),
    ],
)
def test_english_pinyin_cantonese_and_traditional_say_the_same(
    text: str, start: str, end: str | None
) -> None:
    (when,) = read(text)
    assert f"{when.start:%Y-%m-%d %H:%M}" == start
    assert (when.end and f"{when.end:%Y-%m-%d %H:%M}") == end


@pytest.mark.parametrize(
    "text",
    [
        "I have had a fever for 3 days",
        "a second opinion",
        "may I ask",
        "2nd floor",
        "one day he fell",
        "at 30% off",
    ],
)
def test_english_words_that_only_look_like_time_are_left_alone(text: str) -> None:
    assert read(text) == ()


def test_times_come_in_the_order_of_the_text_with_their_words() -> None:
    found = read("我上周五做的检查，报告明天上午能取吗，另外约下周三下午")
    assert [when.text for when in found] == ["上周五", "明天上午", "下周三下午"]
    assert [when.past for when in found] == [True, False, False]


def test_the_present_gives_the_zone() -> None:
    tokyo = NOW.astimezone(ZoneInfo("Asia/Tokyo"))
    (when,) = read("明天下午三点", tokyo)
    assert when.start == datetime(2026, 3, 19, 15, tzinfo=ZoneInfo("Asia/Tokyo"))


@pytest.mark.parametrize(
    "text", ["周五做的检查", "周五拍了片子", "周五开始发烧", "周五住院的", "我妈周五出院了"]
)
def test_what_was_done_on_a_bare_weekday_was_done_on_the_last_one(text: str) -> None:
    (when,) = read(text)
    assert when.past
    assert when.start.date().isoformat() == "2026-03-13"
    assert [start.date().isoformat() for start, _ in when.others] == ["2026-03-20"]


@pytest.mark.parametrize("text", ["周五做检查", "周五的号", "想周五复查", "周五能做的话就约"])
def test_what_is_planned_on_a_bare_weekday_is_on_the_next_one(text: str) -> None:
    (when,) = read(text)
    assert not when.past
    assert when.start.date().isoformat() == "2026-03-20"


def test_a_weekday_said_on_that_weekday_has_two_readings() -> None:
    (when,) = read("周三有号吗")
    assert {when.start.day, *(start.day for start, _ in when.others)} == {18, 25}


def test_twelve_o_clock_has_two_readings_until_noon_or_night_is_said() -> None:
    (bare,), (noon,), (night,) = read("十二点"), read("中午十二点"), read("晚上十二点")
    assert [bare.start.hour, *(start.hour for start, _ in bare.others)] == [12, 0]
    assert (noon.start.day, noon.start.hour, noon.others) == (18, 12, ())
    assert (night.start.day, night.start.hour, night.others) == (19, 0, ())


def test_a_time_without_a_day_is_on_the_day_of_now_and_says_so() -> None:
    (when,) = read("下午三点")
    assert when.time_only
    assert when.start == NOW.replace(hour=15, minute=0)
    assert when.end is None
    assert not read("明天下午三点")[0].time_only


def test_a_deadline_begins_now() -> None:
    (when,) = read("周五之前能拆线吗")
    assert when.deadline
    assert (when.start.day, when.end and when.end.day) == (18, 20)


def test_the_main_time_is_ahead_and_more_than_a_deadline() -> None:
    assert main_when(()) is None
    for text, expected in (
        ("上周三做的手术，想约下周四复查", "下周四"),
        ("现在能约后天的号吗", "后天"),
        ("最近胃疼，周六上午有号吗", "周六上午"),
        ("昨天抽的血", "昨天"),
        ("月底前最后一次，就二十三那天", "二十三那天"),
    ):
        when = main_when(read(text))
        assert when is not None
        assert when.text == expected


@pytest.mark.parametrize(
    "text",
    [
        "38度2",
        "手术后第38天",
        "我提三点建议",
        "有两点不满意",
        "门诊一号楼怎么走",
        "3号窗口",
        "5号诊室叫号了吗",
        "血压180/110",
        "电话13800001234",
        "心里七上八下的",
        "一天三次，一次两片",
        "每周三下午坐诊",
        "烧了三天",
        "怀孕21周4天",
        "血糖七点八",
        "体温三十八点五",
        "关节后面疼",
        "饭后半小时吃药",
        "出院两周后复查",
        "有一点疼",
        "便宜一点",
        "下载",
        "以后天天来",
        "先天还是后天性的",
        "今年60岁了",
        "六年级",
        "1/2片",
        "月经推迟",
        "周主任",
        "早点休息",
    ],
)
def test_words_that_only_look_like_time_are_left_alone(text: str) -> None:
    assert read(text) == ()
