"""What staff keep beside a conversation: notes, drafts, snoozes, calls, views; and how its words are found."""

from __future__ import annotations

import sqlalchemy as sa

from storage.tables.base import maybe_moment, metadata, moment, row_id, text
from storage.types import SealedJSON, SealedText

desk_notes = sa.Table(
    "desk_notes",
    metadata,
    row_id(),
    sa.Column("contact_id", sa.ForeignKey("contacts.id"), nullable=False, index=True),
    moment("at"),
    text("kind", default="note"),  # note, call, event
    text("author"),
    sa.Column("text", SealedText("desk_notes.text"), nullable=False),
    comment="Never seen by patients.",
)

desk_mentions = sa.Table(
    "desk_mentions",
    metadata,
    row_id(),
    sa.Column("note_id", sa.ForeignKey("desk_notes.id"), nullable=False, index=True),
    sa.Column("contact_id", sa.ForeignKey("contacts.id"), nullable=False, index=True),
    sa.Column("user_name", sa.ForeignKey("users.name"), nullable=False),
    maybe_moment("seen_at"),
    sa.Index("ix_desk_mentions_user_name_seen_at", "user_name", "seen_at"),
)

desk_drafts = sa.Table(
    "desk_drafts",
    metadata,
    sa.Column("contact_id", sa.ForeignKey("contacts.id"), primary_key=True),
    sa.Column("user_name", sa.ForeignKey("users.name"), primary_key=True),
    text("mode", default="reply"),  # reply, note, call
    sa.Column("text", SealedText("desk_drafts.text"), nullable=False),
    moment("changed_at"),
)

snoozes = sa.Table(
    "snoozes",
    metadata,
    sa.Column("contact_id", sa.ForeignKey("contacts.id"), primary_key=True),
    moment("since"),
    moment("until", index=True),
    text("by"),
    text("afterwards"),  # release: back to the bot at that hour
)

# What a colleague did a moment ago, and how everything stood before: pressing 撤销 brings it back.
desk_undos = sa.Table(
    "desk_undos",
    metadata,
    row_id(),
    text("user_name"),
    moment("at", index=True),
    text("label"),
    sa.Column("before", SealedJSON("desk_undos.before"), nullable=False),
)

snippets = sa.Table(
    "snippets",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    text("text"),
    text("kind", default="answer"),  # answer (/), care (;)
    sa.Column("active", sa.Boolean, nullable=False, server_default=sa.true()),
    text("changed_by"),
    moment("changed_at"),
    comment="Answers at hand that colleagues wrote, or that stand in for one of snippets.toml.",
)

viewers = sa.Table(
    "viewers",
    metadata,
    sa.Column("contact_id", sa.ForeignKey("contacts.id"), primary_key=True),
    sa.Column("user_name", sa.ForeignKey("users.name"), primary_key=True),
    moment("seen_at"),
)

saved_views = sa.Table(
    "saved_views",
    metadata,
    row_id(),
    sa.Column("user_name", sa.ForeignKey("users.name"), nullable=False, index=True),
    text("name"),
    text("query"),  # the URL's, without the question mark
)

call_attempts = sa.Table(
    "call_attempts",
    metadata,
    row_id(),
    sa.Column("task_id", sa.ForeignKey("tasks.id"), nullable=False, index=True),
    moment("at"),
    text("by"),
    text("outcome"),
    sa.Column("note", SealedText("call_attempts.note"), nullable=True),
    sa.Column("answers", SealedJSON("call_attempts.answers"), nullable=True),
    sa.Index("ix_call_attempts_at", "at"),
)

leads = sa.Table(
    "leads",
    metadata,
    row_id(),
    moment("at"),
    sa.Column("phone", SealedText("leads.phone"), nullable=False),
    sa.Column("phone_index", sa.Text, nullable=False, index=True),
    sa.Column("name", SealedText("leads.name"), nullable=True),
    sa.Column("note", SealedText("leads.note"), nullable=True),
    text("by"),
    text("stage", default="new"),  # new, contacted, booked, lost
    maybe_moment("next_at"),
)

# Two characters in a row, as a keyed fingerprint: texts are sealed, and must still be found.
search_grams = sa.Table(
    "search_grams",
    metadata,
    sa.Column("gram", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("contact_id", sa.ForeignKey("contacts.id"), primary_key=True),
)

import_runs = sa.Table(
    "import_runs",
    metadata,
    row_id(),
    moment("at"),
    text("by"),
    sa.Column("only_checks", sa.Boolean, nullable=False, server_default=sa.false()),
    text("state", default="waiting"),  # waiting, reading, refused, checked, done, failed
    text("file"),  # being read
    sa.Column("read", sa.BigInteger, nullable=False, server_default="0"),  # bytes
    sa.Column("total", sa.BigInteger, nullable=False, server_default="0"),
    text("counts"),  # JSON: file → rows
    text("faults"),  # JSON: [file, line, column, reason]; never what stood in the cell
    text("strangers"),  # JSON: files that belong to nothing
    maybe_moment("ended_at"),
    comment="Imports that were begun in the browser.",
)
