"""What messages want: on sentences nobody trained on, on traps, and with a hospital's own words."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.language.intents.training import SENTENCES, read_sentences
from bot.language.understand import Understanding

NOW = datetime(2026, 3, 18, 10, 20, tzinfo=ZoneInfo("Asia/Shanghai"))
FIXTURES = Path(__file__).parent / "fixtures" / "intents"
READER = Understanding()


def wanted(text: str) -> str:
    return READER.read(text, NOW).intent


def fixture(name: str) -> Iterator[tuple[str, str]]:
    table = tomllib.loads((FIXTURES / f"{name}.toml").read_text("utf-8"))["sentences"]
    for intent, lines in table.items():
        yield from ((intent, line) for line in lines.split("\n") if line)


def test_sentences_nobody_trained_on_are_mostly_understood() -> None:
    rows = [*fixture("unseen"), *fixture("fresh")]
    right = sum(wanted(text) == intent for intent, text in rows)
    assert right / len(rows) >= 0.87


def test_no_fixture_sentence_was_trained_on() -> None:
    trained = {sentence for _, sentence in read_sentences(SENTENCES)}
    assert not [
        text for _, text in (*fixture("unseen"), *fixture("fresh")) if text in trained and len(text) > 6
    ]


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("挂骨科的号", "appointment.book"),
        ("挂什么科", "triage.recommend"),
        ("脚肿挂什么号", "triage.recommend"),
        ("预约费用多少", "info.faq"),
        ("怎么取消挂号", "appointment.cancel"),
        ("取消改期", "appointment.reschedule"),
        ("头疼吃什么药", "health.consult"),
        ("布洛芬一天最多吃几片", "medication.postop"),
        ("术后第三天可以洗澡吗", "medication.postop"),
        ("投诉多收费", "complaint"),
        ("住院一天收费多少", "info.faq"),
    ],
)
def test_neighbouring_intents_are_kept_apart(text: str, intent: str) -> None:
    assert wanted(text) == intent


@pytest.mark.parametrize(
    "text",
    [
        "修车要人工费吗",
        "取消花呗",
        "人工智能以后会怎么样",
        "双色球开奖结果",
        "期末考试成绩什么时候出来",
        "梦见自己住院了是什么意思",
        "预约试驾宝马",
        "明天去武汉的高铁票",
        "微积分怎么入门",
        "谢谢用法语怎么说",
        "红烧排骨怎么做好吃",
        "手机屏幕碎了换一块多少钱",
    ],
)
def test_another_trade_with_our_words_is_unknown(text: str) -> None:
    assert wanted(text) == "unknown"


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("I want to book an appointment with a dentist", "appointment.book"),
        ("cancel my appointment on Monday", "appointment.cancel"),
        ("is my blood test report ready", "report.query"),
        ("how many points do I have", "points.balance"),
        ("I want to talk to a real person", "human.handoff"),
        ("thank you", "thanks"),
        ("我想掛號睇醫生", "appointment.book"),
        ("唔該", "thanks"),
        ("醫院地址喺邊", "info.faq"),
        ("頭痛要掛什麼科", "triage.recommend"),
        ("ＴＤ", "optout"),
    ],
)
def test_other_scripts_and_tongues(text: str, intent: str) -> None:
    assert wanted(text) == intent


def test_the_two_likeliest_are_told_even_of_an_unknown_message() -> None:
    meaning = READER.read("那个呢", NOW)
    assert len(meaning.likeliest) == 2
    assert meaning.likeliest[0][1] >= meaning.likeliest[1][1]


def test_a_hospital_teaches_its_own_words_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(
        """
        [[rule]]
        intent = "appointment.book"
        when = "绿色通道"

        [sentences]
        "info.faq" = '''
        云影像怎么登录
        云影像的密码是多少
        '''
        """,
        "utf-8",
    )
    assert wanted("走绿色通道") != "appointment.book"
    taught = Understanding(examples=file)
    assert taught.read("走绿色通道", NOW).intent == "appointment.book"
    assert taught.read("云影像登录不了", NOW).intent == "info.faq"
    assert file.with_suffix(".model.json").exists()


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ('[[rule]]\nintent = "appointment.bok"\nwhen = "x"', "appointment.bok"),
        ('[[rule]]\nintent = "optout"\nwhen = "("', "rule 1"),
        ('[[rule]]\nintent = "optout"', "when"),
        ("[sentences]\nemergency = '''\n救命\n'''", "emergency"),
        ("[templates]\noptout = '''\n别发{nothing}\n'''", "nothing"),
    ],
)
def test_a_mistake_in_the_hospitals_file_is_named(tmp_path: Path, content: str, complaint: str) -> None:
    file = tmp_path / "own.toml"
    file.write_text(content, "utf-8")
    with pytest.raises(ValueError, match=complaint):
        Understanding(examples=file)
