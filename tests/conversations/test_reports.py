"""Reports: counted in chat, shown once behind a link, held where a clinician must speak first."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.hospital import reports
from storage.tables import bindings, report_items, tasks
from storage.tables import reports as reports_table
from tests.chat import Chat
from tests.hospital_folder import bound, open_hospital


async def arrange(chat: Chat, *rows: dict[str, object]) -> None:
    await chat.does(open_hospital)
    await chat.does(bound("oPatient", "P01"))
    now = chat.clock.now()
    for number, row in enumerate(rows, 1):
        ready: dict[str, object] = {"kind": "lab", "title": "血常规", "status": "ready", "issued_at": now}
        values = ready | row
        flag = values.pop("flag", "")
        await chat.inserts(reports_table, code=f"R{number}", patient_code="P01", **values)
        item = {"name": "白细胞", "value": "9.1", "unit": "10^9/L", "flag": flag}
        await chat.inserts(report_items, report_code=f"R{number}", **item)


async def prove(chat: Chat) -> None:
    """As if a fresh code had just been entered."""
    fresh = bindings.update().values(proven_at=chat.clock.now())
    await chat.does(lambda db: db.execute(fresh))


async def test_a_report_is_shown_once_behind_a_link(chat: Chat) -> None:
    await arrange(chat, {}, {"status": "pending", "kind": "imaging"})
    await prove(chat)
    answer = await chat.says("我的报告出来了吗")
    found = re.search(r"https://xiaohu\.example/r/([\w-]{43})", answer)
    assert found, answer
    assert "血常规" not in answer
    assert "9.1" not in answer
    now = chat.clock.now()
    assert await chat.asks(lambda db: reports.link_lives(db, found[1], now))
    opened = await chat.does(lambda db: reports.open_link(db, found[1], now))
    assert opened is not None
    assert opened.items[0].value == "9.1"
    assert await chat.does(lambda db: reports.open_link(db, found[1], now)) is None
    assert not await chat.asks(lambda db: reports.link_lives(db, found[1], now))


async def test_a_link_dies_after_a_quarter_of_an_hour(chat: Chat) -> None:
    await arrange(chat, {})
    await prove(chat)
    token = re.search(r"/r/([\w-]+)", await chat.says("查报告"))
    assert token
    later = chat.clock.now() + timedelta(minutes=15)
    assert await chat.does(lambda db: reports.open_link(db, token[1], later)) is None


@pytest.mark.parametrize(
    "held", [{"kind": "pathology"}, {"title": "HIV抗体检测"}, {"title": "血清hcg"}, {"flag": "C"}]
)
async def test_a_held_report_is_never_told_or_linked(chat: Chat, held: dict[str, object]) -> None:
    await arrange(chat, held)
    await prove(chat)
    answer = await chat.says("我的报告出来了吗")
    assert "/r/" not in answer
    assert "由医生直接告诉您" in answer
    assert not any(word in answer for word in ("HIV", "病理", "hcg", "血常规"))
    kinds = await chat.asks(lambda db: db.execute(sa.select(tasks.c.kind)).scalars().all())
    assert list(kinds) == ["report"]


async def test_several_reports_are_chosen_from_without_titles(chat: Chat) -> None:
    await arrange(chat, {}, {"kind": "imaging", "title": "胸部CT"})
    await prove(chat)
    await chat.reads("""
        患者 查报告
        小护 影像报告
        小护 ~ 胸部CT
        患者 2
        小护 /r/
    """)


async def test_nothing_ready_says_so(chat: Chat) -> None:
    await arrange(chat, {"status": "pending"})
    await chat.reads("""
        患者 我的报告出来了吗
        小护 未出 1 份
    """)


@pytest.mark.parametrize("text", ["病理结果出来了吗", "胸部CT的片子出来了没有"])
async def test_another_kind_than_the_one_asked_for_is_not_linked(chat: Chat, text: str) -> None:
    await arrange(chat, {}, {"kind": "pathology", "title": "胃黏膜活检"})
    await prove(chat)
    answer = await chat.says(text)
    assert "/r/" not in answer
    assert "由医生直接告诉您" in answer
    assert "/r/" in await chat.says("查报告")


async def test_what_is_held_is_told_of_beside_a_link(chat: Chat) -> None:
    await arrange(chat, {}, {"title": "HIV抗体检测"})
    await prove(chat)
    answer = await chat.says("查报告")
    assert "/r/" in answer
    assert "由医生直接告诉您" in answer
