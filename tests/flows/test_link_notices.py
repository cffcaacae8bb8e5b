"""A link to somebody of the family that is about to end is told of in time, once."""

from __future__ import annotations

import sqlalchemy as sa

from bot.flows import link_notices
from bot.outbox.wording import Wording
from storage.tables import bindings, letters
from tests.chat import ZONE, Chat
from tests.hospital_folder import at, bound, open_hospital


async def announce(chat: Chat) -> int:
    return await chat.does(lambda db: link_notices.announce(db, chat.clock.now(), Wording(ZONE)))


async def test_two_weeks_before_it_ends(chat: Chat) -> None:
    await chat.does(open_hospital)
    await chat.does(bound("oPatient", "P01"))
    await chat.does(bound("oPatient", "P03", "parent"))
    ends = bindings.update().where(bindings.c.patient_code == "P03").values(expires_at=at("2026-12-10 00:00"))
    await chat.does(lambda db: db.execute(ends))
    assert await announce(chat) == 0
    chat.passes(days=8)
    assert await announce(chat) == 1
    assert await announce(chat) == 0
    body = await chat.asks(lambda db: db.execute(sa.select(letters.c.body)).scalar_one())
    assert "林*明" in body["text"]
    assert "2026年12月10日" in body["text"]
    assert "林德明" not in body["text"]
    chat.passes(days=60)
    assert await announce(chat) == 0
