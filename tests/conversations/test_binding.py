"""绑定: phone, code, name, end of the ID number, in any order; locks; and that nobody learns who is a patient."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa

from bot.domain.clock import StoppedClock
from storage.database import Database
from storage.tables import bindings, letters, one_time_codes
from tests.chat import Chat
from tests.hospital_folder import bound, open_hospital

STRANGE_PHONE = "13999999999"  # nobody's


@pytest.fixture
async def chat(database: Database, clock: StoppedClock) -> Chat:
    chat = Chat(database, clock)
    await chat.does(open_hospital)
    return chat


async def sms(chat: Chat, phone: str, kind: str) -> list[str]:
    """The texts owed to a phone, oldest first."""
    rows = await chat.asks(lambda db: db.execute(sa.select(letters).order_by(letters.c.id)).all())
    return [row.body["text"] for row in rows if row.address == f"{kind}:{phone}"]


async def code(chat: Chat, phone: str) -> str:
    """The newest code sent to a phone: the only run of exactly six digits in the message."""
    runs = re.findall(r"(?<!\d)\d{6}(?!\d)", (await sms(chat, phone, "code"))[-1])
    assert len(runs) == 1
    return str(runs[0])


def wrong(right: str) -> str:
    """Some other code."""
    return f"{(int(right) + 1) % 10**6:06}"


async def speaks_for(chat: Chat, openid: str = "oPatient") -> list[tuple[str, str, int]]:
    """Living bindings: patient, relation, level."""
    rows = await chat.asks(
        lambda db: db.execute(sa.select(bindings).where(bindings.c.ended_at.is_(None))).all()
    )
    return [(row.patient_code, row.relation, row.level) for row in rows]


async def test_step_by_step(chat: Chat) -> None:
    await chat.reads("""
        患者 绑定
        小护 手机号
        患者 13800000005
        小护 138****0005
    """)
    await chat.reads(f"""
        患者 {await code(chat, "13800000005")}
        小护 姓名
        小护 ~ 绑定成功
        患者 许静怡
        小护 最后四位
        患者 554x
        小护 绑定成功
        小护 许*怡
    """)
    assert await speaks_for(chat) == [("P05", "self", 2)]
