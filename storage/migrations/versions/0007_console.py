"""What staff keep beside a conversation.

Notes with mentions, drafts, snoozes, who is looking, tries to call, new leads, saved views; keyed fingerprints by
which sealed texts are found; and whose patients a console user may see.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007_console"
down_revision = "0006_report_notices"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "leads",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("phone", sa.LargeBinary(), nullable=False),
        sa.Column("phone_index", sa.Text(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=True),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.Column("by", sa.Text(), server_default="", nullable=False),
        sa.Column("stage", sa.Text(), server_default="new", nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leads")),
    )
    with op.batch_alter_table("leads", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_leads_phone_index"), ["phone_index"], unique=False)

    op.create_table(
        "desk_drafts",
        sa.Column("contact_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), server_default="reply", nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name=op.f("fk_desk_drafts_contact_id")),
        sa.ForeignKeyConstraint(["user_name"], ["users.name"], name=op.f("fk_desk_drafts_user_name")),
        sa.PrimaryKeyConstraint("contact_id", "user_name", name=op.f("pk_desk_drafts")),
    )
    op.create_table(
        "desk_notes",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("contact_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.Text(), server_default="note", nullable=False),
        sa.Column("author", sa.Text(), server_default="", nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name=op.f("fk_desk_notes_contact_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_notes")),
        comment="Never seen by patients.",
    )
    with op.batch_alter_table("desk_notes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_desk_notes_contact_id"), ["contact_id"], unique=False)

    op.create_table(
        "saved_views",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("query", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["user_name"], ["users.name"], name=op.f("fk_saved_views_user_name")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_views")),
    )
    with op.batch_alter_table("saved_views", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_saved_views_user_name"), ["user_name"], unique=False)

    op.create_table(
        "search_grams",
        sa.Column("gram", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("contact_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name=op.f("fk_search_grams_contact_id")),
        sa.PrimaryKeyConstraint("gram", "contact_id", name=op.f("pk_search_grams")),
    )
    op.create_table(
        "snoozes",
        sa.Column("contact_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name=op.f("fk_snoozes_contact_id")),
        sa.PrimaryKeyConstraint("contact_id", name=op.f("pk_snoozes")),
    )
    with op.batch_alter_table("snoozes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_snoozes_until"), ["until"], unique=False)

    op.create_table(
        "viewers",
        sa.Column("contact_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name=op.f("fk_viewers_contact_id")),
        sa.ForeignKeyConstraint(["user_name"], ["users.name"], name=op.f("fk_viewers_user_name")),
        sa.PrimaryKeyConstraint("contact_id", "user_name", name=op.f("pk_viewers")),
    )
    op.create_table(
        "call_attempts",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("task_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Text(), server_default="", nullable=False),
        sa.Column("outcome", sa.Text(), server_default="", nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.Column("answers", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_call_attempts_task_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_attempts")),
    )
    with op.batch_alter_table("call_attempts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_call_attempts_task_id"), ["task_id"], unique=False)

    op.create_table(
        "desk_mentions",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("note_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("contact_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name=op.f("fk_desk_mentions_contact_id")),
        sa.ForeignKeyConstraint(["note_id"], ["desk_notes.id"], name=op.f("fk_desk_mentions_note_id")),
        sa.ForeignKeyConstraint(["user_name"], ["users.name"], name=op.f("fk_desk_mentions_user_name")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_mentions")),
    )
    with op.batch_alter_table("desk_mentions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_desk_mentions_contact_id"), ["contact_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_desk_mentions_note_id"), ["note_id"], unique=False)
        batch_op.create_index("ix_desk_mentions_user_name_seen_at", ["user_name", "seen_at"], unique=False)

    with op.batch_alter_table("conversations", schema=None) as batch_op:
        batch_op.create_index("ix_conversations_spoke_at", ["spoke_at"], unique=False)

    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.add_column(sa.Column("totp_step", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("departments", sa.Text(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("accounts", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.drop_column("accounts")
        batch_op.drop_column("departments")
        batch_op.drop_column("totp_step")

    with op.batch_alter_table("conversations", schema=None) as batch_op:
        batch_op.drop_index("ix_conversations_spoke_at")

    with op.batch_alter_table("desk_mentions", schema=None) as batch_op:
        batch_op.drop_index("ix_desk_mentions_user_name_seen_at")
        batch_op.drop_index(batch_op.f("ix_desk_mentions_note_id"))
        batch_op.drop_index(batch_op.f("ix_desk_mentions_contact_id"))

    op.drop_table("desk_mentions")
    with op.batch_alter_table("call_attempts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_call_attempts_task_id"))

    op.drop_table("call_attempts")
    op.drop_table("viewers")
    with op.batch_alter_table("snoozes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_snoozes_until"))

    op.drop_table("snoozes")
    op.drop_table("search_grams")
    with op.batch_alter_table("saved_views", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_saved_views_user_name"))

    op.drop_table("saved_views")
    with op.batch_alter_table("desk_notes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_desk_notes_contact_id"))

    op.drop_table("desk_notes")
    op.drop_table("desk_drafts")
    with op.batch_alter_table("leads", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_leads_phone_index"))

    op.drop_table("leads")
