"""What went only as a notice is read in full when the patient next writes, once."""

from __future__ import annotations

from datetime import timedelta

from bot.domain.letter import Purpose
from bot.outbox import owed_texts
from storage.tables import bindings
from tests.hospital_folder import bound, open_hospital
from tests.outbox.conftest import Post

LONG = "李护士：您问的伤口换药，可以周四上午来骨科门诊换药室，不用再挂号，带上出院小结和身份证。"


async def bring(post: Post) -> int:
    house = post.server.house
    owed = await post.does(lambda db: owed_texts.bring(db, post.clock.now(), house.wording))
    await post.delivers()
    return owed


async def test_a_nurses_answer_that_went_as_a_template(post: Post) -> None:
    patient = await post.follower()
    await patient.says("你好")
    assert await bring(post) == 0
    post.passes(hours=49)
    number = await post.owes(text=LONG, author="li")
    await post.delivers()
    assert (await post.letter(number)).channel == "template"
    assert "出院小结和身份证" not in patient.screen

    post.passes(days=1)
    await patient.says("在吗")
    assert await bring(post) == 1
    assert LONG in patient.screen
    assert await bring(post) == 0
    await patient.says("收到")
    assert await bring(post) == 0
    assert [row.channel for row in await post.sent()] == ["template", "customer_service"]


async def test_what_was_read_in_the_chat_is_not_repeated(post: Post) -> None:
    patient = await post.follower()
    await patient.says("你好")
    await post.owes(text=LONG)
    await post.delivers()
    await patient.says("好的")
    assert await bring(post) == 0


async def test_what_is_over_is_not_told(post: Post) -> None:
    patient = await post.follower()
    until = post.clock.now() + timedelta(hours=5)
    await post.owes(text=LONG, purpose=Purpose.CARE, template="care", useful_until=until)
    await post.delivers()
    post.passes(hours=6)
    await patient.says("你好")
    assert await bring(post) == 0


async def test_what_is_old_is_not_told(post: Post) -> None:
    patient = await post.follower()
    await post.owes(text=LONG)
    await post.delivers()
    post.passes(days=8)
    await patient.says("你好")
    assert await bring(post) == 0


async def test_into_the_chat_or_not_at_all(post: Post) -> None:
    await post.follower()
    number = await post.owes(text=LONG, chat_only=True)
    await post.delivers()
    letter = await post.letter(number)
    assert (letter.state, letter.reason) == ("suppressed", "no_window")
    assert await post.tasks() == []


async def test_who_does_not_speak_for_the_patient_any_more_is_told_nothing(post: Post) -> None:
    patient = await post.follower()
    await post.does(open_hospital)
    await post.does(bound("oPatient", "P01", "parent"))
    await post.owes(text=LONG, patient_code="P01")
    await post.delivers()
    await post.does(lambda db: db.execute(bindings.update().values(ended_at=post.clock.now())))
    post.passes(hours=1)
    await patient.says("你好")
    assert await bring(post) == 0
    await post.does(lambda db: db.execute(bindings.update().values(ended_at=None)))
    await patient.says("在吗")
    assert await bring(post) == 1
