"""What holds for any text and any present."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.language.when import read_when

SHANGHAI = ZoneInfo("Asia/Shanghai")
presents = st.integers(0, 90 * 366 * 24 * 60).map(
    lambda minutes: datetime(2000, 1, 1, tzinfo=SHANGHAI) + timedelta(minutes=minutes)
)
TIME_WORDS = [
    "今天",
    "明天",
    "后天",
    "大前天",
    "上",
    "下",
    "下下",
    "这",
    "个",
    "周",
    "星期",
    "周三",
    "礼拜天",
    "周末",
    "月",
    "年",
    "日",
    "号",
    "点",
    "半",
    "刻",
    "分",
    "秒",
    "时",
    "小时",
    "天",
    "三",
    "十五",
    "二〇二六",
    "12",
    "30",
    "2026",
    "8:30",
    "3/18",
    "2026-03-18",
    "上午",
    "下午",
    "晚上",
    "凌晨",
    "早",
    "晚",
    "初八",
    "廿三",
    "腊月",
    "正月",
    "农历",
    "闰",
    "中秋",
    "国庆",
    "五一",
    "除夕",
    "假期",
    "节后",
    "年前",
    "前",
    "后",
    "内",
    "之前",
    "以后",
    "第",
    "最后",
    "一",
    "几",
    "两三",
    "到",
    "-",
    "和",
    "或",
    "、",
    "，",
    "的",
    "从",
    "起",
    "至今",
    "之间",
    "左右",
    "工作日",
    "季度",
    "上半年",
    "世纪",
    "年代",
    "月底",
    "上旬",
    "过",
    "再",
    "差",
    "未来",
    "最近",
    "每",
    "现在",
    "next",
    "monday",
    "tomorrow",
    "3pm",
    "ago",
    "in",
    "two",
    "weeks",
]
time_texts = st.lists(st.sampled_from(TIME_WORDS), max_size=12).map("".join)


@given(text=st.text(max_size=200), now=presents)
def test_any_text_is_read_without_an_error(text: str, now: datetime) -> None:
    read_when(text, now)


@settings(max_examples=600)
@given(text=time_texts, now=presents)
def test_any_mixture_of_time_words_gives_sound_stretches(text: str, now: datetime) -> None:
    reach = 0
    for when in read_when(text, now):
        assert when.end is None or when.start < when.end
        assert when.start.tzinfo is now.tzinfo
        assert all(start != when.start for start, _ in when.others)
        assert when.text in text[reach:]
        reach = text.index(when.text, reach) + len(when.text)


WEEKLY = [
    "今天",
    "明天下午三点",
    "大后天",
    "周五上午",
    "下周一",
    "上周日",
    "这周末",
    "下下周二到周四",
    "三天后",
    "两周前",
    "半小时后",
    "未来三天",
    "明早8点20",
    "三点半",
]


@given(text=st.sampled_from(WEEKLY), now=presents, weeks=st.integers(-500, 500))
def test_a_week_later_the_same_words_mean_a_week_later(text: str, now: datetime, weeks: int) -> None:
    later = timedelta(weeks=weeks)
    found, then = read_when(text, now), read_when(text, now + later)
    assert [(w.start + later, w.end and w.end + later) for w in found] == [(w.start, w.end) for w in then]


DATED = [
    "1月31号",
    "2月29号",
    "8月5日",
    "腊月二十三",
    "大年初一",
    "中秋",
    "国庆",
    "母亲节",
    "初八",
    "15号",
    "31号",
    "冬至",
]


@given(text=st.sampled_from(DATED), now=presents)
def test_a_bare_date_is_the_next_one_to_come(text: str, now: datetime) -> None:
    (when,) = read_when(text, now)
    ahead = when.start.date() - now.date()
    assert timedelta(0) <= ahead <= timedelta(days=366 * 8 + 1)


@pytest.mark.parametrize(
    "words", ["一", "1点", "周一", "初八、", "第一个", "1-", "年", "1:0", "节后第400个工作日", "a ", "十一后"]
)
def test_ten_kilobytes_of_anything_are_read_in_a_blink(words: str) -> None:
    text, now = (words * 10_000)[:10_000], datetime(2026, 3, 18, 10, 20, tzinfo=SHANGHAI)
    read_when(text, now)
    began = time.process_time()
    read_when(text, now)
    assert time.process_time() - began < 3  # about 0.01; quadratic time would take minutes
