"""Points, purchases and gifts: ledgers, in whole points and whole cents."""

from __future__ import annotations

import sqlalchemy as sa

from storage.tables.base import maybe_moment, metadata, moment, row_id, text

points_entries = sa.Table(
    "points_entries",
    metadata,
    row_id(),
    sa.Column("code", sa.Text, nullable=True, unique=True),  # points.csv's, a purchase's or a refund's
    sa.Column("patient_code", sa.ForeignKey("patients.code"), nullable=False, index=True),
    moment("at"),
    sa.Column("change", sa.BigInteger, nullable=False),
    text("reason"),
)

purchases = sa.Table(
    "purchases",
    metadata,
    sa.Column("code", sa.Text, primary_key=True),
    sa.Column("patient_code", sa.ForeignKey("patients.code"), nullable=False, index=True),
    sa.Column("amount_cents", sa.BigInteger, nullable=False),
    moment("at"),
    sa.Column("earned", sa.BigInteger, nullable=False),
    sa.Column("refunded_cents", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("taken_back", sa.BigInteger, nullable=False, server_default="0"),
)

refunds = sa.Table(
    "refunds",
    metadata,
    sa.Column("code", sa.Text, primary_key=True),
    sa.Column("purchase_code", sa.ForeignKey("purchases.code"), nullable=False),
    sa.Column("amount_cents", sa.BigInteger, nullable=False),
    moment("at"),
    sa.Column("taken_back", sa.BigInteger, nullable=False),
    # How much of it is in the ledger: points that were spent already are owed.
    sa.Column("recovered", sa.BigInteger, nullable=False, server_default="0"),
)

point_transfers = sa.Table(
    "point_transfers",
    metadata,
    row_id(),
    sa.Column("giver_code", sa.ForeignKey("patients.code"), nullable=False, index=True),
    sa.Column("receiver_code", sa.ForeignKey("patients.code"), nullable=False, index=True),
    sa.Column("giver_contact_id", sa.ForeignKey("contacts.id"), nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    text("status", default="reserved"),  # reserved, accepted, refused, expired
    moment("created_at"),
    moment("expires_at"),
    maybe_moment("settled_at"),
    sa.Index("ix_point_transfers_status_expires_at", "status", "expires_at"),
)

gifts = sa.Table(
    "gifts",
    metadata,
    sa.Column("code", sa.Text, primary_key=True),
    text("name"),
    sa.Column("points", sa.BigInteger, nullable=False),
    sa.Column("cash_cents", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("stock", sa.Integer, nullable=False),
)

redemptions = sa.Table(
    "redemptions",
    metadata,
    row_id(),
    sa.Column("number", sa.Text, nullable=True, unique=True),  # DH…
    sa.Column("patient_code", sa.ForeignKey("patients.code"), nullable=False, index=True),
    sa.Column("gift_code", sa.ForeignKey("gifts.code"), nullable=False),
    sa.Column("points", sa.BigInteger, nullable=False),
    sa.Column("cash_cents", sa.BigInteger, nullable=False),
    text("status", default="registered"),  # registered, collected, cancelled
    moment("at"),
)
