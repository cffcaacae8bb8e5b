"""Which department sees what a patient describes."""

from __future__ import annotations

import tomllib
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.language.triage import STANDARD_DEPARTMENTS
from bot.language.understand import Understanding

NOW = datetime(2026, 3, 18, 10, 20, tzinfo=ZoneInfo("Asia/Shanghai"))
FIXTURE = Path(__file__).parent / "fixtures" / "triage" / "complaints_by_department.toml"
READER = Understanding()


def departments(text: str) -> tuple[str, ...]:
    return READER.read(text, NOW).triage


def test_there_are_twenty_three_standard_departments() -> None:
    assert len(set(STANDARD_DEPARTMENTS)) == 23


def test_most_descriptions_reach_their_department() -> None:
    table = tomllib.loads(FIXTURE.read_text("utf-8"))
    rows = [(name, line) for name, lines in table.items() for line in lines.split("\n") if line]
    first = sum(departments(text)[:1] == (name,) for name, text in rows)
    among = sum(name in departments(text) for name, text in rows)
    assert set(table) == set(STANDARD_DEPARTMENTS)
    assert first / len(rows) >= 0.9
    assert among / len(rows) >= 0.97


@pytest.mark.parametrize(
    "text", ["三岁宝宝咳嗽有痰", "孩子发烧两天", "我家娃拉肚子", "8个月大的婴儿起湿疹", "小儿支气管炎"]
)
def test_a_child_is_seen_by_paediatrics(text: str) -> None:
    assert departments(text)[0] == "儿科"


@pytest.mark.parametrize("text", ["怀孕五个月感冒了", "孕妇头晕", "孕期血糖高", "哺乳期乳房胀痛"])
def test_a_pregnant_woman_is_seen_by_obstetrics(text: str) -> None:
    assert departments(text)[0] == "妇产科"


@pytest.mark.parametrize("text", ["乙肝会传染给孩子吗", "得了甲亢能要孩子吗"])
def test_children_yet_to_come_are_not_the_patient(text: str) -> None:
    assert departments(text)[0] != "儿科"


@pytest.mark.parametrize("text", ["明天天气怎么样", "你好", "停车多少钱", ""])
def test_no_illness_no_department(text: str) -> None:
    assert departments(text) == ()


def test_at_most_three_are_named() -> None:
    assert len(departments("头疼发烧咳嗽胸闷肚子疼尿频皮肤痒牙疼眼睛红")) == 3
