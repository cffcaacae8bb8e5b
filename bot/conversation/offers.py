"""A question we put to somebody of ourselves: a freed place, points from a friend.

The letter that asks it goes through the outbox; the open question waits here, so that "1" is understood.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
import sqlalchemy as sa

from bot.conversation import frames
from bot.conversation.turn import Choice
from bot.domain.words import Say
from storage.queries import conversations


def put_question(
    db: sa.Connection,
    contact_id: int,
    *,
    form: str,
    step: str,
    draft: msgspec.Struct,
    question: Say,
    choices: Sequence[Choice] = (),
    patient: str | None = None,
    until: datetime,
) -> None:
    """Leave a question open for somebody until then. A dialogue that is going on comes first."""
    open_frames = frames.load(conversations.open_forms(db, contact_id))
    mine = frames.Frame(
        form=form,
        step=step,
        draft=msgspec.to_builtins(draft),
        patient=patient,
        question=[question],
        choices=list(choices),
        until=until,
    )
    conversations.move(db, contact_id, forms=frames.keep([mine, *open_frames]))
