"""A post-op plan, from the imported operation to the nurse's desk."""

from __future__ import annotations

from tests.flows.conftest import Ward


async def test_an_imported_operation_is_asked_about_the_same_evening_and_the_next_day(ward: Ward) -> None:
    await ward.operation(day="2026-11-18")
    await ward.looks("2026-11-18 12:00")
    assert await ward.steps() == []
    await ward.looks("2026-11-18 19:30")
    assert await ward.steps() == ["abdominal/d0"]
    text = await ward.last_text()
    assert "许*怡" in text
    assert "青禾医院" in text
    assert "5 都没有" in text
    assert text.endswith("0 找护士")
    assert len(text) <= 200
    assert "谢谢" in await ward.says("5")
    await ward.looks("2026-11-19 10:30")
    assert await ward.steps() == ["abdominal/d0", "abdominal/d1"]


async def test_a_bad_answer_raises_an_alarm_and_ends_the_questions(ward: Ward) -> None:
    await ward.operation(day="2026-11-17")
    await ward.looks("2026-11-18 10:30")
    answer = await ward.says("8")
    assert "护士" in answer
    assert await ward.alerts() == [("U", "pain")]
    assert (await ward.touches())["d1"].state == "answered"


async def test_the_questions_of_one_contact_follow_each_other_in_chat(ward: Ward) -> None:
    await ward.operation(day="2026-11-17")
    await ward.looks("2026-11-18 10:30")
    assert "吃饭喝水" in await ward.says("３")
    assert "谢谢" in await ward.says("一")
    assert await ward.alerts() == []
