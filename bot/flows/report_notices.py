"""A report is ready: whoever speaks for the patient is told so, and nothing else.

Held reports are never announced (contract §5); neither are old ones that an import brings in.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from bot.domain.language import Language
from bot.domain.letter import Letter, Purpose
from bot.domain.words import say
from bot.hospital import reports
from bot.outbox import letters
from bot.outbox.wording import Wording
from storage.queries import people
from storage.queries import reports as rows

FRESH = timedelta(days=3)  # a report older than this is no news
USEFUL = timedelta(days=7)


def announce(db: sa.Connection, now: datetime, wording: Wording) -> int:
    """Owe a notice for every report that has become ready; how many letters that were."""
    owed = 0
    for row in rows.ready_and_unannounced(db, now - FRESH, now):
        if reports.is_held(row):
            continue
        readers = people.bound_to(db, row.patient_code, now)
        for reader in readers:
            language = Language(reader.language or Language.SIMPLIFIED)
            letter = Letter(
                key=f"report:{row.code}:{reader.contact_id}",
                purpose=Purpose.TRANSACTION,
                text=wording.text(say("report/notice"), language),
                not_before=now,
                useful_until=now + USEFUL,
                contact_id=reader.contact_id,
                patient_code=row.patient_code,
                plan="report",
                step="ready",
                template="report",
                facts={"subject": wording.text(say("report/subject"), language), "when": now.isoformat()},
            )
            owed += letters.put(db, letter, now) is not None
        if readers:  # else whoever binds tomorrow still hears of it
            rows.announced(db, row.code, now)
    return owed
