"""A report that is ready is announced once, neutrally, to whoever speaks for the patient."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from bot.flows import report_notices
from storage.tables import letters
from storage.tables import reports as reports_table
from tests.chat import Chat
from tests.hospital_folder import bound, open_hospital


async def announce(chat: Chat) -> int:
    wording, now = chat.reception.wording, chat.clock.now()
    return await chat.does(lambda db: report_notices.announce(db, now, wording))


async def arrange(chat: Chat, **values: object) -> None:
    await chat.does(open_hospital)
    await chat.does(bound("oPatient", "P01"))
    row = {"code": "R1", "patient_code": "P01", "kind": "lab", "title": "血常规", "status": "ready"}
    await chat.inserts(reports_table, **{**row, "issued_at": chat.clock.now(), **values})


async def test_a_new_report_is_announced_once_without_its_title(chat: Chat) -> None:
    await arrange(chat)
    assert await announce(chat) == 1
    assert await announce(chat) == 0
    row = await chat.asks(lambda db: db.execute(sa.select(letters)).one())
    assert "新的报告" in row.body["text"]
    assert "血常规" not in str(row.body)


async def test_a_held_an_old_or_a_pending_one_is_not(chat: Chat) -> None:
    await arrange(chat, kind="pathology")
    await chat.inserts(
        reports_table,
        code="R2",
        patient_code="P01",
        kind="lab",
        title="血糖",
        status="ready",
        issued_at=chat.clock.now() - timedelta(days=10),
    )
    await chat.inserts(
        reports_table, code="R3", patient_code="P01", kind="lab", title="血脂", status="pending"
    )
    assert await announce(chat) == 0
