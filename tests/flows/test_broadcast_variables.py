"""Words of a broadcast that differ from person to person."""

from __future__ import annotations

from datetime import date

import pytest

from bot.domain.letter import Purpose
from bot.domain.patient import Patient
from bot.flows.broadcasts import lint, variables
from bot.flows.broadcasts.variables import Addressed

TODAY = date(2026, 11, 18)
WANG = Patient("P1", "王敏", "F", date(1980, 5, 1))
OUYANG = Patient("P2", "欧阳海", "M", date(1950, 5, 1))
CHILD = Patient("P3", "李小宝", "M", date(2020, 5, 1))
NAMELESS = Patient("P4", "", "F", date(1980, 5, 1))


@pytest.mark.parametrize(
    ("who", "read"),
    [
        (Addressed(WANG), "王女士好，王敏的复查时间到了。"),
        (Addressed(OUYANG), "欧阳先生好，欧阳海的复查时间到了。"),
        (Addressed(WANG, level=1), "王女士好，王*的复查时间到了。"),
        (Addressed(CHILD, relation="child"), "您好，李*宝的复查时间到了。"),
        (Addressed(WANG, relation="parent"), "您好，王*的复查时间到了。"),
        (Addressed(Patient("P5", "王敏", "", date(1980, 5, 1))), "您好，王敏的复查时间到了。"),
        (Addressed(Patient("P6", "王敏", "F")), "您好，王敏的复查时间到了。"),
        (Addressed(Patient("P7", "王" * 30, "F", WANG.birth_date)), "王女士好，家人的复查时间到了。"),
    ],
)
def test_everybody_reads_their_own(who: Addressed, read: str) -> None:
    text = "{称呼|您}好，{姓名|家人}的复查时间到了。"
    assert variables.for_one(text, who, TODAY) == read


def test_full_width_brackets_are_the_same() -> None:
    assert variables.for_one("｛ 称呼 ｜ 您 ｝好！", Addressed(WANG), TODAY) == "王女士好！"
    assert variables.same_for_all("｛称呼｜您｝好！") == "您好！"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{电话|您}好", "没有变量"),
        ("{姓名}好", "缺少备用词"),
        ("{姓名|}好", "缺少备用词"),
        ("{姓名|您好", "花括号"),
        ("姓名}好", "花括号"),
        ("{{姓名|您}}好", "花括号"),
    ],
)
def test_what_cannot_be_filled_in_is_told(text: str, fault: str) -> None:
    [found] = variables.faults(text)
    assert fault in found


def faults(text: str, purpose: Purpose) -> str:
    return "；".join(lint.faults(text, purpose, licence="", licence_until=None, today=TODAY))


def test_an_advertisement_says_the_same_to_all() -> None:
    assert "不能含变量" in faults("{姓名|您}好", Purpose.MARKETING)
    assert faults("{姓名|您}好", Purpose.GREETING) == faults("{姓名|您}好", Purpose.CARE) == ""


def test_words_that_only_the_fallback_makes_are_read_too() -> None:
    assert "打折" in faults("{姓名|打}折", Purpose.GREETING)


def test_the_longest_name_still_fits() -> None:
    text = "{姓名|您}" + "好" * ((lint.LONGEST - variables.LONGEST_VALUE) // 3)
    assert faults(text, Purpose.CARE) == ""
    assert "过长" in faults(text + "好", Purpose.CARE)
