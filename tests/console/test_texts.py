"""Patients' texts in the hospital's own words: previewed, checked, agreed to by two, in use at once, rolled back."""

from __future__ import annotations

import pytest

from bot.console.flows.text_notation import Notation
from bot.console.flows.texts import preview
from bot.domain.language import Language
from bot.domain.words import say
from bot.outbox import own_texts
from bot.outbox.wording import MESSAGES, Messages
from tests.console.conftest import House, Visitor

BIRTHDAY = "/console/texts/greeting/birthday"
SHIPPED = Messages().shipped("greeting/birthday.zh-Hans") or ""
OWN = SHIPPED.replace("祝生日快乐，平安健康！", "祝您生日快乐，天天开心！")
EMERGENCY = Messages().shipped("red_flag/emergency.zh-Hans") or ""


def reads(house: House, language: Language = Language.SIMPLIFIED) -> str:
    """What somebody is greeted with on their birthday."""
    words = say("greeting/birthday", name="王*", own=True, quiet=False)
    return house.server.house.wording.text(words, language)


async def saved(visitor: Visitor, source: str = OWN, path: str = BIRTHDAY, language: str = "zh-Hans") -> None:
    status, where = await visitor.post(path, source=source, language=language, note="更亲切")
    assert status == 303, where


async def test_a_manager_s_greeting_is_in_use_at_once_and_taken_back(house: House) -> None:
    manager = await house.colleague("manager")
    assert "天天开心" not in reads(house)
    await saved(manager)
    assert "天天开心" in reads(house)
    assert "天天開心" in reads(house, Language.TRADITIONAL)  # made from the new words
    page = await manager.sees(BIRTHDAY)
    assert "<ins>" in page
    assert "在用" in page
    assert "已改" in await manager.sees("/console/texts?topic=greeting")
    assert (await manager.post(f"{BIRTHDAY}/restore", version="0", language="zh-Hans"))[0] == 303
    assert "天天开心" not in reads(house)
    assert (await manager.post(f"{BIRTHDAY}/restore", version="1", language="zh-Hans"))[0] == 303
    assert "天天开心" in reads(house)


async def test_staff_write_names_of_facts_and_no_template(house: House) -> None:
    manager = await house.colleague("manager")
    page = await manager.sees(BIRTHDAY)
    assert "{姓名}，今天是{如果：本人}您{否则}家人{结束}的生日" in page
    assert "{{" not in page
    written = Notation(SHIPPED).show(SHIPPED).replace("祝生日快乐", "祝{姓名}生日快乐")
    await saved(manager, written)
    assert "祝王*生日快乐" in reads(house)
    status, page = await manager.post(BIRTHDAY, source=written + "{身份证号}", language="zh-Hans")
    assert (status, "没有“{身份证号}”这个变量" in page) == (422, True)


async def test_marketing_writes_greetings_and_a_manager_agrees(house: House) -> None:
    writer, manager = await house.colleague("marketing"), await house.colleague("manager")
    await saved(writer)
    assert "天天开心" not in reads(house)
    assert "birthday" in await manager.sees("/console/texts")
    assert (await writer.post("/console/texts/versions/1/approve"))[0] == 403
    assert (await manager.post("/console/texts/versions/1/approve"))[0] == 303
    assert "天天开心" in reads(house)
    status, page = await manager.post("/console/texts/versions/1/refuse")
    assert (status, "已经有人决定过了" in page) == (422, True)
    status, page = await writer.post("/console/texts/red_flag/emergency", source=EMERGENCY + "快！")
    assert (status, "要由经理来改" in page) == (422, True)


async def test_a_text_of_danger_needs_a_second_manager(house: House) -> None:
    manager = await house.colleague("manager")
    path = "/console/texts/red_flag/emergency"
    await saved(manager, EMERGENCY.replace("可能很紧急", "很可能紧急"), path)
    status, page = await manager.post("/console/texts/versions/1/approve")
    assert (status, "需要另一位经理批准" in page) == (422, True)
    danger = house.server.house.wording.text(say("red_flag/emergency"), Language.SIMPLIFIED)
    assert "可能很紧急" in danger
    status, page = await manager.post(path, source=EMERGENCY.replace("120", "急救电话"), language="zh-Hans")
    assert (status, "必须保留电话 120" in page) == (422, True)


async def test_while_one_writes_faults_and_the_reading_are_shown_and_nothing_runs(house: House) -> None:
    writer = await house.colleague("marketing")
    _, part = await writer.post(f"{BIRTHDAY}/preview", source=OWN, language="zh-Hans")
    assert "«姓名»，今天是您的生日" in part
    assert "今天是家人的生日" in part
    hostile = SHIPPED + "{{ name.__class__.__mro__ }}"
    _, part = await writer.post(f"{BIRTHDAY}/preview", source=hostile, language="zh-Hans")
    assert "没有“name.__class__.__mro__”这个变量" in part
    assert "暂时不能预览" in part
    _, part = await writer.post(
        f"{BIRTHDAY}/preview", source=SHIPPED + "<script>x</script>", language="zh-Hans"
    )
    assert "<script>" not in part
    assert (await writer.get("/console/texts/greeting/no_such"))[0] == 404


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        (SHIPPED.replace("{{ name }}", "您"), "缺少变量 {{ name }}"),
        (SHIPPED + "{{ config }}", "没有“config”这个变量"),
        (SHIPPED + "{{ ''.join('a') }}", "只能用原来的写法"),
        (SHIPPED + "{% for a in name %}x{% endfor %}", "只能用原来的写法"),
        (SHIPPED + "{% include 'x' %}", "只能用原来的写法"),
        (SHIPPED + "{{ name|upper }}", "没有“|upper”这种写法"),
        (SHIPPED + "{{ hospital.items }}", "没有“hospital.items”这个变量"),
        (SHIPPED.replace("回复“退订”不再接收祝福。", ""), "可以回复“退订”"),
        (SHIPPED + "全场八折", "那是营销"),
        (SHIPPED + "预约成功", "只能出现在真正的确认消息里"),
        (SHIPPED + "保证健康", "不能对患者说“保证”"),
        (SHIPPED + "好" * 1000, "太长"),
        ("{{ name", "花括号写法不对"),
        (" \n", "内容为空"),
    ],
)
def test_own_words_keep_the_facts_and_the_promises(source: str, fault: str) -> None:
    found = own_texts.faults("greeting/birthday.zh-Hans", source, SHIPPED)
    assert any(fault in one for one in found), found


def test_every_text_that_ships_keeps_its_own_rules_and_can_be_previewed() -> None:
    messages, known = Messages(), dict.fromkeys(own_texts.HOSPITAL, "医院")
    for path in sorted(MESSAGES.rglob("*.txt")):
        name = str(path.relative_to(MESSAGES)).removesuffix(".txt")
        source = messages.shipped(name) or ""
        assert own_texts.faults(name, source, source) == [], name
        assert Notation(source).read(Notation(source).show(source)) == (source, []), name
        assert preview(source, source, name.rpartition(".")[2], known), name
