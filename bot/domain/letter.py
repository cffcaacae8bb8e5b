"""What we owe somebody: a letter, its purpose, and how long it is worth sending."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Purpose(StrEnum):
    """Why a letter is sent. Decides its priority, its promise and what may stop it."""

    ALARM = "alarm"  # at least once: a duplicate is better than silence
    TRANSACTION = "transaction"  # what the patient asked for; effectively once
    CARE = "care"  # effectively once
    SURVEY = "survey"
    GREETING = "greeting"
    MARKETING = "marketing"  # at most once

    @property
    def priority(self) -> int:
        """Lower goes first."""
        return list(Purpose).index(self)


class LetterState(StrEnum):
    """Where a letter is. Every letter ends in one of the last five."""

    QUEUED = "queued"
    HELD = "held"  # its broadcast is paused
    GATHERED = "gathered"  # waits for the others of its mass message
    SENDING = "sending"  # claimed; what became of it is not known yet
    SENT = "sent"  # the platform took it
    DELIVERED = "delivered"  # the platform says it arrived
    EXPIRED = "expired"  # no longer useful
    SUPPRESSED = "suppressed"  # must not go: no consent, died, …
    FAILED = "failed"  # cannot go by any way: it became a task


@dataclass(frozen=True, slots=True)
class Letter:
    """A message for somebody.

    Addressed to a contact, or for staff and phones to an `address` (`wecom:USERID`, `sms:PHONE`,
    `voice:PHONE`, `code:PHONE` for a one-time code).
    """

    key: str  # the reason, spelled out: the same reason twice is one letter
    purpose: Purpose
    text: str
    not_before: datetime
    useful_until: datetime | None = None
    contact_id: int | None = None
    patient_code: str | None = None
    address: str = ""
    plan: str = ""
    step: str = ""
    template: str = ""  # the platform template's purpose: care, reminder, report, transaction
    facts: Mapping[str, Any] = field(
        default_factory=dict
    )  # subject, when, place, person, number, note, phone
    author: str = "bot"
    chat_only: bool = False  # a notice would say nothing that was not said: into the chat, or not at all
