"""Yes, no and never mind, as people say them."""

from __future__ import annotations

import pytest

from bot.conversation.said import Said
from bot.domain.language import Language
from bot.language.meaning import Meaning, RedFlags
from tests.chat import Chat
from tests.hospital_folder import bound, open_hospital


def said(text: str) -> Said:
    meaning = Meaning(
        text=text, language=Language.SIMPLIFIED, intent="unknown", confidence=0.0, red_flags=RedFlags()
    )
    return Said(text=text, meaning=meaning)


@pytest.mark.parametrize(
    "text",
    [
        "1",
        "是",
        "确认",
        "好的",
        "好的好的",
        "嗯嗯，确认",
        "可以的，谢谢",
        "没问题",
        "行吧",
        "就这个吧",
        "Yes please",
        "OK.",
    ],
)
def test_yes(text: str) -> None:
    assert said(text).yes
    assert not said(text).no


@pytest.mark.parametrize(
    "text", ["2", "否", "不", "不用了，谢谢", "先不约了", "还是不要了吧", "暂时不需要", "No"]
)
def test_no(text: str) -> None:
    assert said(text).no
    assert not said(text).yes


@pytest.mark.parametrize(
    "text",
    [
        "好像不对",
        "是不是周三",
        "对不起",
        "不舒服",
        "不是周三，是周四",
        "行李放哪",
        "确认取消",
        "不客气吧您",
        "好多了",
        "别的医生",
    ],
)
def test_neither(text: str) -> None:
    assert not said(text).yes
    assert not said(text).no


@pytest.fixture
async def booked(chat: Chat) -> Chat:
    await chat.does(open_hospital)
    await chat.does(bound("oPatient", "P01"))
    await chat.reads("""
        患者 挂张建国周五上午
        患者 确认
        小护 预约成功
    """)
    return chat


@pytest.mark.parametrize("text", ["不取消了", "保留吧", "算了不退了", "我还是会去的", "2", "先不了"])
async def test_keeping_a_booking_after_all(booked: Chat, text: str) -> None:
    await booked.says("取消预约")
    answer = await booked.says(text)
    assert "保留不变" in answer
    assert "已取消" not in answer


@pytest.mark.parametrize("text", ["确认取消", "取消吧", "对，取消", "不去了", "好的", "是的取消掉"])
async def test_giving_a_booking_up(booked: Chat, text: str) -> None:
    await booked.says("取消预约")
    assert "已取消" in await booked.says(text)


async def test_cancel_in_answer_to_cancel(booked: Chat) -> None:
    await booked.reads("""
        患者 取消预约
        患者 取消
        小护 还是先不办了
        小护 确认取消这个预约吗
        小护 ~ 已取消
        患者 1
        小护 已取消
    """)


async def test_never_mind_ends_the_search(booked: Chat) -> None:
    await booked.reads("""
        患者 挂骨科
        患者 先不约了
        小护 没有预约
        患者 骨科在几楼
        小护 ~ 接着刚才的
    """)


@pytest.mark.parametrize("text", ["不投诉了", "我还是不投诉了吧", "先不说了，谢谢"])
async def test_a_complaint_that_is_given_up(booked: Chat, text: str) -> None:
    await booked.says("我要投诉")
    assert "停下" in await booked.says(text)
    assert "停下" not in await booked.says("投诉进度")


async def test_what_works_everywhere_works_in_a_story(booked: Chat) -> None:
    await booked.says("我要投诉")
    assert "已停止" in await booked.says("我要退订")
    assert "转接护士" in await booked.says("帮我转人工")


async def test_yes_in_cantonese(booked: Chat) -> None:
    await booked.says("取消预约")
    assert "已取消" in await booked.says("係")
