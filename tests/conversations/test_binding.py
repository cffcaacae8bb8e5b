"""绑定: phone, code, name, end of the ID number, in any order; locks; and that nobody learns who is a patient."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from bot.conversation.people import contact_of, speaks_for
from bot.domain.clock import StoppedClock
from bot.hospital.identity import is_fresh
from storage.database import Database
from storage.queries import conversations
from storage.tables import bindings, letters, one_time_codes, patients, reports
from tests import sms
from tests.chat import Chat
from tests.hospital_folder import ACCOUNT, bound, open_hospital

STRANGE = "13999999999"  # nobody's phone
XU, XU_ENDING = "13800000005", "554X"


@pytest.fixture
async def chat(database: Database, clock: StoppedClock) -> Chat:
    chat = Chat(database, clock)
    await chat.does(open_hospital)
    return chat


async def linked(chat: Chat, openid: str = "oPatient") -> list[tuple[str, str, int]]:
    """Whom the user speaks for: patient, relation, level."""

    def read(db: sa.Connection) -> list[tuple[str, str, int]]:
        row = conversations.thread(db, ACCOUNT, openid)
        found = speaks_for(db, contact_of(row), chat.clock.now()) if row else ()
        return [(one.patient.code, one.relation, one.level) for one in found]

    return await chat.asks(read)


async def test_step_by_step(chat: Chat) -> None:
    await chat.reads(f"""
        患者 绑定
        小护 手机号
        患者 {XU}
        小护 138****0005
        小护 ~ {XU}
    """)
    await chat.reads(f"""
        患者 {await sms.code(chat, XU)}
        小护 姓名
        小护 ~ 绑定成功
        患者 许静怡
        小护 最后四位
        患者 554x
        小护 绑定成功
        小护 许*怡
        小护 ~ 许静怡
    """)
    assert await linked(chat) == [("P05", "self", 2)]


@pytest.mark.parametrize(
    "opening",
    [
        f"绑定 许静怡 {XU} 554X",
        f"许静怡{XU} 554X",
        f"我要绑定，姓名许静怡，手机号{XU}，身份证后四位554x",
        "許靜怡 +86 138-0000-0005 33010119901130554X",
    ],
)
async def test_what_came_together_is_not_asked_again(chat: Chat, opening: str) -> None:
    assert "验证码" in await chat.says(opening) or "驗證碼" in (await sms.texts(chat, XU, "code"))[-1]
    assert re.search("绑定成功|綁定成功", await chat.says(await sms.code(chat, XU)))
    assert await linked(chat) == [("P05", "self", 2)]


async def test_the_answers_come_in_another_order(chat: Chat) -> None:
    await chat.says("绑定")
    await chat.reads(f"""
        患者 554X
        小护 手机号
        患者 许静怡
        小护 手机号
        患者 {XU}
        小护 验证码
    """)
    assert "绑定成功" in await chat.says(f"验证码是 {await sms.code(chat, XU)}")


async def test_a_name_and_ending_after_the_code_in_one_message(chat: Chat) -> None:
    await chat.says("绑定")
    await chat.says(XU)
    await chat.reads(f"""
        患者 {await sms.code(chat, XU)}
        小护 姓名
        患者 许静怡 554X
        小护 绑定成功
    """)


async def test_the_code_alone_makes_level_one(chat: Chat) -> None:
    await chat.says("绑定")
    await chat.says(XU)
    await chat.says(await sms.code(chat, XU))
    assert await linked(chat) == [("P05", "self", 1)]
    await chat.says("李梅 554X")
    assert await linked(chat) == []


async def test_level_one_goes_on_to_two_without_another_code(chat: Chat) -> None:
    await chat.does(bound("oPatient", "P05", level=1))
    await chat.reads("""
        患者 绑定
        小护 姓名
        小护 ~ 手机号
        患者 许静怡
        小护 最后四位
        患者 554X
        小护 绑定成功
    """)
    assert await linked(chat) == [("P05", "self", 2)]


async def test_the_message_with_the_code(chat: Chat) -> None:
    await chat.says(f"绑定 {XU}")
    rows = await chat.asks(lambda db: db.execute(sa.select(letters)).all())
    codes = [row for row in rows if (row.address or "").startswith("code:")]
    assert len(codes) == 1
    assert codes[0].purpose == "transaction"
    assert codes[0].useful_until == codes[0].created_at.replace(minute=10)
    kept = await chat.asks(lambda db: db.execute(sa.select(one_time_codes.c.code_hash)).scalar_one())
    assert await sms.code(chat, XU) not in kept


async def test_a_code_works_for_ten_minutes(chat: Chat) -> None:
    await chat.says(f"绑定 许静怡 {XU} 554X")
    late = await sms.code(chat, XU)
    chat.passes(minutes=10)
    await chat.reads(f"""
        患者 {late}
        小护 过期
        小护 已发送
    """)
    chat.passes(minutes=9, seconds=59)
    assert "绑定成功" in await chat.says(await sms.code(chat, XU))


async def test_a_code_works_once(chat: Chat) -> None:
    await chat.says(f"绑定 {XU}")
    used = await sms.code(chat, XU)
    await chat.says(used)
    await chat.says("取消")
    await chat.does(lambda db: db.execute(bindings.delete()))
    chat.passes(minutes=1)
    await chat.says(f"绑定 {XU}")
    if used != await sms.code(chat, XU):
        assert "不对" in await chat.says(used)


async def test_one_code_a_minute_and_five_an_hour(chat: Chat) -> None:
    await chat.says(f"绑定 {XU}")
    assert "太频繁" in await chat.says("重发")
    assert "太频繁" in await chat.says(f"绑定 {XU}", openid="oOther")  # the phone's limit, not the user's
    for _ in range(4):
        chat.passes(seconds=60)
        assert "已发送" in await chat.says("没收到")
    chat.passes(seconds=60)
    assert "太频繁" in await chat.says("重发")
    assert len(await sms.texts(chat, XU, "code")) == 5
    chat.passes(minutes=20)
    await chat.says("重发")
    chat.passes(minutes=20)
    await chat.says("重发")
    chat.passes(minutes=16)
    assert "已发送" in await chat.says("重发")


@pytest.mark.parametrize("phone", [XU, STRANGE])
async def test_many_asking_at_once_get_one_code(chat: Chat, phone: str) -> None:
    await asyncio.gather(*(chat.says(f"绑定 {phone}", openid=f"o{number}") for number in range(8)))
    assert len(await sms.texts(chat, phone, "code")) == 1


async def test_only_the_newest_code_counts(chat: Chat) -> None:
    await chat.says(f"绑定 许静怡 {XU} 554X")
    first = await sms.code(chat, XU)
    chat.passes(minutes=1)
    await chat.says("重发")
    if first != await sms.code(chat, XU):
        assert "不对" in await chat.says(first)
    assert "绑定成功" in await chat.says(await sms.code(chat, XU))


async def test_somebody_elses_code_is_none(chat: Chat) -> None:
    await chat.says(f"绑定 {XU}", openid="oThief")
    chat.passes(minutes=1)
    await chat.says(f"绑定 {XU}")
    right = await sms.code(chat, XU)
    assert "不对" in await chat.says(right, openid="oThief")
    assert "姓名" in await chat.says(right)


# Equal words


async def dialogue(chat: Chat, openid: str, phone: str, *said: str) -> list[str]:
    """The answers, with what the user typed himself taken out."""
    answers = [await chat.says("绑定", openid), await chat.says(phone, openid)]
    for text in said:
        right = await sms.code(chat, phone)
        text = text.replace("RIGHT", right).replace("WRONG", sms.wrong(right))
        answers.append(await chat.says(text, openid))
    return [answer.replace(phone[-4:], "TAIL").replace(phone[:3], "HEAD") for answer in answers]


async def test_known_and_unknown_phones_read_the_same(chat: Chat) -> None:
    said = ("WRONG", "RIGHT", "张三", "9999", "李四 8888", "王五 7777")
    known = await dialogue(chat, "oOne", XU, *said)
    unknown = await dialogue(chat, "oTwo", STRANGE, *said)
    assert known == unknown
    assert "暂停15分钟" in known[-1]


async def test_wrong_codes_lock_known_and_unknown_phones_alike(chat: Chat) -> None:
    known = await dialogue(chat, "oOne", XU, *["WRONG"] * 5, "RIGHT")
    unknown = await dialogue(chat, "oTwo", STRANGE, *["WRONG"] * 5, "RIGHT")
    assert known[:7] == unknown[:7]
    assert "暂停15分钟" not in known[5]
    assert "暂停15分钟" in known[6]
    assert len(await sms.texts(chat, XU)) == len(await sms.texts(chat, STRANGE)) == 1
    assert await linked(chat, "oOne") == []


async def test_the_error_does_not_say_which_is_wrong(chat: Chat) -> None:
    answers = set()
    for number, papers in enumerate(["李梅 554X", "许静怡 1234", "李梅 1234"]):
        chat.passes(minutes=16)
        answers.add((await dialogue(chat, f"o{number}", XU, "RIGHT", papers))[-1])
    assert len(answers) == 1
    assert "不一致" in answers.pop()


# Locks


async def test_a_lock_holds_the_user_and_the_phone_for_fifteen_minutes(chat: Chat) -> None:
    await dialogue(chat, "oThief", XU, *["WRONG"] * 5)
    chat.passes(minutes=14, seconds=59)
    assert "暂停15分钟" in await chat.says("绑定 13800000007", openid="oThief")
    assert "暂停15分钟" in await chat.says(f"绑定 {XU}", openid="oPatient")
    chat.passes(seconds=1)
    assert "138****0007" in await chat.says("绑定 13800000007", openid="oThief")
    assert "138****0005" in await chat.says(f"绑定 {XU}", openid="oPatient")


async def test_wrong_codes_of_several_users_count_for_the_phone(chat: Chat) -> None:
    for number in range(2):
        await dialogue(chat, f"o{number}", XU, "WRONG", "WRONG")
        chat.passes(minutes=1)
    assert "暂停15分钟" in (await dialogue(chat, "oThird", XU, "WRONG"))[-1]


async def test_three_wrong_names_lock_and_leave_nothing_linked(chat: Chat) -> None:
    answers = await dialogue(chat, "oPatient", XU, "RIGHT", "李梅 554X", "许静怡 1111", "许静怡 2222")
    assert [("暂停" in answer) for answer in answers[-3:]] == [False, False, True]
    assert await linked(chat) == []
    notice = (await sms.texts(chat, XU))[0]
    assert "多次输入错误" in notice
    assert not re.search(r"(?<!\d)\d{6}(?!\d)", notice)
    assert "暂停" in await chat.says("绑定")


async def test_after_an_error_the_ending_alone_is_tried_with_the_same_name(chat: Chat) -> None:
    answers = await dialogue(chat, "oPatient", XU, "RIGHT", "许静怡", "1111", "2222", "554X")
    assert [("不一致" in answer) for answer in answers[-3:]] == [True, True, False]
    assert "绑定成功" in answers[-1]


async def test_a_wrong_ending_of_somebody_linked_locks_too(chat: Chat) -> None:
    await chat.does(bound("oPatient", "P05", level=1))
    assert "不一致" in await chat.says("绑定 许静怡 1111")
    await chat.says("许静怡")
    assert "不一致" in await chat.says("2222")
    await chat.says("许静怡")
    assert "暂停" in await chat.says("3333")
    assert len(await sms.texts(chat, XU)) == 1
    assert await linked(chat) == [("P05", "self", 1)]


# Several patients with one phone


async def test_a_shared_phone_needs_the_name(chat: Chat) -> None:
    await chat.says("绑定")
    await chat.says("13800000001")
    await chat.reads(f"""
        患者 {await sms.code(chat, "13800000001")}
        小护 姓名
        患者 林志远
        小护 最后四位
        患者 1232
        小护 绑定成功
        小护 林*远
    """)
    assert await linked(chat) == [("P01", "self", 2)]


async def test_a_childs_record_is_linked_by_the_guardian_only(chat: Chat) -> None:
    await chat.says("绑定 林小雨 13800000001 2247")
    await chat.reads(f"""
        患者 {await sms.code(chat, "13800000001")}
        小护 监护人
        小护 ~ 绑定成功
        患者 是
        小护 绑定成功
    """)
    assert await linked(chat) == [("P02", "child", 2)]


async def test_a_second_person_is_asked_about(chat: Chat) -> None:
    await chat.does(bound("oPatient", "P05"))
    await chat.says("绑定 林德明 13800000003 3311")
    await chat.reads(f"""
        患者 {await sms.code(chat, "13800000003")}
        小护 您的
        患者 父母
        小护 绑定成功
    """)
    assert await linked(chat) == [("P05", "self", 2), ("P03", "parent", 2)]
    assert "许*怡" in (await sms.texts(chat, "13800000003"))[0]


async def test_the_dead_cannot_be_linked(chat: Chat) -> None:
    answers = await dialogue(chat, "oPatient", "13800000008", "RIGHT", "方国栋 7788")
    assert "不一致" in answers[-1]


async def test_a_patient_without_a_number_in_our_records_goes_to_the_desk(chat: Chat) -> None:
    await chat.says("bind")
    await chat.says("Emma Clark 13800000006")
    answer = await chat.says(await sms.code(chat, "13800000006"))
    assert "ID number" in answer
    assert "does not agree" in await chat.says("1234")


# Around it


async def test_already_linked(chat: Chat) -> None:
    await chat.does(bound("oPatient", "P05"))
    await chat.reads("""
        患者 绑定
        小护 已关联就诊人许*怡
        小护 1 添加家人
        患者 3
        小护 确定
        患者 2
        小护 保持原样
    """)


async def test_a_question_in_between_is_answered_and_the_binding_goes_on(chat: Chat) -> None:
    await chat.says("绑定")
    await chat.says(XU)
    await chat.says(await sms.code(chat, XU))
    await chat.reads("""
        患者 退订
        小护 已停止活动信息
        小护 姓名
        患者 停车在哪？
        小护 停车场
        小护 姓名
        患者 许静怡
        小护 最后四位
        患者 什么？
        小护 没太明白
        小护 最后四位
        患者 554X
        小护 绑定成功
    """)


async def test_digits_that_fit_nothing_are_explained(chat: Chat) -> None:
    await chat.says("绑定")
    await chat.reads(f"""
        患者 1380000000
        小护 11位
        患者 {XU}
        小护 验证码
        患者 12345
        小护 6位
    """)


async def test_without_sms_the_desk_does_it(database: Database, clock: StoppedClock) -> None:
    chat = Chat(database, clock, sms=False)
    await chat.does(open_hospital)
    await chat.reads("""
        患者 绑定
        小护 服务台
        小护 人工
        小护 ~ 手机号
        患者 添加家人
        小护 服务台
    """)


async def test_in_traditional_and_english(chat: Chat) -> None:
    await chat.says("綁定")
    await chat.says("13800000007")
    assert "驗證碼" in (await sms.texts(chat, "13800000007", "code"))[-1]
    await chat.says(await sms.code(chat, "13800000007"))
    await chat.says("黎詠詩")
    assert "綁定成功" in await chat.says("6677")
    assert await linked(chat) == [("P07", "self", 2)]
    await chat.does(
        lambda db: db.execute(patients.update().where(patients.c.code == "P06").values(id_number="H1234567"))
    )
    await chat.says("bind", openid="oEmma")
    await chat.says("13800000006", openid="oEmma")
    await chat.says(await sms.code(chat, "13800000006"), openid="oEmma")
    await chat.says("Emma Clark", openid="oEmma")
    assert "linked" in await chat.says("4567", openid="oEmma")


async def test_a_binding_by_code_is_fresh_for_fifteen_minutes(chat: Chat) -> None:
    await chat.says(f"绑定 许静怡 {XU} 554X")
    await chat.says(await sms.code(chat, XU))

    def fresh(db: sa.Connection) -> bool:
        row = conversations.thread(db, ACCOUNT, "oPatient")
        assert row is not None
        return is_fresh(speaks_for(db, contact_of(row), chat.clock.now())[0], chat.clock.now())

    chat.passes(minutes=14, seconds=59)
    assert await chat.asks(fresh)
    chat.passes(seconds=1)
    assert not await chat.asks(fresh)


# For another form, and the fresh code


async def test_a_personal_question_waits_for_the_code_and_is_then_answered(chat: Chat) -> None:
    await chat.says("我的积分")
    await chat.says(XU)
    await chat.reads(f"""
        患者 {await sms.code(chat, XU)}
        小护 绑定成功
        小护 积分
    """)
    assert await linked(chat) == [("P05", "self", 1)]


async def test_with_a_shared_phone_the_name_is_needed_even_then(chat: Chat) -> None:
    await chat.says("我的积分")
    await chat.says("13800000001")
    await chat.reads(f"""
        患者 {await sms.code(chat, "13800000001")}
        小护 姓名
        患者 林志远
        小护 绑定成功
        小护 积分
    """)
    assert await linked(chat) == [("P01", "self", 1)]


async def test_for_an_unknown_phone_the_same_is_asked(chat: Chat) -> None:
    asked = {}
    for phone in ("13800000001", STRANGE):
        await chat.says("我的积分", f"o{phone}")
        await chat.says(phone, f"o{phone}")
        asked[phone] = [
            await chat.says(await sms.code(chat, phone), f"o{phone}"),
            await chat.says("王大海", f"o{phone}"),
        ]
    assert asked["13800000001"] == asked[STRANGE]
    assert "不一致" in asked[STRANGE][1]


def add_report(db: sa.Connection) -> None:
    row = {"code": "R1", "patient_code": "P05", "kind": "lab", "title": "血常规", "status": "ready"}
    db.execute(reports.insert().values(**row, issued_at=datetime(2026, 11, 17, tzinfo=UTC)))


async def test_a_report_needs_the_name_and_a_fresh_code(chat: Chat) -> None:
    await chat.does(add_report)
    await chat.does(bound("oPatient", "P05", level=1))
    await chat.reads("""
        患者 查报告
        小护 姓名
        患者 许静怡
        小护 最后四位
        患者 554X
        小护 绑定成功
        小护 138****0005
        小护 ~ /r/
    """)
    right = await sms.code(chat, XU)
    await chat.reads(f"""
        患者 {sms.wrong(right)}
        小护 不对
        小护 ~ /r/
        患者 {right}
        小护 /r/
    """)
    assert "/r/" in await chat.says("查报告")  # still fresh
    chat.passes(minutes=15)
    assert "/r/" not in await chat.says("查报告")


async def test_wrong_fresh_codes_lock_and_end_what_waited(chat: Chat) -> None:
    await chat.does(add_report)
    await chat.does(bound("oPatient", "P05"))
    await chat.says("查报告")
    right = await sms.code(chat, XU)
    for _ in range(4):
        await chat.says(sms.wrong(right))
    assert "暂停15分钟" in await chat.says(sms.wrong(right))
    assert len(await sms.texts(chat, XU)) == 1
    answer = await chat.says("查报告")
    assert "暂停15分钟" in answer
    assert "/r/" not in answer
    assert "请问有什么可以帮您" in await chat.says("你好")
    chat.passes(minutes=15)
    assert "138****0005" in await chat.says("查报告")


async def test_without_sms_a_report_is_for_the_desk(database: Database, clock: StoppedClock) -> None:
    chat = Chat(database, clock, sms=False)
    await chat.does(open_hospital)
    await chat.does(add_report)
    await chat.does(bound("oPatient", "P05"))
    answer = await chat.says("查报告")
    assert "服务台" in answer
    assert "/r/" not in answer
