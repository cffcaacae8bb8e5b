"""Who works here, who is signed in, who is on duty, and what was looked at."""

from __future__ import annotations

import sqlalchemy as sa

from storage.tables.base import maybe_moment, metadata, moment, row_id, text
from storage.types import SealedText

users = sa.Table(
    "users",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    text("role"),  # nurse, agent, coordinator, marketing, manager, quality, admin, auditor
    text("password_hash"),
    sa.Column("totp_secret", SealedText("users.totp_secret"), nullable=True),
    text("wecom_userid"),
    sa.Column("phone", SealedText("users.phone"), nullable=True),
    sa.Column("active", sa.Boolean, nullable=False, server_default=sa.true()),
    moment("created_at"),
    sa.Column("totp_step", sa.BigInteger, nullable=True),  # of the last code used: none works twice
    text("departments"),  # whose patients they may see, codes separated by |; empty: every department's
    text("accounts"),  # the branches' accounts they answer, separated by |; empty: every account
    text("language", default="zh"),  # of their screens: zh, en
)

roster = sa.Table(
    "roster",
    metadata,
    row_id(),
    sa.Column("user_name", sa.ForeignKey("users.name"), nullable=False, index=True),
    moment("start_at"),
    moment("end_at"),
    text("post", default="nurse"),  # nurse, second_nurse, head_nurse, duty_officer, head_of_department
)

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("token_hash", sa.Text, primary_key=True),
    sa.Column("user_name", sa.ForeignKey("users.name"), nullable=False, index=True),
    moment("created_at"),
    moment("seen_at"),
    maybe_moment("ended_at"),
    text("agent"),
)

audit = sa.Table(
    "audit",
    metadata,
    row_id(),
    moment("at"),
    text("actor"),
    text("action"),
    text("object"),
    sa.Column("detail", SealedText("audit.detail"), nullable=True),
    text("previous"),  # the hash of the row before
    text("hash"),  # of this row and `previous`
)
