"""Letters owed to patients, and what the postman needs to deliver them."""

from __future__ import annotations

import sqlalchemy as sa

from storage.tables.base import maybe_moment, metadata, moment, row_id, text
from storage.types import SealedJSON, SealedText

# Letters that a colleague wrote. Queries spell it the same way, so that both databases use the index.
WRITTEN_BY_STAFF = "author NOT IN ('bot', 'plan', 'broadcast')"

letters = sa.Table(
    "letters",
    metadata,
    row_id(),
    sa.Column("key", sa.Text, nullable=False, unique=True),  # the reason; twice the reason is one letter
    sa.Column("contact_id", sa.ForeignKey("contacts.id"), nullable=True),
    sa.Column("patient_code", sa.ForeignKey("patients.code"), nullable=True, index=True),
    text("purpose"),  # alarm, transaction, care, survey, greeting, marketing
    text("plan"),
    text("step"),
    text("channel"),  # the route the postman took
    text("state", default="queued"),  # queued, sending, sent, delivered, expired, suppressed, failed
    text("reason"),
    sa.Column("priority", sa.Integer, nullable=False),  # lower goes first
    sa.Column("body", SealedJSON("letters.body"), nullable=False),  # text and facts, see domain.letter
    sa.Column(
        "address", SealedText("letters.address"), nullable=True
    ),  # a phone, for letters to nobody's openid
    # A keyed fingerprint of the address, to count what one receiver got.
    text("address_index"),
    text("author"),  # bot, plan, broadcast, or a console user
    moment("created_at"),
    moment("not_before"),
    maybe_moment("useful_until"),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("fence", sa.BigInteger, nullable=False, server_default="0"),  # grows with every claim
    maybe_moment("claimed_until"),  # on the machines' clock; none: nobody is at it
    text("tried"),  # the routes that did not work, separated by spaces
    sa.Column("parts_sent", sa.Integer, nullable=False, server_default="0"),  # of a text cut in several
    text("platform_id"),  # what the platform calls it, for its delivery event
    maybe_moment("sent_at"),  # when it was (first) handed to the platform
    sa.Index(
        "ix_letters_due",
        "priority",
        "not_before",
        "id",
        sqlite_where=sa.text("state = 'queued'"),
        postgresql_where=sa.text("state = 'queued'"),
    ),
    sa.Index("ix_letters_state_claimed_until", "state", "claimed_until"),
    sa.Index("ix_letters_contact_id_sent_at", "contact_id", "sent_at"),
    sa.Index("ix_letters_platform_id", "platform_id"),
    sa.Index(
        "ix_letters_plan_state",
        "plan",
        "state",
        sqlite_where=sa.text("plan LIKE 'broadcast:%'"),
        postgresql_where=sa.text("plan LIKE 'broadcast:%'"),
    ),
    sa.Index("ix_letters_address_index_sent_at", "address_index", "sent_at"),
    sa.Index(
        "ix_letters_written_by_staff",
        "sent_at",
        sqlite_where=sa.text(WRITTEN_BY_STAFF),
        postgresql_where=sa.text(WRITTEN_BY_STAFF),
    ),
)

platform_tokens = sa.Table(
    "platform_tokens",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),  # wechat/default, wecom/default, kf/default
    sa.Column("token", SealedText("platform_tokens.token"), nullable=True),
    maybe_moment("expires_at"),
    text("refreshed_by"),  # who is refreshing, so that only one does
    maybe_moment("refreshing_until"),
)

cursors = sa.Table(
    "cursors",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),  # kf/<open_kfid>
    text("value"),
)

leases = sa.Table(
    "leases",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    text("holder"),
    moment("until"),
)
