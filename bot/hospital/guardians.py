"""Who speaks for a child."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from bot.domain.language import Language
from storage.queries import people


@dataclass(frozen=True, slots=True)
class Guardian:
    """A WeChat user to whom the patient is a child."""

    contact_id: int
    language: Language


def of(db: sa.Connection, patient_code: str, now: datetime) -> Sequence[Guardian]:
    """The child's guardians, as bound now."""
    return [
        Guardian(row.contact_id, Language(row.language or Language.SIMPLIFIED))
        for row in people.bound_to(db, patient_code, now)
        if row.relation == "child"
    ]
