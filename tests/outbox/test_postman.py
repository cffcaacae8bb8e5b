"""What leaves the house, by which way, and what is left when it cannot."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import sqlalchemy as sa

from bot.domain.letter import Purpose
from bot.hospital import consents
from storage.tables import contacts, conversations, patients, users
from tests.hospital_folder import bound, open_hospital
from tests.outbox.conftest import Post, Street, at


def a_nurse(userid: str, phone: str) -> Callable[[sa.Connection], None]:
    """Arranges a console user."""

    def arrange(db: sa.Connection) -> None:
        created = {"created_at": at(8)}
        db.execute(
            users.insert().values(name=userid, role="nurse", wecom_userid=userid, phone=phone, **created)
        )

    return arrange


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


async def test_without_window_and_template_a_short_notice_goes_to_the_phone(street: Street) -> None:
    post = await street.opens(templates=False)
    await post.does(open_hospital)
    await post.follower()
    await post.does(bound("oPatient", "P01"))
    number = await post.owes(
        text="您的血糖偏高，请复查。", purpose=Purpose.CARE, template="care", patient_code="P01"
    )

    await post.delivers()

    [sms] = post.platform.sms.to("13800000001")
    assert sms.kind == "notice"
    assert "青禾医院" in sms.text
    assert "血糖" not in sms.text  # nothing of anybody's health leaves by SMS
    assert (await post.letter(number)).channel == "sms"


async def test_with_no_way_at_all_a_nurse_must_call(street: Street) -> None:
    post = await street.opens(templates=False, sms=False)
    await post.follower()
    number = await post.owes(purpose=Purpose.CARE)

    counts = await post.delivers()

    assert counts.failed == 1
    letter = await post.letter(number)
    assert (letter.state, letter.reason) == ("failed", "no_route")
    [task] = await post.tasks()
    assert (task.kind, task.status) == ("no_route", "open")


async def test_who_unfollowed_is_not_written_to_through_the_account(post: Post) -> None:
    patient = await post.follower()
    await patient.says("你好")
    await patient.unfollows()
    number = await post.owes()

    await post.delivers()

    assert post.calls("message/custom/send") == 0
    assert post.calls("message/template/send") == 0
    assert (await post.letter(number)).reason == "no_route"


async def test_an_unfollower_we_did_not_hear_of_is_remembered(post: Post) -> None:
    patient = await post.follower()
    patient.follower.leave()  # the event was lost
    number = await post.owes(purpose=Purpose.CARE)

    await post.delivers()

    letter = await post.letter(number)
    assert (letter.state, letter.reason) == ("failed", "no_route template:43004")
    contact = await post.asks(lambda db: db.execute(sa.select(contacts)).one())
    assert contact.followed is False


async def test_letters_to_one_patient_keep_their_order(post: Post) -> None:
    patient = await post.follower()
    await patient.says("你好")
    for number in range(5):
        await post.owes(text=f"第{number}条")

    await post.delivers()

    assert [row.text for row in await post.sent()] == [f"第{number}条" for number in range(5)]
    assert [bubble.text for bubble in patient.screen if bubble.text.startswith("第")] == [
        f"第{number}条" for number in range(5)
    ]


async def test_the_sixth_message_takes_another_way(post: Post) -> None:
    patient = await post.follower()
    await patient.says("你好")
    for number in range(6):
        await post.owes(text=f"第{number}条")

    await post.delivers()

    channels = [row.channel for row in await post.sent()]
    assert channels == ["customer_service"] * 5 + ["template"]
    assert post.calls("message/custom/send") == 5  # the quota is never asked for more


async def test_a_long_text_goes_in_pieces_when_all_fit_the_window(post: Post) -> None:
    patient = await post.follower()
    await patient.says("你好")
    text = "".join(f"第{number}句话在这里写得长一些。" for number in range(200))
    await post.owes(text=text)

    await post.delivers()

    pieces = [row.text for row in await post.sent()]
    assert len(pieces) == 4
    assert "".join(pieces) == text
    assert all(len(piece.encode()) <= 2048 for piece in pieces)


async def test_a_text_too_long_for_the_window_goes_as_a_template_message(post: Post) -> None:
    patient = await post.follower()
    await patient.says("你好")
    await post.owes(text="很长。" * 2000)

    await post.delivers()

    assert [row.channel for row in await post.sent()] == ["template"]


async def test_alarms_reach_a_nurse_as_a_card_with_a_button(post: Post) -> None:
    number = await post.puts(
        text="【小护】E级警报,请立即登录控制台处理。警报编号 7。",
        purpose=Purpose.ALARM,
        address="wecom:nurse1",
        plan="alert",
        step="7",
    )

    await post.delivers()

    nurse = post.platform.wecom.member("nurse1")
    assert "E级警报" in nurse.screen
    [call] = post.platform.calls.to("message/send")
    [button] = call.body["template_card"]["button_list"]
    assert button["key"] == "claim:7"
    assert (await post.letter(number)).state == "sent"


async def test_codes_and_calls_leave_by_the_sms_port(post: Post) -> None:
    await post.puts(text="验证码 123456，5分钟内有效。", address="code:13800000001")
    await post.puts(text="警报编号 7", purpose=Purpose.ALARM, address="voice:13900000001")
    await post.puts(text="警报编号 8", purpose=Purpose.ALARM, address="sms:13900000001")
    await post.puts(text="您的账户被锁定。", address="sms:13800000001")

    await post.delivers()

    assert post.platform.sms.newest_code("13800000001") == "123456"
    assert {(one.to, one.kind) for one in post.platform.sms} == {
        ("13800000001", "code"),
        ("13900000001", "voice"),
        ("13900000001", "alarm"),
        ("13800000001", "notice"),
    }


async def test_a_nurse_without_wecom_is_told_by_phone(post: Post) -> None:
    await post.does(a_nurse("ghost", "13900000009"))
    number = await post.puts(
        text="警报", purpose=Purpose.ALARM, address="wecom:ghost", plan="alert", step="7"
    )

    await post.delivers()

    [sms] = post.platform.sms.to("13900000009")
    assert sms.kind == "alarm"
    assert (await post.letter(number)).channel == "sms"


async def test_a_member_gets_at_most_thirty_messages_a_minute(post: Post) -> None:
    for number in range(40):
        await post.puts(text=f"提醒 {number}", address="wecom:nurse1")

    first = await post.delivers()
    post.passes(seconds=61)
    second = await post.delivers()

    assert (first.sent, second.sent) == (30, 10)
    nurse = post.platform.wecom.member("nurse1")
    assert sum("提醒" in bubble.text for bubble in nurse.screen) == 40  # nothing vanished


async def test_an_expired_letter_is_not_sent(post: Post) -> None:
    await post.follower()
    number = await post.owes(useful_until=post.clock.now() + timedelta(hours=1))
    post.passes(hours=1, seconds=1)

    counts = await post.delivers()

    assert counts.expired == 1
    assert ((await post.letter(number)).state, post.calls("message/template/send")) == ("expired", 0)


async def test_nothing_unasked_goes_out_at_night(post: Post) -> None:
    patient = await post.follower()
    post.clock.moment = at(21, 30)
    await patient.says("你好")
    care = await post.owes(text="今天感觉怎么样？", purpose=Purpose.CARE)
    urgent = await post.owes(text="您的预约已取消。", key="asked")

    await post.delivers()
    assert (await post.letter(care)).state == "queued"
    assert (await post.letter(urgent)).state == "sent"

    post.clock.moment = at(8, 30) + timedelta(days=1)
    await post.delivers()
    assert (await post.letter(care)).state == "sent"


async def test_what_is_useless_by_morning_is_not_kept_over_the_night(post: Post) -> None:
    await post.follower()
    post.clock.moment = at(22)
    number = await post.owes(purpose=Purpose.CARE, useful_until=at(23))

    await post.delivers()

    letter = await post.letter(number)
    assert (letter.state, letter.reason) == ("expired", "quiet_hours")


async def test_the_dead_get_no_care_letters(post: Post) -> None:
    await post.does(open_hospital)
    patient = await post.follower()
    await post.does(bound("oPatient", "P01"))
    await patient.says("你好")
    died = {"deceased_on": date(2026, 11, 17)}
    await post.does(lambda db: db.execute(patients.update().where(patients.c.code == "P01").values(**died)))
    care = await post.owes(text="恢复得好吗？", purpose=Purpose.CARE, patient_code="P01")
    answer = await post.owes(text="您的投诉已答复。", patient_code="P01")

    counts = await post.delivers()

    assert ((await post.letter(care)).state, (await post.letter(care)).reason) == ("suppressed", "deceased")
    assert (await post.letter(answer)).state == "sent"  # the family asked
    assert (counts.suppressed, counts.sent) == (1, 1)


async def test_while_a_nurse_speaks_the_automation_is_silent(post: Post) -> None:
    patient = await post.follower()
    await patient.says("你好")
    await post.does(lambda db: db.execute(conversations.update().values(owner="human")))
    care = await post.owes(text="恢复得好吗？", purpose=Purpose.CARE)
    greeting = await post.owes(text="生日快乐！", purpose=Purpose.GREETING)
    reply = await post.owes(text="我是护士小张。", author="zhang")

    await post.delivers()

    assert (await post.letter(reply)).state == "sent"
    assert (await post.letter(care)).state == "queued"
    assert (await post.letter(greeting)).reason == "nurse_speaks"

    await post.does(lambda db: db.execute(conversations.update().values(owner="bot")))
    post.passes(minutes=30)
    await post.delivers()
    assert (await post.letter(care)).state == "sent"


async def test_marketing_never_goes_as_a_service_message(post: Post) -> None:
    patient = await post.follower()
    await patient.says("你好")
    now = post.clock.now()
    contact_id = await post.contact("oPatient")
    unasked = await post.owes(text="洁牙八折", purpose=Purpose.MARKETING)
    await post.delivers()
    assert (await post.letter(unasked)).reason == "no_consent"
    await post.does(lambda db: consents.grant(db, contact_id, (), [Purpose.MARKETING], now, "同意"))
    number = await post.owes(text="种植牙八折", purpose=Purpose.MARKETING)

    await post.delivers()

    assert post.calls("custom/send") == post.calls("template/send") == 0
    sent = await post.letter(number)
    assert sent.channel == "mass"
    assert sent.state in ("sent", "delivered")  # the platform's event may have come already


async def test_nothing_is_begun_where_flows_are_off(post: Post) -> None:
    patient = await post.follower()
    await patient.says("你好")
    planned = await post.owes(text="术后第一天", purpose=Purpose.CARE, plan="post_op", step="d1")
    answer = await post.owes(text="这是后半段。")
    post.postman.plans = False

    await post.delivers()

    assert (await post.letter(planned)).state == "queued"
    assert (await post.letter(answer)).state == "sent"
