"""Every value is one that the platform takes; the rules are the simulator's, written from the documentation."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.outbox.template_values import fill, value_of
from bot.simulator.config import Template
from bot.simulator.typed_values import RULES, fits

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 18, 2, 0, tzinfo=UTC)
ANY = Template(id="T", title="", content="")


@pytest.mark.parametrize(
    ("key", "fact", "value"),
    [
        ("thing1", "骨科复诊", "骨科复诊"),
        ("thing1", "一二三四五六七八九十一二三四五六七八九十零", "一二三四五六七八九十一二三四五六七八九…"),
        ("thing1", "第一行\n第二行", "第一行 第二行"),
        ("time2", NOW, "2026年11月18日 10:00"),
        ("time2", "2026-11-19T09:30:00+08:00", "2026年11月19日 09:30"),
        ("time2", "2026-11-19T09:30", "2026年11月19日 09:30"),
        ("time2", "2026年11月19日 09:30~10:30", "2026年11月19日 09:30~10:30"),
        ("time2", "11月19日 周四 09:30 到院", "09:30"),
        ("time2", "下周三", "2026年11月18日 10:00"),
        ("date3", "2026-11-19", "2026年11月19日"),
        ("name4", "欧阳娜娜", "欧阳娜娜"),
        ("number5", "排队第 12 位", "12"),
        ("amount6", "1,280.50", "1280.50元"),
        ("phone_number7", "0571-88880000 转 2", "0571-888800002"),
        ("character_string8", "YY26000017", "YY26000017"),
        ("phrase9", "已预约 (成功)", "已预约成功"),
        ("thing1", NOW, "11月18日 10:00"),
    ],
)
def test_facts_are_shaped_for_their_keys(key: str, fact: Any, value: str) -> None:
    assert value_of(key, fact, ZONE, NOW) == value


facts = st.one_of(
    st.none(),
    st.text(max_size=60),
    st.integers(),
    st.integers(-(10**9), 10**10).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    st.floats(),
)


@given(st.sampled_from(sorted(RULES)), facts)
def test_no_fact_makes_a_value_the_platform_refuses(kind: str, fact: Any) -> None:
    value = value_of(f"{kind}1", fact, ZONE, NOW)

    assert value
    assert fits(ANY, f"{kind}1", value), (kind, value)


def test_a_missing_fact_leaves_no_hole() -> None:
    assert all(fill({"thing1": "place", "time2": "when", "name3": "person"}, {}, ZONE, NOW).values())
