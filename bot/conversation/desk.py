"""What a person does with a conversation: take it, answer in it, hand it back. Nurse or bot, never both."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from bot.domain.language import Language
from bot.domain.letter import Letter, Purpose
from bot.domain.words import say
from bot.outbox import letters
from bot.outbox.wording import Wording
from storage.queries import conversations, desk


class TakenByAnother(Exception):
    """A colleague has this conversation; `nurse` says who."""

    def __init__(self, nurse: str) -> None:
        super().__init__(nurse)
        self.nurse = nurse


class NotTaken(Exception):
    """Answering needs taking it first, so that two people (or the bot) never answer at once."""


def take(db: sa.Connection, contact_id: int, by: str) -> None:
    """Make it mine. Of two who press at once one gets it.

    Raises:
        TakenByAnother: somebody else has it.
        LookupError: there is no such conversation.
    """
    row = desk.lock(db, contact_id)
    if row is None:
        raise LookupError(contact_id)
    if row.owner == "human" and row.nurse != by:
        raise TakenByAnother(row.nurse)
    conversations.move(db, contact_id, owner="human", nurse=by)


def pass_on(db: sa.Connection, contact_id: int, to: str) -> None:
    """Give it to a colleague, whoever has it now.

    Raises:
        LookupError: there is no such conversation.
    """
    if desk.lock(db, contact_id) is None:
        raise LookupError(contact_id)
    conversations.move(db, contact_id, owner="human", nurse=to)


def reply(
    db: sa.Connection,
    contact_id: int,
    by: str,
    text: str,
    now: datetime,
    key: str,
    not_before: datetime | None = None,
) -> int | None:
    """Answer the patient, at `not_before` or now; the letter's number. The same `key` twice is one answer.

    Raises:
        NotTaken: the conversation is not `by`'s.
        LookupError: there is no such conversation.
    """
    row = desk.lock(db, contact_id)
    if row is None:
        raise LookupError(contact_id)
    if row.owner != "human" or row.nurse != by:
        raise NotTaken
    letter = Letter(
        key=f"nurse:{contact_id}:{key}",
        purpose=Purpose.TRANSACTION,
        text=text,
        not_before=not_before or now,
        contact_id=contact_id,
        author=by,
    )
    return letters.put(db, letter, now)


def release(db: sa.Connection, contact_id: int, by: str, wording: Wording, now: datetime) -> None:
    """Hand it back to the bot, and tell the patient.

    Raises:
        TakenByAnother: it is somebody else's.
        LookupError: there is no such conversation.
    """
    row = desk.lock(db, contact_id)
    if row is None:
        raise LookupError(contact_id)
    if row.owner == "human" and row.nurse != by:
        raise TakenByAnother(row.nurse)
    if row.owner == "bot":
        return
    conversations.move(
        db,
        contact_id,
        owner="bot",
        nurse="",
        waiting_since=None,
        queue_notice_at=None,
        handover=None,
        forms=None,
    )
    language = Language(conversations.language_of(db, contact_id) or Language.SIMPLIFIED)
    letter = Letter(
        key=f"released:{contact_id}:{now.isoformat()}",
        purpose=Purpose.TRANSACTION,
        text=wording.text(say("person/released"), language),
        not_before=now,
        contact_id=contact_id,
    )
    letters.put(db, letter, now)
