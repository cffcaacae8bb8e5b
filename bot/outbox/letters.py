"""Put letters in, in the caller's transaction: a letter exists exactly when the reason for it does."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.domain.letter import Letter
from storage.queries import outbox
from storage.types import Seal


def put(connection: sa.Connection, letter: Letter, now: datetime) -> int | None:
    """Owe somebody a letter; its number, or None when it is owed (or was sent) already."""
    body: dict[str, Any] = {"text": letter.text}
    if letter.template:
        body |= {"template": letter.template, "facts": dict(letter.facts)}
    if letter.chat_only:
        body |= {"chat_only": True}
    return outbox.put_letter(
        connection,
        {
            "key": letter.key,
            "contact_id": letter.contact_id,
            "patient_code": letter.patient_code,
            "address": letter.address or None,
            "address_index": Seal.index(letter.address) if letter.address else "",
            "purpose": letter.purpose.value,
            "priority": letter.purpose.priority,
            "plan": letter.plan,
            "step": letter.step,
            "body": body,
            "author": letter.author,
            "created_at": now,
            "not_before": letter.not_before,
            "useful_until": letter.useful_until,
        },
    )
