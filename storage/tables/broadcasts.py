"""Messages to many: what was written and approved, whom it is for, and what was handed to the platforms in one piece."""

from __future__ import annotations

import sqlalchemy as sa

from storage.tables.base import BigId, maybe_moment, metadata, moment, row_id, text

broadcasts = sa.Table(
    "broadcasts",
    metadata,
    row_id(),
    text("purpose"),  # care, greeting, marketing
    text("text"),
    text("segment"),  # JSON, see bot.hospital.segments
    text("state", default="draft"),  # draft, approved, running, paused, stopped, finished
    text("reason"),  # of a pause or a stop
    text("created_by"),
    moment("created_at"),
    maybe_moment("submitted_at"),  # the writer asked somebody to look at it
    text("approved_by"),
    maybe_moment("approved_at"),
    text("approved_hash"),  # of exactly what was approved: an edit afterwards needs a new approval
    maybe_moment("scheduled_at"),  # starts by itself then
    maybe_moment("started_at"),
    text("started_by"),
    maybe_moment("ended_at"),
    text("cursor"),  # the last patient whose letter is in the outbox
    sa.Column("queued", sa.Integer, nullable=False, server_default="0"),  # letters in the outbox so far
    sa.Column("canary", sa.Integer, nullable=False, server_default="0"),  # so many first, and a look at them
    maybe_moment("canary_passed_at"),
    sa.Column("hold_out", sa.Integer, nullable=False, server_default="0"),  # per cent who get nothing
    sa.Column("pace", sa.Integer, nullable=False, server_default="0"),  # letters a minute; 0: no limit
    text("licence"),  # the number of the 医疗广告审查证明, where the text needs one
    sa.Column("licence_until", sa.Date, nullable=True),
    sa.Index("ix_broadcasts_state", "state"),
)

broadcast_members = sa.Table(
    "broadcast_members",
    metadata,
    # No foreign keys: a million rows are written at once, out of the very tables they would point to.
    sa.Column("broadcast_id", BigId, primary_key=True, autoincrement=False),
    sa.Column("patient_code", sa.Text, primary_key=True),
    sa.Column("contact_id", BigId, nullable=True),  # who reads it
    text("verdict"),  # why nothing is sent; empty: a letter is
    comment="The audience as it stood when the broadcast began.",
)

broadcast_versions = sa.Table(
    "broadcast_versions",
    metadata,
    row_id(),
    sa.Column("broadcast_id", sa.ForeignKey("broadcasts.id"), nullable=False, index=True),
    moment("at"),
    text("by"),
    text("event"),  # written, approved
    sa.Column("content", sa.JSON, nullable=False),  # everything that an approval is about
    comment="What a broadcast said when somebody wrote or approved it.",
)

mass_jobs = sa.Table(
    "mass_jobs",
    metadata,
    row_id(),
    text("channel"),  # mass, wecom_mass
    text("account"),
    text("plan"),
    text("client_id"),  # ours: the platform knows a repetition by it
    text("state", default="made"),  # made, accepted, finished, failed
    text("platform_id"),  # theirs
    text("status"),  # as the platform put it
    moment("created_at"),
    maybe_moment("claimed_until"),  # on the machines' clock
    maybe_moment("accepted_at"),
    maybe_moment("finished_at"),
    sa.Column("recipients", sa.Integer, nullable=False, server_default="0"),
    sa.Column("filtered", sa.Integer, nullable=True),  # left after the platform's own filters
    sa.Column("sent", sa.Integer, nullable=True),
    sa.Column("errors", sa.Integer, nullable=True),
    sa.Index("ix_mass_jobs_state", "state"),
    sa.Index("ix_mass_jobs_account_platform_id", "account", "platform_id"),
    comment="One call to a platform that many letters share.",
)

switches = sa.Table(
    "switches",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),  # stop_all
    sa.Column("is_on", sa.Boolean, nullable=False, server_default=sa.false()),
    text("by"),
    moment("at"),
)

platform_tags = sa.Table(
    "platform_tags",
    metadata,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),  # ours, of patient_tags
    sa.Column("number", sa.BigInteger, nullable=False),  # the platform's
)

platform_taggings = sa.Table(
    "platform_taggings",
    metadata,
    sa.Column("contact_id", sa.ForeignKey("contacts.id"), primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    comment="Which users wear which tag on the platform, as far as we told it.",
)
