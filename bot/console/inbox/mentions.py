"""Colleagues are told that somebody mentioned them: on their screen, and by WeCom when they are elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from bot.domain.letter import Letter, Purpose
from bot.outbox import letters
from storage.queries import staff as users

# Nothing of the patient stands in it: a telephone on a table is read by anybody.
TEXT: Final = "有同事在小护控制台提到您或转给您一个对话，请打开“提到我”查看。"
USEFUL_FOR: Final = timedelta(hours=4)
AWAY: Final = timedelta(minutes=3)  # who works in the console sees it there


def tell(db: sa.Connection, names: Sequence[str], contact_id: int, now: datetime) -> None:
    """Write to everybody of these who has a WeCom account; the same conversation at most once a quarter of an hour."""
    for name in names:
        row = users.user(db, name)
        if row is None or not row.wecom_userid or users.seen_since(db, name, now - AWAY):
            continue
        quarter = int(now.timestamp()) // 900
        letter = Letter(
            key=f"mention:{contact_id}:{name}:{quarter}",
            purpose=Purpose.TRANSACTION,
            text=TEXT,
            not_before=now,
            useful_until=now + USEFUL_FOR,
            address=f"wecom:{row.wecom_userid}",
            author="bot",
        )
        letters.put(db, letter, now)
