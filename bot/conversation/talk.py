"""All a step may know and use while it answers one message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from bot.conversation.knowledge import Knowledge
from bot.conversation.said import Said
from bot.domain.inbound import Inbound
from bot.domain.language import Language
from bot.domain.letter import Letter, Purpose
from bot.domain.patient import Binding, Contact, Patient
from bot.domain.words import Say
from bot.outbox import letters
from bot.outbox.wording import Wording


@dataclass(slots=True)
class Talk:
    """One message of one contact, inside the transaction that answers it.

    Whatever is written through `db` commits together with the answer, or not at all. The transaction may
    run again from the start, so a step acts on nothing but the database.
    """

    db: sa.Connection
    now: datetime
    zone: ZoneInfo
    inbound: Inbound
    message_id: int
    contact: Contact
    bindings: tuple[Binding, ...]  # living, unexpired; oldest first
    said: Said
    language: Language
    knowledge: Knowledge  # of the hospital: facts, names, answers
    wording: Wording
    public_url: str = ""
    sms: bool = True  # whether there is a way to send one-time codes
    patient: Patient | None = None  # whom the dialogue is about, once that is settled
    elsewhere: bool = False  # the message plainly belongs to another topic than the one that is open
    part: str = ""  # of the message: what asks for this topic, where it asks for several
    state: Mapping[str, Any] = field(default_factory=dict)  # of the conversation: owner, waiting_since, …
    moved: dict[str, Any] = field(default_factory=dict)  # how this turn leaves the conversation
    learned: dict[str, Any] = field(
        default_factory=dict
    )  # what it tells of the contact: language, followed, …

    @property
    def today(self) -> date:
        """The hospital's day."""
        return self.now.astimezone(self.zone).date()

    @property
    def local_now(self) -> datetime:
        """Now, on the hospital's clock."""
        return self.now.astimezone(self.zone)

    @property
    def binding(self) -> Binding | None:
        """How this contact is bound to the patient the dialogue is about."""
        return next(
            (one for one in self.bindings if self.patient and one.patient.code == self.patient.code), None
        )

    def text(self, words: Say) -> str:
        """The exact words, in the patient's language."""
        return self.wording.text(words, self.language)

    def owe(
        self,
        key: str,
        words: Say,
        *,
        contact_id: int,
        language: Language,
        purpose: Purpose = Purpose.TRANSACTION,
        patient_code: str | None = None,
        useful_until: datetime | None = None,
        not_before: datetime | None = None,
    ) -> None:
        """Owe somebody else a letter (a family member asked to agree, the receiver of points)."""
        letter = Letter(
            key=key,
            purpose=purpose,
            text=self.wording.text(words, language),
            not_before=not_before or self.now,
            useful_until=useful_until,
            contact_id=contact_id,
            patient_code=patient_code,
        )
        letters.put(self.db, letter, self.now)
