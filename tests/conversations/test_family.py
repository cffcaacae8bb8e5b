"""添加家人, 解绑, 不是本人: who may speak for whom, until when, and how that ends."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from bot.domain.clock import StoppedClock
from bot.domain.letter import Purpose
from storage.database import Database
from storage.tables import bindings, letters, tasks
from tests import sms
from tests.chat import Chat
from tests.hospital_folder import ZONE, bound, contact, open_hospital

FATHER, FATHER_ENDING = "13800000003", "3311"


@pytest.fixture
async def chat(database: Database, clock: StoppedClock) -> Chat:
    chat = Chat(database, clock)
    await chat.does(open_hospital)
    return chat


async def links(chat: Chat) -> list[tuple[str, str, datetime | None, str]]:
    """Every binding ever made: patient, relation, expiry on the hospital's clock, how it ended."""
    rows = await chat.asks(lambda db: db.execute(sa.select(bindings).order_by(bindings.c.id)).all())
    return [
        (
            row.patient_code,
            row.relation,
            row.expires_at and row.expires_at.astimezone(ZONE),
            row.ended_reason if row.ended_at else "",
        )
        for row in rows
    ]


async def told(chat: Chat, openid: str) -> list[str]:
    """The letters owed to a user, oldest first."""
    number = await chat.does(lambda db: contact(db, openid))
    rows = await chat.asks(
        lambda db: db.execute(
            sa.select(letters).where(letters.c.contact_id == number).order_by(letters.c.id)
        ).all()
    )
    return [row.body["text"] for row in rows]


async def test_a_parent_step_by_step(chat: Chat) -> None:
    await chat.does(bound("oSon", "P01"))
    await chat.reads(
        f"""
        患者 添加家人
        小护 1 孩子
        小护 2 父母
        患者 2
        小护 手机号
        患者 {FATHER}
        小护 138****0003
    """,
        "oSon",
    )
    await chat.says(await sms.code(chat, FATHER), "oSon")
    await chat.reads(
        f"""
        患者 林德明
        小护 最后四位
        患者 {FATHER_ENDING}
        小护 绑定成功
        小护 林*明
        小护 2027年11月18日
    """,
        "oSon",
    )
    assert (await links(chat))[1] == ("P03", "parent", datetime(2027, 11, 18, 10, tzinfo=ZONE), "")
    notice = (await sms.texts(chat, FATHER))[0]
    assert "林*远" in notice
    assert "林志远" not in notice


async def test_all_in_one_sentence(chat: Chat) -> None:
    await chat.does(bound("oSon", "P01"))
    assert "验证码" in await chat.says(f"添加家人 我爸 林德明 {FATHER} 3311", "oSon")
    assert "绑定成功" in await chat.says(await sms.code(chat, FATHER), "oSon")
    assert [link[:2] for link in await links(chat)] == [("P01", "self"), ("P03", "parent")]


async def test_a_child_is_spoken_for_until_fourteen(chat: Chat) -> None:
    await chat.does(bound("oFather", "P01"))
    await chat.says("绑定我女儿 林小雨 13800000001 2247", "oFather")
    assert "绑定成功" in await chat.says(await sms.code(chat, "13800000001"), "oFather")
    assert (await links(chat))[1] == ("P02", "child", datetime(2032, 6, 1, tzinfo=ZONE), "")
    assert await sms.texts(chat, "13800000001") == []  # it is the guardian's own phone


async def test_from_fourteen_on_a_year_at_a_time(chat: Chat) -> None:
    await chat.does(bound("oFather", "P05"))
    await chat.says("添加家人 孩子 高一凡 13800000004 4455", "oFather")
    await chat.says(await sms.code(chat, "13800000004"), "oFather")
    assert (await links(chat))[1] == ("P04", "child", datetime(2027, 11, 18, 10, tzinfo=ZONE), "")
    assert len(await sms.texts(chat, "13800000004")) == 1


async def test_an_expired_link_speaks_for_nobody(chat: Chat) -> None:
    await chat.does(bound("oSon", "P01"))
    await chat.says(f"添加家人 我爸 林德明 {FATHER} 3311", "oSon")
    await chat.says(await sms.code(chat, FATHER), "oSon")
    chat.passes(days=365)
    await chat.reads(
        """
        患者 解绑
        小护 林*远
        小护 ~ 林*明
    """,
        "oSon",
    )


async def test_wrong_papers_of_the_family_lock_as_well(chat: Chat) -> None:
    await chat.does(bound("oSon", "P01"))
    await chat.says(f"添加家人 我爸 林德明 {FATHER} 3311", "oSon")
    right = await sms.code(chat, FATHER)
    for _ in range(4):
        assert "不对" in await chat.says(sms.wrong(right), "oSon")
    assert "暂停15分钟" in await chat.says(sms.wrong(right), "oSon")
    assert "暂停15分钟" in await chat.says(f"绑定 {FATHER}", "oFather")
    assert len(await links(chat)) == 1


async def test_nobody_is_his_own_family(chat: Chat) -> None:
    await chat.does(bound("oXu", "P05"))
    await chat.says("添加家人 我妈 许静怡 13800000005 554X", "oXu")
    assert "您本人" in await chat.says(await sms.code(chat, "13800000005"), "oXu")
    assert [link[:2] for link in await links(chat)] == [("P05", "self")]


# In the family member's own chat


async def test_an_adult_may_agree_in_chat(chat: Chat) -> None:
    await chat.does(bound("oSon", "P01"))
    await chat.does(bound("oFather", "P03"))
    first = await chat.says(f"添加家人 我爸 {FATHER}", "oSon")
    assert first == (await chat.says("添加家人 我爸 13999999999", "oSon")).replace(
        "139****9999", "138****0003"
    )
    assert "林*远申请代您" in (await told(chat, "oFather"))[-1]
    await chat.says("取消", "oSon")
    assert "已同意" in await chat.says("1", "oFather")
    assert "绑定成功" in (await told(chat, "oSon"))[-1]
    assert ("P03", "parent") in [link[:2] for link in await links(chat)]


async def test_a_no_in_chat_outweighs_the_code(chat: Chat) -> None:
    await chat.does(bound("oSon", "P01"))
    await chat.does(bound("oFather", "P03"))
    await chat.says(f"添加家人 我爸 林德明 {FATHER} 3311", "oSon")
    assert "绑定成功" in await chat.says(await sms.code(chat, FATHER), "oSon")
    assert "没有同意" in await chat.says("2", "oFather")
    assert {link[0] for link in await links(chat) if link[3]} == {"P03"}


async def test_a_patient_may_allow_booking_alone(chat: Chat) -> None:
    await chat.does(bound("oSon", "P01"))
    await chat.does(bound("oFather", "P03"))
    await chat.says(f"添加家人 我爸 {FATHER}", "oSon")
    await chat.says("取消", "oSon")
    assert "预约" in await chat.says("3", "oFather")
    assert "只能代为预约" in (await told(chat, "oSon"))[-1]
    assert "只同意您代为预约" in await chat.says("查一下我爸的报告", "oSon")
    assert "积分" in await chat.says("我爸的积分", "oSon")


async def test_a_link_that_ends_in_the_middle_shows_nothing_more(chat: Chat) -> None:
    await chat.does(bound("oSon", "P03", "parent"))
    await chat.says("送积分", "oSon")
    await chat.does(lambda db: db.execute(bindings.update().values(ended_at=chat.clock.now())))
    answer = await chat.says("1", "oSon")
    assert "不再与您的微信关联" in answer
    assert "积分" not in answer


async def test_nobody_is_asked_twice_a_day(chat: Chat) -> None:
    await chat.does(bound("oSon", "P01"))
    await chat.does(bound("oFather", "P03"))
    await chat.says(f"添加家人 我爸 {FATHER}", "oSon")
    await chat.says("重发", "oSon")
    chat.passes(minutes=1)
    await chat.says("重发", "oSon")
    assert len(await told(chat, "oFather")) == 1
    assert "没有同意" in await chat.says("2", "oFather")
    assert "没有同意" not in await chat.says("2", "oFather")


async def test_a_stranger_cannot_have_patients_asked(chat: Chat) -> None:
    await chat.does(bound("oFather", "P03"))
    await chat.says(f"添加家人 我爸 {FATHER}", "oStranger")
    assert await told(chat, "oFather") == []


# Ending it


async def test_unlinking_the_only_one_asks_for_a_yes(chat: Chat) -> None:
    await chat.does(bound("oPatient", "P05"))
    await chat.reads("""
        患者 解绑
        小护 许*怡
        患者 确认
        小护 已解除
        患者 解绑
        小护 还没有关联
    """)
    assert (await links(chat))[0][3] == "asked"


async def test_unlinking_one_of_several(chat: Chat) -> None:
    for patient, relation in (("P01", "self"), ("P02", "child"), ("P03", "parent")):
        await chat.does(bound("oPatient", patient, relation))
    await chat.reads("""
        患者 解绑
        小护 1 林*远
        小护 2 林*雨
        小护 3 林*明
        患者 3
        小护 林*明
        患者 1
        小护 已解除与林*明
    """)
    assert [link[3] for link in await links(chat)] == ["", "", "asked"]
    await chat.reads("""
        患者 解绑 孩子
        小护 林*雨
        患者 2
        小护 保持原样
    """)


async def test_a_patient_ends_what_others_may_do_for_him(chat: Chat) -> None:
    await chat.does(bound("oSon", "P01"))
    await chat.does(bound("oSon", "P03", "parent"))
    await chat.does(bound("oFather", "P03"))
    await chat.reads(
        """
        患者 解绑
        小护 1 林*明
        小护 2 不再让林*远代我办理
        患者 2
        患者 是
        小护 不能再代您办理
    """,
        "oFather",
    )
    assert [link[3] for link in await links(chat)] == ["", "patient_revoked", ""]
    assert "收回" in (await told(chat, "oSon"))[-1]


# Somebody else's messages


async def queue(chat: Chat, openid: str, patient: str | None, purpose: Purpose = Purpose.CARE) -> None:
    """A letter that waits to be sent."""

    def put(db: sa.Connection) -> None:
        db.execute(
            letters.insert().values(
                key=f"{openid}:{patient}:{purpose}",
                contact_id=contact(db, openid),
                patient_code=patient,
                purpose=purpose.value,
                priority=purpose.priority,
                body={"text": "…"},
                created_at=datetime(2026, 11, 18, tzinfo=UTC),
                not_before=datetime(2026, 11, 18, tzinfo=UTC),
            )
        )

    await chat.does(put)


async def test_not_me_stops_everything_at_once(chat: Chat) -> None:
    await chat.does(bound("oPatient", "P05"))
    await queue(chat, "oPatient", "P05")
    await queue(chat, "oOther", "P01")
    await chat.reads("""
        患者 不是本人
        小护 抱歉
        小护 已立即停止
    """)
    assert (await links(chat))[0][3] == "wrong_person"
    rows = await chat.asks(lambda db: db.execute(sa.select(letters).order_by(letters.c.id)).all())
    assert [(row.state, row.reason) for row in rows] == [("suppressed", "wrong_person"), ("queued", "")]
    task = await chat.asks(lambda db: db.execute(sa.select(tasks)).one())
    assert (task.kind, task.patient_code, task.status) == ("callback", "P05", "open")
    assert "隐私" in (task.reason or "")


async def test_not_me_with_several_asks_whom(chat: Chat) -> None:
    await chat.does(bound("oPatient", "P01"))
    await chat.does(bound("oPatient", "P03", "parent"))
    await chat.reads("""
        患者 不是本人
        小护 1 林*远
        小护 2 林*明
        小护 3 都不是
        患者 2
        小护 已立即停止
    """)
    assert [link[3] for link in await links(chat)] == ["", "wrong_person"]


async def test_not_me_counts_while_a_nurse_has_the_conversation(chat: Chat) -> None:
    await chat.does(bound("oPatient", "P05"))
    await chat.says("人工")
    await chat.says("不是本人")
    assert (await links(chat))[0][3] == "wrong_person"


async def test_not_me_in_the_middle_of_something(chat: Chat) -> None:
    await chat.does(bound("oPatient", "P05"))
    await chat.says("解绑")
    answer = await chat.says("不是本人")
    assert "已立即停止" in answer
    assert "许" not in answer
    assert (await links(chat))[0][3] == "wrong_person"


async def test_nine_means_it_only_where_it_was_offered(chat: Chat) -> None:
    await chat.does(bound("oPatient", "P05"))
    await chat.says("9")
    assert (await links(chat))[0][3] == ""

    def offer(db: sa.Connection) -> None:
        from storage.tables import messages

        text = "如果您不是许*怡本人或家属，请回复9"
        values = {"contact_id": contact(db, "oPatient"), "account": "wechat/default", "dir": "out"}
        db.execute(messages.insert().values(**values, at=chat.clock.now(), type="text", text=text))

    await chat.does(offer)
    assert "已立即停止" in await chat.says("9")
    assert (await links(chat))[0][3] == "wrong_person"
