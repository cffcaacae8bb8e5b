"""The hospital's answer to a complaint: recorded, and owed to the patient."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from bot.domain.language import Language
from bot.domain.letter import Letter, Purpose
from bot.domain.words import say
from bot.hospital import complaints
from bot.outbox import letters
from bot.outbox.wording import Wording


def answer(db: sa.Connection, now: datetime, wording: Wording, number: str, text: str, by: str) -> bool:
    """Answer a complaint; False when there is no such number."""
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
