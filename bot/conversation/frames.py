"""The open forms of a conversation, as they are kept between two messages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from bot.conversation.turn import Choice
from bot.domain.words import Say


class Frame(msgspec.Struct, kw_only=True):
    """One open form. New fields need defaults: frames saved before a release must load after it."""

    form: str
    step: str
    draft: dict[str, Any] = {}
    patient: str | None = None  # code of the patient it is about
    question: list[Say] = []
    choices: list[Choice] = []
    tries: int = 0  # how often in a row the answer was not understood
    until: datetime | None = None  # a question we asked of ourselves: it outlives a silent dialogue


def load(kept: Any) -> list[Frame]:
    """The frames, innermost last."""
    return msgspec.convert(kept or [], list[Frame])


def keep(frames: Sequence[Frame]) -> Any:
    """JSON values for the database; None when nothing is open."""
    return msgspec.to_builtins(frames) if frames else None
