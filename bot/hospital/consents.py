"""May this be sent? What people agreed to, each purpose by itself (PRV-01 to 05)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from bot.domain.letter import Purpose
from storage.queries import consents

NEWS = (Purpose.MARKETING, Purpose.GREETING)  # what 退订 stops
CARE = (Purpose.CARE, Purpose.SURVEY)  # what 停止随访 stops


def allows(
    db: sa.Connection, contact_id: int | None, patient_code: str | None, purpose: str, now: datetime
) -> bool:
    """Whether a letter of this purpose may go to this user, or about this patient, at this moment.

    Alarms and transactions always may. Care, surveys and greetings may until somebody said stop (a greeting
    holds no offer, so it needs no marketing consent). Marketing needs a yes: in the chat, or imported with the
    patient. The latest word counts, the user's and the patient's each by itself; either one's stop stops, and
    it outweighs what is imported later. Following the account again changes nothing.
    """
    if purpose in (Purpose.ALARM, Purpose.TRANSACTION):
        return True
    words = consents.said_last(db, purpose, contact_id=contact_id, patient_code=patient_code)
    if False in words:
        return False
    if purpose != Purpose.MARKETING or True in words:
        return True
    return patient_code is not None and consents.imported_marketing_consent(db, patient_code)


def withdraw(
    db: sa.Connection, contact_id: int, own: Sequence[str], purposes: Sequence[Purpose], now: datetime
) -> None:
    """Stop these purposes for a user and the patients (codes) he is; what is queued does not go."""
    _write(db, contact_id, own, purposes, now, granted=False, text="")
    consents.stop_letters(db, [purpose.value for purpose in purposes], contact_id, own)


def grant(
    db: sa.Connection,
    contact_id: int,
    own: Sequence[str],
    purposes: Sequence[Purpose],
    now: datetime,
    text: str,
) -> None:
    """A user agrees to `text`, for himself and the patients (codes) he is."""
    _write(db, contact_id, own, purposes, now, granted=True, text=text)


def _write(
    db: sa.Connection,
    contact_id: int,
    own: Sequence[str],
    purposes: Sequence[Purpose],
    now: datetime,
    *,
    granted: bool,
    text: str,
) -> None:
    rows = [
        {
            "contact_id": contact_id,
            "patient_code": patient_code,
            "purpose": purpose.value,
            "granted": granted,
            "at": now,
            "actor": "patient",
            "text_hash": hashlib.sha256(text.encode()).hexdigest() if text else "",
        }
        for patient_code in own or (None,)
        for purpose in purposes
    ]
    consents.add_consents(db, rows)
