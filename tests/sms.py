"""What was sent to telephones, read from the letters owed to them."""

from __future__ import annotations

import re

import sqlalchemy as sa

from storage.tables import letters
from tests.chat import Chat


async def texts(chat: Chat, phone: str, kind: str = "sms") -> list[str]:
    """The texts owed to a phone, oldest first; kind `sms` (a notice) or `code`."""
    rows = await chat.asks(lambda db: db.execute(sa.select(letters).order_by(letters.c.id)).all())
    return [row.body["text"] for row in rows if row.address == f"{kind}:{phone}"]


async def code(chat: Chat, phone: str) -> str:
    """The newest code sent to a phone: the only run of exactly six digits in its message."""
    runs = re.findall(r"(?<!\d)\d{6}(?!\d)", (await texts(chat, phone, "code"))[-1])
    assert len(runs) == 1
    return str(runs[0])


def wrong(right: str) -> str:
    """Some other code."""
    return f"{(int(right) + 1) % 10**6:06}"
