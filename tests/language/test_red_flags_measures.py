"""Numbers with their units and their words."""

from __future__ import annotations

import pytest

from bot.language.meaning import Urgency
from bot.language.red_flags.measures import Limit, add_measures
from bot.language.red_flags.words import Found
from tests.language.red_flag_fixtures import lexicon


def measured(text: str, kind: str) -> bool:
    """Whether a value of *kind* within the given range is read: 体温 38-39, for example."""
    name, _, span = kind.partition(" ")
    least, _, most = span.partition("-")
    found = Found({})
    add_measures(text, found, [Limit("x", name, float(least), float(most))])
    return "x" in found


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        ("38度2", "体温 38.15-38.25"),
        ("三十八度五", "体温 38.45-38.55"),
        ("38°5", "体温 38.45-38.55"),
        ("38.6℃", "体温 38.55-38.65"),
        ("烧到39", "体温 38.95-39.05"),
        ("发烧三十九度多", "体温 38.95-39.05"),
        ("体温量了38.9", "体温 38.85-38.95"),
        ("血压180/110", "高压 180-181"),
        ("血压110/180", "高压 180-181"),
        ("血压110/180", "低压 110-111"),
        ("180到110", "高压 180-181"),
        ("高压一百八", "高压 180-181"),
        ("收缩压二百一", "高压 210-211"),
        ("低压一百一十五", "低压 115-116"),
        ("血糖3.1", "血糖 3.05-3.15"),
        ("血糖2点6", "血糖 2.55-2.65"),
        ("血糖三点二", "血糖 3.15-3.25"),
        ("血糖300mg/dl", "血糖 16.6-16.7"),
        ("随机血糖三十多", "血糖 29-31"),
        ("心率135", "心率 135-136"),
        ("血氧只有85", "血氧 85-86"),
        ("疼8分", "疼 8-9"),
        ("吃了20片安眠药", "片 20-21"),
        ("烧了五天", "烧天数 5-6"),
    ],
)
def test_read(text: str, reading: str) -> None:
    assert measured(text, reading)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("12:38到医院", "体温 34-43"),
        ("第38天", "体温 34-43"),
        ("38床", "体温 34-43"),
        ("我38岁", "体温 34-43"),
        ("39公斤", "体温 34-43"),
        ("室温38度", "体温 34-43"),
        ("2026-11-22", "高压 60-300"),
        ("孕38周", "体温 34-43"),
        ("电话138120", "高压 60-300"),
        ("疼了8分钟", "疼 0-11"),
        ("血糖仪坏了3天", "血糖 0-60"),
        ("今天是第5天了", "烧天数 1-60"),
    ],
)
def test_not_read(text: str, kind: str) -> None:
    assert not measured(text, kind)


@pytest.mark.parametrize(
    ("text", "urgency"),
    [
        ("血压110/180头疼得厉害", Urgency.EMERGENCY),
        ("血压180/110没有不舒服", Urgency.URGENT),
        ("血压130/80", None),
        ("血糖16.7", Urgency.URGENT),
        ("血糖16.5", None),
        ("血糖5.6", None),
    ],
)
def test_what_a_value_means(text: str, urgency: Urgency | None) -> None:
    assert lexicon().read(text).urgency == urgency
