"""Dates and times in a text, relative to an injected moment."""

from __future__ import annotations

from datetime import datetime

from bot.language.meaning import When

__all__ = ["read_when"]


def read_when(text: str, now: datetime) -> tuple[When, ...]:
    """The dates and times named in normalised *text*, in its order; *now* is aware, in the hospital's zone."""
    return ()
