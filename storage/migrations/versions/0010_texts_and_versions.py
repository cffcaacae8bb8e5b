"""Texts in the hospital's own words, and what was approved.

Staff write patients' texts without a developer, in versions. Of a broadcast every version that was written or approved
is kept, so that whoever approves sees what changed since.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010_texts_and_versions"
down_revision = "0009_console_language"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "message_texts",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), server_default="draft", nullable=False),
        sa.Column("written_by", sa.Text(), server_default="", nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Text(), server_default="", nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message_texts")),
        comment="Versions of patients' texts. Nothing is ever changed or deleted: a rollback is a new version.",
    )
    with op.batch_alter_table("message_texts", schema=None) as batch_op:
        batch_op.create_index("ix_message_texts_state", ["state"], unique=False)
        batch_op.create_index("ix_message_texts_template_language", ["template", "language"], unique=False)

    op.create_table(
        "broadcast_versions",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("broadcast_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Text(), server_default="", nullable=False),
        sa.Column("event", sa.Text(), server_default="", nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["broadcast_id"], ["broadcasts.id"], name=op.f("fk_broadcast_versions_broadcast_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_broadcast_versions")),
        comment="What a broadcast said when somebody wrote or approved it.",
    )
    with op.batch_alter_table("broadcast_versions", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_broadcast_versions_broadcast_id"), ["broadcast_id"], unique=False
        )

    with op.batch_alter_table("broadcasts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("broadcasts", schema=None) as batch_op:
        batch_op.drop_column("submitted_at")

    with op.batch_alter_table("broadcast_versions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_broadcast_versions_broadcast_id"))

    op.drop_table("broadcast_versions")
    with op.batch_alter_table("message_texts", schema=None) as batch_op:
        batch_op.drop_index("ix_message_texts_template_language")
        batch_op.drop_index("ix_message_texts_state")

    op.drop_table("message_texts")
