"""What patients read about their complaints: the hospital's answer, and that it takes longer and why."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.domain.language import Language
from bot.domain.letter import Letter, Purpose
from bot.domain.words import say
from bot.hospital import complaints
from bot.outbox import letters
from bot.outbox.wording import Wording
from storage.rows import Row


def answer(db: sa.Connection, now: datetime, wording: Wording, number: str, text: str, by: str) -> bool:
    """Answer a complaint; False when there is no such number.

    Raises:
        Frozen: others settle it.
    """
    ticket = complaints.reply(db, now, number, text, by)
    if ticket is None:
        return False
    language = Language(ticket.language or Language.SIMPLIFIED)
    letter = Letter(
        key=f"ticket:{number}:{now.isoformat()}",
        purpose=Purpose.TRANSACTION,
        text=wording.text(say("complaint/answer", number=number, text=text), language),
        not_before=now,
        contact_id=ticket.contact_id,
        patient_code=ticket.patient_code,
        author=by,
        template="transaction",
        facts={"subject": "投诉答复", "number": number, "when": now.isoformat()},
    )
    letters.put(db, letter, now)
    return True


def tell(db: sa.Connection, now: datetime, wording: Wording, ticket: Row, message: str, **facts: Any) -> None:
    """Write to who complained: `paused`, `resumed`, `extended`, `not_accepted` or `legal_routes`.

    `ticket` is a row with the language of its user; *facts* go into the text beside its number.
    """
    language = Language(ticket.language or Language.SIMPLIFIED)
    letter = Letter(
        key=f"ticket:{ticket.number}:{message}:{now.isoformat()}",
        purpose=Purpose.TRANSACTION,
        text=wording.text(say(f"complaint/{message}", number=ticket.number, **facts), language),
        not_before=now,
        contact_id=ticket.contact_id,
        patient_code=ticket.patient_code,
        template="transaction",
        facts={"subject": "投诉进展", "number": ticket.number, "when": now.isoformat()},
    )
    letters.put(db, letter, now)
