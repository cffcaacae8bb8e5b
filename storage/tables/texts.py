"""What the hospital itself wrote instead of the texts that ship."""

from __future__ import annotations

import sqlalchemy as sa

from storage.tables.base import maybe_moment, metadata, moment, row_id, text

message_texts = sa.Table(
    "message_texts",
    metadata,
    row_id(),
    sa.Column("template", sa.Text, nullable=False),  # greeting/birthday
    sa.Column("language", sa.Text, nullable=False),  # zh-Hans, zh-Hant, en
    sa.Column("source", sa.Text, nullable=True),  # none: the text that ships, again
    text("state", default="draft"),  # draft, live (the newest of them counts), refused
    text("written_by"),
    moment("written_at"),
    text("decided_by"),
    maybe_moment("decided_at"),
    text("note"),  # why it was written, or refused
    sa.Index("ix_message_texts_template_language", "template", "language"),
    sa.Index("ix_message_texts_state", "state"),
    comment="Versions of patients' texts. Nothing is ever changed or deleted: a rollback is a new version.",
)
