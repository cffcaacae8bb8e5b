"""Who wrote, and what we know of the writer: read for all who write together, in a few statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from bot.conversation import danger, people
from bot.domain.patient import Binding, Contact
from bot.language.meaning import Context
from storage.queries import alerts, conversations
from storage.rows import Row

TOGETHER = timedelta(seconds=60)  # 「我妈」「突然」「说不出话」 is one message (safety.md §1.2)
PIECES = 4  # earlier messages at most


@dataclass(frozen=True, slots=True)
class Writer:
    """One user whose message is being answered."""

    contact: Contact
    row: Row  # where the conversation stood
    bindings: tuple[Binding, ...]  # living, unexpired; oldest first
    context: Context  # of the patient the account belongs to
    earlier: Sequence[str]  # what the user wrote in the last minute, oldest first


def look_up(
    db: sa.Connection, rows: Sequence[Row], now: datetime, local: datetime, before: int
) -> dict[int, Writer]:
    """The writers of the messages from number *before* on, by contact; *local* is now on the hospital's clock."""
    speaking = [row.id for row in rows if row.bound or row.unionid]
    bindings = people.all_speak_for(db, speaking, now) if speaking else {}
    contexts = _contexts(db, bindings, local)
    hasty = [row.id for row in rows if row.spoke_at is not None and now - row.spoke_at <= TOGETHER]
    earlier = conversations.texts_since(db, hasty, now - TOGETHER, before) if hasty else {}
    return {
        row.id: Writer(
            contact=people.contact_of(row),
            row=row,
            bindings=bindings.get(row.id, ()),
            context=contexts.get(row.id, NOTHING_KNOWN),
            earlier=earlier.get(row.id, ())[-PIECES:],
        )
        for row in rows
    }


NOTHING_KNOWN = Context()


def _contexts(
    db: sa.Connection, bindings: Mapping[int, Sequence[Binding]], local: datetime
) -> dict[int, Context]:
    found = {contact: danger.subject(theirs) for contact, theirs in bindings.items()}
    patients = {contact: patient for contact, patient in found.items() if patient is not None}
    procedures: dict[str, list[Row]] = defaultdict(list)
    if patients:
        for row in alerts.procedures_of(db, sorted({one.code for one in patients.values()})):
            procedures[row.patient_code].append(row)
    today = local.date()
    return {
        contact: danger.context_of(patient, procedures[patient.code], today)
        for contact, patient in patients.items()
    }
