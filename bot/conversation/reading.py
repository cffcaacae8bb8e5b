"""Reading a message for what it means, with what we know: the patient's facts, the last minute, our own texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from bot.conversation.knowledge import Knowledge
from bot.conversation.writer import Writer
from bot.domain.language import Language
from bot.domain.words import say
from bot.language.meaning import Context, Meaning, Urgency
from bot.language.red_flags import Lexicon
from bot.language.red_flags.own_texts import fingerprint
from bot.language.understand import Understanding
from bot.outbox.wording import Wording
from storage.queries import alerts

PIECE = 15  # characters; longer messages are sentences of their own
FRAGMENTS = frozenset(
    {"unknown", "greeting.chitchat", "health.consult", "medication.postop", "triage.recommend", "emergency"}
)
AGAIN = timedelta(hours=24)  # the same symptom twice in it is graver (safety.md §1)
WARNINGS = ("emergency", "urgent", "same_day", "self_harm", "known")  # patients forward these to each other
GRAVE = (Urgency.EMERGENCY, Urgency.URGENT)


class Reading:
    """Reads messages of one hospital, as it was last imported."""

    def __init__(
        self,
        knowledge: Knowledge,
        wording: Wording,
        *,
        lexicon: Lexicon | None = None,
        examples: Path | None = None,
    ) -> None:
        self._understanding = Understanding(knowledge.vocabulary, lexicon, examples)
        self._own_texts = frozenset(
            fingerprint(wording.text(say(f"red_flag/{name}"), language))
            for name in WARNINGS
            for language in Language
        )

    def plainly(self, text: str, now: datetime) -> Meaning:
        """The text alone, for when nothing else can be asked."""
        return self._understanding.read(text, now, own_texts=self._own_texts)

    def read(self, db: sa.Connection, text: str, now: datetime, writer: Writer) -> Meaning:
        """The text, by somebody of whom we know something; *now* is on the hospital's clock."""
        meaning = self._understanding.read(text, now, writer.context, self._own_texts)
        if meaning.red_flags.flags:
            seen = alerts.concepts_since(db, writer.contact.id, now - AGAIN)
            if seen & {flag.concept for flag in meaning.red_flags.flags}:
                again = replace(writer.context, seen_within_24_hours=seen)
                meaning = self._understanding.read(text, now, again, self._own_texts)
        clear = meaning.intent not in FRAGMENTS
        if clear or len(text) > PIECE or meaning.red_flags.urgency in GRAVE:
            return meaning
        return self._together(meaning, writer.earlier, text, writer.context)

    def _together(self, meaning: Meaning, earlier: Sequence[str], text: str, context: Context) -> Meaning:
        """The danger that only the last messages together tell; what they told before has been answered."""
        pieces = [piece for piece in earlier if len(piece) <= PIECE]
        before = "".join(pieces)
        if not before:
            return meaning
        flags = self._understanding.danger(before + text, context, self._own_texts)
        if flags.urgency not in GRAVE:
            return meaning
        told = self._understanding.danger(before, context, self._own_texts).urgency in GRAVE
        return meaning if told else replace(meaning, red_flags=flags)
