"""Complaints, their severity, and the temper of a message."""

from __future__ import annotations

import json
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from bot.language.complaints import MODEL, standard_complaints
from bot.language.grievances import learnt_from
from bot.language.meaning import Meaning
from bot.language.understand import Understanding

NOW = datetime(2026, 3, 18, 10, 20, tzinfo=ZoneInfo("Asia/Shanghai"))
READER = Understanding()


def read(text: str) -> Meaning:
    return READER.read(text, NOW)


@pytest.mark.parametrize(
    "text",
    [
        "我要投诉骨科的护士",
        "医生态度恶劣,问两句就不耐烦",
        "排了三个小时队,号都过了也没人叫",
        "你们多收了我一百块检查费",
        "押金退了一个月还没到账,没人管",
        "举报某诊所无证行医",
        "给我妈打错了针,你们怎么解释",
        "外卖晚了一个多小时,送到都凉了",
        "关于县医院乱收费的反映",
        "护士态度好差,等咗两个钟",
        "the receptionist was extremely rude",
    ],
)
def test_blame_is_a_complaint(text: str) -> None:
    assert read(text).is_complaint


@pytest.mark.parametrize(
    "text",
    [
        "投诉电话是多少",
        "怎么投诉淘宝卖家",
        "咨询异地医保报销比例",
        "孩子难受得一直哭,怎么办",
        "胃疼得受不了",
        "医生很耐心,护士也热情,感谢",
        "挂号费多少钱",
        "我不是要投诉,就想问问几点上班",
        "想给护士长提个表扬",
        "皮肤很差怎么调理",
        "强迫症能治好吗",
    ],
)
def test_suffering_questions_and_praise_are_none(text: str) -> None:
    meaning = read(text)
    assert not meaning.is_complaint
    assert meaning.severity is None


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("投诉:手术把我爸做瘫痪了", "C1"),
        ("我要举报医生收红包", "C1"),
        ("护士给孩子打错药,我要投诉", "C1"),
        ("是不是等我死了你们才管", "C1"),
        ("我要投诉医生态度恶劣", "C3"),
        ("多收费不退,太黑了,投诉", "C3"),
        ("投诉停车场没有车位还乱指挥", "C4"),
        ("投诉排队太久", "C4"),
    ],
)
def test_severity_follows_the_harm(text: str, severity: str) -> None:
    assert read(text).severity == severity


@pytest.mark.parametrize(
    ("text", "emotion"),
    [
        ("垃圾医院,骗子!!", "angry"),
        ("服务态度不好,等了很久", "dissatisfied"),
        ("怀孕八个月,晚上腰疼得睡不着,好难受", "distress"),
        ("医生非常耐心,给好评", "positive"),
        ("体检前要空腹吗", "neutral"),
        ("医生很好,不过我还想问下头疼怎么办", "neutral"),
    ],
)
def test_temper(text: str, emotion: str) -> None:
    assert read(text).emotion == emotion


def test_the_shipped_model_was_learnt_from_the_shipped_sentences() -> None:
    """If this fails: `python -m bot.language.grievances`."""
    assert json.loads(MODEL.read_text("utf-8"))["learnt_from"] == learnt_from()


@pytest.mark.parametrize(
    "text",
    ["护士没有一点不耐烦", "怕手术失败", "意见箱在哪里", "我把单子弄丢了,能补吗", "以前在别家被误诊过"],
)
def test_a_word_of_blame_alone_is_no_complaint(text: str) -> None:
    assert not standard_complaints().read(text).complains


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("停车场转了四十分钟都没有位置", "C4"),
        ("护士问两句就甩脸子", "C3"),
        ("纱布落在我妈肚子里,又开了一刀", "C1"),
    ],
)
def test_a_complaint_in_nobodys_list_is_heard_and_weighed(text: str, level: str) -> None:
    complaints = standard_complaints()
    assert complaints.read(text).complains
    assert complaints.severity(text) == level
