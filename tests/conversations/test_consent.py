"""退订, 停止随访, 恢复…: each purpose by itself, effective with the answer."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from bot.domain.clock import StoppedClock
from bot.domain.letter import Purpose
from bot.hospital import consents
from storage.database import Database
from storage.tables import alerts, letters, patients
from storage.tables import consents as consent_rows
from tests.chat import Chat
from tests.hospital_folder import bound, contact, open_hospital

DAY = datetime(2026, 11, 18, tzinfo=UTC)


@pytest.fixture
async def chat(database: Database, clock: StoppedClock) -> Chat:
    chat = Chat(database, clock)
    await chat.does(open_hospital)
    await chat.does(bound("oPatient", "P05"))
    return chat


async def allowed(chat: Chat, openid: str = "oPatient", patient: str | None = "P05") -> set[str]:
    """The purposes that may be sent now."""
    number = await chat.does(lambda db: contact(db, openid))
    now = chat.clock.now()
    return await chat.asks(
        lambda db: {one.value for one in Purpose if consents.allows(db, number, patient, one, now)}
    )


async def grant_by_import(chat: Chat, patient: str = "P05") -> None:
    await chat.does(
        lambda db: db.execute(
            patients.update().where(patients.c.code == patient).values(marketing_consent=True)
        )
    )


async def queue(chat: Chat, key: str, purpose: Purpose, openid: str | None, patient: str | None) -> None:
    def put(db: sa.Connection) -> None:
        db.execute(
            letters.insert().values(
                key=key,
                contact_id=contact(db, openid) if openid else None,
                patient_code=patient,
                purpose=purpose.value,
                priority=purpose.priority,
                body={"text": "…"},
                created_at=DAY,
                not_before=DAY,
            )
        )

    await chat.does(put)


async def states(chat: Chat) -> dict[str, str]:
    rows = await chat.asks(lambda db: db.execute(sa.select(letters)).all())
    return {row.key: f"{row.state} {row.reason}".strip() for row in rows}


ALWAYS = {"alarm", "transaction"}
CARE = {"care", "survey"}


async def test_before_anybody_said_anything(chat: Chat) -> None:
    assert await allowed(chat) == ALWAYS | CARE | {"greeting"}
    await grant_by_import(chat)
    assert await allowed(chat) == ALWAYS | CARE | {"greeting", "marketing"}


@pytest.mark.parametrize("word", ["退订", "TD", "停止推送", "别发了", "退訂", "请不要再给我发广告了"])
async def test_opting_out_stops_marketing_and_greetings_only(chat: Chat, word: str) -> None:
    await grant_by_import(chat)
    await chat.reads(f"""
        患者 {word}
        小护 已停止活动信息和节日问候
        小护 随访
        小护 恢复推送
    """) if word != "退訂" else await chat.says(word)
    assert await allowed(chat) == ALWAYS | CARE
    assert await allowed(chat, patient=None) == ALWAYS | CARE


async def test_what_is_queued_does_not_go(chat: Chat) -> None:
    await queue(chat, "mine", Purpose.MARKETING, "oPatient", "P05")
    await queue(chat, "greeting", Purpose.GREETING, "oPatient", None)
    await queue(chat, "sms", Purpose.MARKETING, None, "P05")
    await queue(chat, "care", Purpose.CARE, "oPatient", "P05")
    await queue(chat, "booking", Purpose.TRANSACTION, "oPatient", "P05")
    await queue(chat, "other", Purpose.MARKETING, "oOther", "P01")
    await chat.says("退订")
    assert await states(chat) == {
        "mine": "suppressed opted_out",
        "greeting": "suppressed opted_out",
        "sms": "suppressed opted_out",
        "care": "queued",
        "booking": "queued",
        "other": "queued",
    }


@pytest.mark.parametrize("word", ["停止随访", "不要再给我发随访了", "退订随访"])
async def test_stopping_care_leaves_the_rest(chat: Chat, word: str) -> None:
    await queue(chat, "care", Purpose.CARE, "oPatient", "P05")
    await queue(chat, "booking", Purpose.TRANSACTION, "oPatient", "P05")
    await chat.reads(f"""
        患者 {word}
        小护 已停止随访
        小护 预约和报告通知照常
    """)
    assert await allowed(chat) == ALWAYS | {"greeting"}
    assert await states(chat) == {"care": "suppressed opted_out", "booking": "queued"}


async def test_coming_back_is_said_explicitly(chat: Chat) -> None:
    await grant_by_import(chat)
    await chat.says("退订")
    await chat.says("停止随访")
    await chat.says("你好")
    await grant_by_import(chat)  # a later import does not outweigh the patient's own word
    assert await allowed(chat) == ALWAYS
    await chat.reads("""
        患者 恢复随访
        小护 同意重新接收随访
    """)
    assert await allowed(chat) == ALWAYS | CARE
    await chat.reads("""
        患者 恢复推送
        小护 每月不超过2条
        小护 退订
    """)
    assert await allowed(chat) == ALWAYS | CARE | {"greeting", "marketing"}
    rows = await chat.asks(lambda db: db.execute(sa.select(consent_rows)).all())
    assert all(bool(row.text_hash) == row.granted for row in rows)
    assert {(row.patient_code, row.actor) for row in rows} == {("P05", "patient")}


async def test_following_again_leaves_everything_as_it_was(chat: Chat) -> None:
    await chat.says("退订")
    before = await chat.asks(lambda db: len(db.execute(sa.select(consent_rows)).all()))
    await chat.says("", type="event:unsubscribe")
    await chat.says("", type="event:subscribe")
    await chat.says("你好")
    assert await allowed(chat) == ALWAYS | CARE
    assert await chat.asks(lambda db: len(db.execute(sa.select(consent_rows)).all())) == before


async def test_one_of_two_users_of_a_patient(chat: Chat) -> None:
    await chat.does(bound("oPhone", "P05"))
    await grant_by_import(chat)
    await chat.says("退订")
    assert await allowed(chat, "oPhone") == ALWAYS | CARE  # the patient said stop
    await chat.says("恢复推送", "oPhone")
    assert "marketing" in await allowed(chat, "oPhone")
    assert "marketing" not in await allowed(chat, "oPatient")  # who never took it back here


async def test_a_guardian_does_not_speak_for_another_guardian(chat: Chat) -> None:
    await chat.does(bound("oMother", "P02", "child"))
    await chat.does(bound("oFather", "P02", "child"))
    await chat.says("退订", "oMother")
    assert "greeting" not in await allowed(chat, "oMother", "P02")
    assert "greeting" in await allowed(chat, "oFather", "P02")


async def test_somebody_unknown_can_opt_out_too(chat: Chat) -> None:
    assert "已停止" in await chat.says("退订", "oStranger")
    assert await allowed(chat, "oStranger", None) == ALWAYS | CARE


async def test_marketing_is_asked_for_with_nothing_chosen(chat: Chat) -> None:
    await chat.reads("""
        患者 订阅
        小护 每月不超过2条
        小护 1 愿意
        小护 2 不愿意
        患者 2
        小护 其他服务不受影响
    """)
    assert "marketing" not in await allowed(chat)
    await chat.says("订阅")
    await chat.says("愿意")
    assert "marketing" in await allowed(chat)


async def test_what_was_agreed_to_can_be_read(chat: Chat) -> None:
    await chat.says("停止随访")
    await chat.reads("""
        患者 我的授权
        小护 随访和满意度询问：不接收
        小护 节日问候：接收
        小护 活动信息：不接收
    """)


async def test_stop_is_no_opt_out_while_a_life_is_at_stake(chat: Chat) -> None:
    def alarm(db: sa.Connection) -> None:
        values = {"level": "U", "concept": "M03", "status": "open", "at": DAY}
        db.execute(alerts.insert().values(contact_id=contact(db, "oPatient"), **values))

    await chat.does(alarm)
    for word in ("停止", "别发了", "停止随访", "停"):
        assert "12356" in await chat.says(word)
    assert await allowed(chat) == ALWAYS | CARE | {"greeting"}
    await chat.does(lambda db: db.execute(alerts.update().values(status="closed")))
    assert "已停止" in await chat.says("停止")


async def test_a_farewell_is_an_alarm_first(chat: Chat) -> None:
    await chat.says("谢谢你们再见了,孩子拜托你们,以后不用随访了")
    levels = await chat.asks(lambda db: db.execute(sa.select(alerts.c.level)).scalars().all())
    assert list(levels) == ["U"]
    assert "care" in await allowed(chat)


async def test_in_the_middle_of_a_form(chat: Chat) -> None:
    await chat.reads("""
        患者 解绑
        小护 许*怡
        患者 退订
        小护 已停止活动信息
        小护 确定不再关联
        患者 否
        小护 保持原样
    """)


async def test_it_counts_while_a_nurse_has_the_conversation(chat: Chat) -> None:
    await chat.says("人工")
    assert await chat.says("退订") == ""
    assert await allowed(chat) == ALWAYS | CARE
