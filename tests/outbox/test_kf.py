"""Letters to customers of 微信客服: five within 48 hours, under a number of our own, and told when they fail."""

from __future__ import annotations

import sqlalchemy as sa

from bot.domain.letter import Purpose
from bot.simulator import Customer
from storage.tables import messages
from tests.outbox.conftest import Post


async def a_customer(post: Post) -> Customer:
    """Somebody who has just written to 护理咨询, and was answered."""
    customer = post.platform.kf.customer("wmPatient")
    await customer.says("你好")
    await fetched(post)
    await post.delivers()
    assert shown(customer, "请问有什么可以帮您") == 1
    return customer


async def fetched(post: Post) -> None:
    """Until the server has answered the bell and read everything."""
    await post.platform.settle()
    desk = post.server.house.kf_desk
    assert desk is not None
    await desk.close()


def shown(customer: Customer, text: str) -> int:
    return sum(text in bubble.text for bubble in customer.screen)


async def test_a_letter_goes_to_the_customer(post: Post) -> None:
    customer = await a_customer(post)
    number = await post.owes("wmPatient", text="明天请按时复诊。")

    await post.delivers()

    assert shown(customer, "明天请按时复诊。") == 1
    assert (await post.letter(number)).channel == "kf"


async def test_a_letter_whose_answer_was_lost_is_repeated_and_shown_once(post: Post) -> None:
    customer = await a_customer(post)
    post.platform.faults.drop_answer("kf/send_msg")
    number = await post.owes("wmPatient", text="明天请按时复诊。")

    await post.delivers()

    assert shown(customer, "明天请按时复诊。") == 1
    assert (await post.letter(number)).state == "sent"


async def test_beyond_the_five_it_waits_for_no_error_but_takes_another_way(post: Post) -> None:
    await a_customer(post)
    for number in range(6):
        await post.owes("wmPatient", text=f"第{number}条", purpose=Purpose.TRANSACTION)

    await post.delivers()

    codes = [call.answer["errcode"] for call in post.platform.calls.to("kf/send_msg")]
    assert set(codes) == {0}
    channels = await post.asks(
        lambda db: db.execute(sa.select(messages.c.channel).where(messages.c.dir == "out")).scalars().all()
    )
    assert channels.count("kf") == 5  # the answer was one of them


async def test_what_was_not_delivered_after_all_goes_another_way(post: Post) -> None:
    await a_customer(post)
    post.platform.kf.fail_next.append(10)  # the user refuses
    number = await post.owes("wmPatient", text="明天请按时复诊。")

    await post.delivers()
    await fetched(post)
    await post.delivers()

    assert (await post.letter(number)).reason == "no_route kf:10"
