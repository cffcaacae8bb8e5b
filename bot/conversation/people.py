"""Who writes, for whom they may speak, and which language they read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from bot.domain.language import Language
from bot.domain.patient import Binding, Contact, Patient
from storage.queries import conversations
from storage.rows import Row


def contact_of(row: Row) -> Contact:
    """The user a thread belongs to."""
    return Contact(
        id=row.id,
        account=row.account,
        openid=row.openid,
        unionid=row.unionid or "",
        followed=row.followed,
        language=Language(row.language or Language.SIMPLIFIED),
        noticed_at=row.noticed_at,
    )


def speaks_for(db: sa.Connection, contact: Contact, now: datetime) -> tuple[Binding, ...]:
    """Whom this user speaks for now; one binding a patient, the surest."""
    return all_speak_for(db, [contact.id], now).get(contact.id, ())


def all_speak_for(
    db: sa.Connection, contact_ids: Sequence[int], now: datetime
) -> dict[int, tuple[Binding, ...]]:
    """The same for several users; who speaks for nobody is left out."""
    best: dict[int, dict[str, Binding]] = defaultdict(dict)
    for row in conversations.speaks_for(db, contact_ids):
        if row.expires_at is not None and row.expires_at <= now:
            continue
        binding, known = _binding(row), best[row.reader_id]
        other = known.get(binding.patient.code)
        if other is None or other.level < binding.level:
            known[binding.patient.code] = binding
    return {reader: tuple(known.values()) for reader, known in best.items()}


def _binding(row: Row) -> Binding:
    patient = Patient(
        code=row.patient_code,
        name=row.name,
        sex=row.sex,
        birth_date=row.birth_date,
        language=row.language,
        vip_level=row.vip_level,
        deceased_on=row.deceased_on,
    )
    return Binding(
        id=row.id,
        contact_id=row.contact_id,
        patient=patient,
        relation=row.relation,
        level=row.level,
        proven_at=row.proven_at,
        expires_at=row.expires_at,
        scope=row.scope,
    )


def language_for(bindings: Sequence[Binding], written_in: Language) -> Language:
    """A bound patient's own language; else the language of the message."""
    own = next((one for one in bindings if one.relation == "self"), bindings[0] if bindings else None)
    if own is None:
        return written_in
    return Language(own.patient.language) if own.patient.language else Language.SIMPLIFIED


def language_of(kept: str | None) -> Language:
    """A language as it is kept in a row; Simplified Chinese when it is not known."""
    return Language(kept) if kept else Language.SIMPLIFIED
