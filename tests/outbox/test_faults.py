"""Bad days of the platform: nothing lost, nothing twice, nobody flooded."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from bot.domain.letter import Purpose
from bot.simulator import Screen
from storage.tables import platform_tokens
from tests.hospital_folder import bound, open_hospital
from tests.outbox.conftest import Post, Street
from tests.outbox.test_postman import a_nurse

TEXT = "明天请按时复诊。"


def shown(screen: Screen, text: str = TEXT) -> int:
    return sum(text in bubble.text for bubble in screen)


async def test_busy_for_a_while(post: Post) -> None:
    patient = await post.follower()
    await patient.says("你好")
    post.platform.faults.refuse("custom/send", -1, times=3)
    number = await post.owes()

    gaps = []
    while (await post.letter(number)).state == "queued":
        await post.delivers()
        letter = await post.letter(number)
        gaps.append(letter.not_before - post.clock.now())
        post.clock.moment = max(letter.not_before, post.clock.moment)

    assert [gap > timedelta(0) for gap in gaps] == [True, True, True, False]
    assert gaps[0] < gaps[1] < gaps[2] <= timedelta(hours=1.25)
    assert ((await post.letter(number)).state, shown(patient.screen)) == ("sent", 1)


async def test_busy_for_good_is_another_way(post: Post) -> None:
    patient = await post.follower()
    await patient.says("你好")
    post.platform.faults.refuse("custom/send", -1, times=None)
    number = await post.owes()

    for _ in range(4):
        await post.delivers()
        post.passes(hours=2)

    letter = await post.letter(number)
    assert letter.channel == "template"
    assert shown(patient.screen) == 1


async def test_a_bad_gateway_did_nothing_and_is_asked_again(post: Post) -> None:
    patient = await post.follower()
    await patient.says("你好")
    post.platform.faults.status("custom/send", 502)
    await post.owes()

    await post.delivers()
    assert shown(patient.screen) == 0
    post.passes(minutes=1)
    await post.delivers()
    assert shown(patient.screen) == 1


async def test_an_answer_that_was_lost_is_not_asked_for_again(post: Post) -> None:
    patient = await post.follower()
    await patient.says("你好")
    post.platform.faults.drop_answer("custom/send")
    number = await post.owes()

    await post.delivers()
    assert (await post.letter(number)).state == "sending"
    assert await post.tasks() == []

    post.passes(minutes=10)
    counts = await post.delivers()

    assert counts.failed == 1
    letter = await post.letter(number)
    assert (letter.state, letter.reason) == ("failed", "unknown_outcome")
    assert [task.kind for task in await post.tasks()] == ["no_route"]  # somebody asks whether it came
    assert shown(patient.screen) == 1


async def test_a_lost_message_may_have_used_up_the_window(post: Post) -> None:
    patient = await post.follower()
    await patient.says("你好")
    post.platform.faults.drop_answer("custom/send")
    await post.owes(text="第一条")
    await post.delivers()
    post.passes(minutes=10)
    for number in range(5):
        await post.owes(text=f"后来的{number}")

    await post.delivers()

    assert [row.channel for row in await post.sent()] == ["customer_service"] * 4 + ["template"]


async def test_a_template_message_whose_answer_was_lost_is_repeated_under_the_same_number(post: Post) -> None:
    patient = await post.follower()
    post.platform.faults.drop_answer("template/send")
    number = await post.owes(purpose=Purpose.CARE)

    await post.delivers()
    await post.platform.settle()

    assert shown(patient.screen) == 1
    first, second = post.platform.calls.to("template/send")
    assert first.body["client_msg_id"] == second.body["client_msg_id"]
    assert (await post.letter(number)).state == "delivered"
    assert len(await post.sent()) == 1


async def test_a_template_message_nobody_answers_for_is_settled_by_its_event(post: Post) -> None:
    patient = await post.follower()
    post.platform.faults.drop_answer("template/send", times=None)
    number = await post.owes(purpose=Purpose.CARE)

    await post.delivers()
    await post.platform.settle()

    assert shown(patient.screen) == 1
    assert (await post.letter(number)).state == "delivered"
    assert len(await post.sent()) == 1
    post.passes(minutes=30)
    assert (await post.delivers()).failed == 0


async def test_garbage_is_no_answer(post: Post) -> None:
    await post.follower()
    post.platform.faults.garbage("template/send", times=None)
    number = await post.owes(purpose=Purpose.CARE)

    await post.delivers()
    asked = post.calls("template/send")
    assert (await post.letter(number)).reason == "unknown_outcome"
    post.passes(minutes=20)
    await post.delivers()

    assert post.calls("template/send") == asked  # the platform has forgotten the number by now
    assert (await post.letter(number)).state == "failed"


async def test_an_alarm_goes_again_rather_than_not_at_all(post: Post) -> None:
    post.platform.faults.reset("sms")
    number = await post.puts(text="警报", purpose=Purpose.ALARM, address="sms:13900000001")

    await post.delivers()
    post.passes(seconds=10)
    await post.delivers()

    assert (await post.letter(number)).state == "sent"
    assert len(post.platform.sms) == 1


async def test_a_nurse_whom_wecom_does_not_reach_is_told_by_phone_at_once(post: Post) -> None:
    await post.does(a_nurse("nurse1", "13900000001"))
    post.platform.faults.refuse("message/send", -1, times=None)
    await post.puts(text="警报", purpose=Purpose.ALARM, address="wecom:nurse1", plan="alert", step="7")

    await post.delivers()

    assert [one.kind for one in post.platform.sms.to("13900000001")] == ["alarm"]


async def test_a_dead_token_is_replaced_once_and_the_letter_goes(post: Post) -> None:
    patient = await post.follower()
    await patient.says("你好")
    await post.owes(text="第一条")
    await post.delivers()
    post.platform.faults.kill_token("custom/send")
    await post.owes(text="第二条")

    await post.delivers()

    assert shown(patient.screen, "第二条") == 1
    assert (
        len(post.platform.calls.to("stable_token")) <= 3
    )  # one at first; one, perhaps by force, after the kill


async def test_a_spent_quota_closes_that_way_until_midnight_in_beijing(post: Post) -> None:
    first, second = await post.follower("oFirst"), await post.follower("oSecond")
    await first.says("你好")
    await second.says("你好")
    post.platform.faults.refuse("custom/send", 45009)
    one = await post.owes("oFirst", text="第一条")
    await post.delivers()
    other = await post.owes("oSecond", text="第二条")
    await post.delivers()

    assert (await post.letter(one)).channel == "template"
    assert (await post.letter(other)).channel == "template"
    assert post.calls("custom/send") == 1  # nobody asked again that day

    post.passes(hours=15)
    next_day = await post.owes("oFirst", text="第二天")
    await post.delivers()
    assert (await post.letter(next_day)).channel == "customer_service"


async def test_with_no_other_way_a_letter_waits_for_the_quota(street: Street) -> None:
    post = await street.opens(templates=False, sms=False)
    patient = await post.follower()
    await patient.says("你好")
    post.platform.faults.refuse("custom/send", 45009)
    number = await post.owes()

    await post.delivers()
    assert (await post.letter(number)).state == "queued"
    post.passes(hours=14, minutes=1)  # 00:01 in Beijing
    await post.delivers()

    assert (await post.letter(number)).state == "sent"
    assert shown(patient.screen) == 1


async def test_too_many_calls_a_minute_wait_for_the_next(post: Post) -> None:
    patient = await post.follower()
    post.platform.faults.refuse("template/send", 45011)
    number = await post.owes(purpose=Purpose.CARE)

    await post.delivers()
    assert (await post.letter(number)).state == "queued"
    post.passes(minutes=1, seconds=15)
    await post.delivers()

    assert shown(patient.screen) == 1


async def test_a_template_that_was_deleted_is_not_asked_for_again_and_again(post: Post) -> None:
    await post.does(open_hospital)
    await post.follower()
    await post.does(bound("oPatient", "P01"))
    post.platform.faults.refuse("template/send", 40037, times=None)
    number = await post.owes(purpose=Purpose.CARE, patient_code="P01")

    await post.delivers()

    assert post.calls("template/send") == 1
    assert (await post.letter(number)).channel == "sms"


async def test_who_switched_notices_off_is_reached_by_phone(post: Post) -> None:
    await post.does(open_hospital)
    patient = await post.follower()
    await post.does(bound("oPatient", "P01"))
    patient.follower.refuses_templates = True
    number = await post.owes(purpose=Purpose.CARE, patient_code="P01")

    await post.delivers()
    await post.platform.settle()  # TEMPLATESENDJOBFINISH: failed:user block
    await post.delivers()

    assert [one.kind for one in post.platform.sms.to("13800000001")] == ["notice"]
    letter = await post.letter(number)
    assert (letter.state, letter.channel) == ("sent", "sms")


async def test_a_delivery_event_may_overtake_the_answer(post: Post) -> None:
    await post.follower()
    number = await post.owes(purpose=Purpose.CARE)
    post.platform.faults.drop_answer("template/send", times=None)

    await post.delivers()
    await post.platform.settle()
    again = await post.delivers()

    assert ((await post.letter(number)).state, again.sent) == ("delivered", 0)


async def test_the_platform_is_away(street: Street) -> None:
    post = await street.opens(XIAOHU_WECHAT__API_BASE="http://127.0.0.1:9", sms=False)
    patient = await post.follower()
    await patient.says("你好")
    number = await post.owes()

    await post.delivers()

    letter = await post.letter(number)
    assert (letter.state, letter.reason) == ("queued", "retry:0")


async def test_a_wrong_secret_is_no_reason_to_lose_a_letter(street: Street) -> None:
    post = await street.opens(XIAOHU_WECHAT__APP_SECRET="another", sms=False)
    patient = await post.follower()
    await patient.says("你好")
    number = await post.owes()

    counts = await post.delivers()

    assert counts.failed == 1
    assert (await post.letter(number)).state == "failed"
    assert [task.kind for task in await post.tasks()] == ["no_route"]
    tokens = await post.asks(lambda db: db.execute(sa.select(platform_tokens)).all())
    assert [row.token for row in tokens] == [None]
