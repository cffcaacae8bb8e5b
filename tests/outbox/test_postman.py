"""What leaves the house, by which way, and what is left when it cannot."""

from __future__ import annotations

from datetime import timedelta

from bot.domain.letter import Purpose
from tests.outbox.conftest import Post


async def test_a_letter_goes_as_a_customer_service_message_while_the_window_is_open(post: Post) -> None:
    patient = await post.follower()
    await patient.says("你好")
    number = await post.owes(text="您的报告已出，请来院领取。")

    counts = await post.delivers()

    assert counts.sent == 1
    assert "您的报告已出" in patient.screen
    letter = await post.letter(number)
    assert (letter.state, letter.channel, letter.reason) == ("sent", "customer_service", "")
    [shown] = await post.sent()
    assert (shown.channel, shown.letter_id, shown.text) == (
        "customer_service",
        number,
        "您的报告已出，请来院领取。",
    )


async def test_the_same_letter_is_never_sent_twice(post: Post) -> None:
    patient = await post.follower()
    await patient.says("你好")
    await post.owes()
    await post.delivers()
    again = await post.delivers()

    assert again.sent == 0
    assert post.calls("message/custom/send") == 1


async def test_after_48_hours_it_goes_as_a_template_message(post: Post) -> None:
    patient = await post.follower()
    await patient.says("你好")
    post.passes(hours=48, seconds=1)
    number = await post.owes(
        purpose=Purpose.CARE,
        template="care",
        facts={
            "subject": "骨科复诊",
            "when": post.clock.now() + timedelta(days=1),
            "note": "带好既往病历\n和片子",
        },
    )

    await post.delivers()
    await post.platform.settle()

    letter = await post.letter(number)
    assert letter.channel == "template"
    assert "骨科复诊" in patient.screen
    assert "2026年11月21日 10:00" in patient.screen
    assert letter.state == "delivered"  # the platform's TEMPLATESENDJOBFINISH came back
