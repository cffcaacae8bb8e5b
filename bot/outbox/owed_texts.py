"""The full text of what reached somebody only as a notice: told when they next write, once.

A template message and a text message have room for a line, and a text message says nothing of anyone's health.
When the user writes, the 48 hours of customer-service messages begin, and the whole text can be read in the chat.
A question of a plan is not owed: its form asks it again by itself.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from bot.domain.language import Language
from bot.domain.letter import Letter, Purpose
from bot.domain.words import say
from bot.outbox import letters
from bot.outbox.wording import Wording
from storage.queries import cursors, owed_texts
from storage.rows import Row

CURSOR: Final = "owed texts"
OLDEST: Final = timedelta(days=7)  # what was said longer ago is no news
WINDOW: Final = timedelta(hours=47)  # of customer-service messages, with an hour to spare
STEP: Final = 500  # messages looked at in one transaction
TOUCH: Final = "touch:"  # begins the key of a letter that a plan began: touch:NUMBER:ASK
OVERLAP: Final = 50  # numbers looked at again: a message may be committed after one with a higher number


def bring(db: sa.Connection, now: datetime, wording: Wording) -> int:
    """Owe the texts to those who have written since the last look; how many."""
    last = int(cursors.read(db, CURSOR) or 0)
    wrote = owed_texts.wrote_after(db, last - OVERLAP, STEP)
    if not wrote or wrote[-1].id <= last:
        return 0
    cursors.move(db, CURSOR, str(wrote[-1].id))
    at = {row.contact_id: row.at for row in wrote if now - row.at < WINDOW}
    owed = owed_texts.only_noticed(db, list(at), now - OLDEST, now)
    touches = {row.id: int(row.key.split(":")[1]) for row in owed if row.key.startswith(TOUCH)}
    asking = owed_texts.asking(db, list(touches.values()))
    return sum(
        _owe(db, row, at[row.contact_id], now, wording) for row in owed if touches.get(row.id) not in asking
    )


def _owe(db: sa.Connection, row: Row, wrote_at: datetime, now: datetime, wording: Wording) -> int:
    text = row.body["text"]
    over = row.useful_until is not None and row.useful_until <= now
    if over or row.sent_at > wrote_at or text in (row.shown or ""):
        return 0
    whole = wording.text(say("common/owed_text", sent=row.sent_at, text=text), _language(row))
    letter = Letter(
        key=f"owed:{row.id}",
        purpose=Purpose.TRANSACTION,
        text=whole,
        not_before=now,
        useful_until=min(filter(None, (row.useful_until, wrote_at + WINDOW))),
        contact_id=row.contact_id,
        patient_code=row.patient_code,
        author=row.author,
        chat_only=True,
    )
    return letters.put(db, letter, now) is not None


def _language(row: Row) -> Language:
    return Language(row.language) if row.language else Language.SIMPLIFIED
