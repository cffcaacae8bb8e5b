"""A link to somebody of the family is about to end: whoever speaks for them is told in time (PRV-22)."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from bot.domain.language import Language
from bot.domain.letter import Letter, Purpose
from bot.domain.patient import Patient
from bot.domain.words import say
from bot.outbox import letters
from bot.outbox.wording import Wording
from storage.queries import people

AHEAD = timedelta(days=14)


def announce(db: sa.Connection, now: datetime, wording: Wording) -> int:
    """Owe a notice for every link that ends within two weeks, once for each end; how many that were."""
    owed = 0
    for row in people.links_ending(db, now, now + AHEAD):
        language = Language(row.language) if row.language else Language.SIMPLIFIED
        words = say(
            "family/ends_soon",
            name=Patient(row.patient_code, row.name).masked_name,
            until=row.expires_at.astimezone(wording.zone),
            child=row.relation == "child",
        )
        letter = Letter(
            key=f"link-ends:{row.id}:{row.expires_at:%Y%m%d}",
            purpose=Purpose.TRANSACTION,
            text=wording.text(words, language),
            not_before=now,
            useful_until=row.expires_at,
            contact_id=row.contact_id,
            patient_code=row.patient_code,
        )
        owed += letters.put(db, letter, now) is not None
    return owed
