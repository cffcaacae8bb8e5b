"""What a person does with a conversation: take it, answer in it, hand it back. Nurse or bot, never both."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from bot.conversation import frames
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
        TakenByAnother: a colleague has it.
        NotTaken: nobody has.
        LookupError: there is no such conversation.
    """
    row = desk.lock(db, contact_id)
    if row is None:
        raise LookupError(contact_id)
    if row.owner == "human" and row.nurse != by:
        raise TakenByAnother(row.nurse)
    if row.owner != "human":
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


def release(
    db: sa.Connection,
    contact_id: int,
    by: str,
    wording: Wording,
    now: datetime,
    *,
    not_before: datetime | None = None,
    going_on: bool = False,
) -> str:
    """Hand it back to the bot, and tell the patient at `not_before` or now; the letter's key, empty: nothing to do.

    `going_on`: the bot asks again what was open when a person was called.

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
        return ""
    open_frames = frames.load((row.handover or {}).get("frames")) if going_on else []
    conversations.move(
        db,
        contact_id,
        owner="bot",
        nurse="",
        waiting_since=None,
        queue_notice_at=None,
        handover=None,
        forms=frames.keep(open_frames),
    )
    language = Language(conversations.language_of(db, contact_id) or Language.SIMPLIFIED)
    words = say("person/released")
    if open_frames:
        words = say("person/going_on", question=_question(open_frames[-1], wording, language))
    return _tell(
        db,
        contact_id,
        f"released:{contact_id}:{now.isoformat()}",
        wording.text(words, language),
        now,
        not_before,
    )


def watch(
    db: sa.Connection,
    contact_id: int,
    by: str,
    until: datetime,
    wording: Wording,
    now: datetime,
    not_before: datetime,
) -> str:
    """It stays `by`'s until then, and the patient knows who answers; the letter's key.

    Raises:
        NotTaken: the conversation is not `by`'s.
        LookupError: there is no such conversation.
    """
    row = desk.lock(db, contact_id)
    if row is None:
        raise LookupError(contact_id)
    if row.owner != "human" or row.nurse != by:
        raise NotTaken
    language = Language(conversations.language_of(db, contact_id) or Language.SIMPLIFIED)
    text = wording.text(say("person/watched", until=until.isoformat()), language)
    return _tell(db, contact_id, f"watched:{contact_id}:{now.isoformat()}", text, now, not_before)


def _question(frame: frames.Frame, wording: Wording, language: Language) -> str:
    """What is open, as it was asked."""
    parts = [wording.text(words, language) for words in frame.question]
    parts += [f"{number} {one.label}" for number, one in enumerate(frame.choices, 1)]
    return "\n".join(parts)


def _tell(
    db: sa.Connection, contact_id: int, key: str, text: str, now: datetime, not_before: datetime | None
) -> str:
    letter = Letter(
        key=key, purpose=Purpose.TRANSACTION, text=text, not_before=not_before or now, contact_id=contact_id
    )
    letters.put(db, letter, now)
    return key
