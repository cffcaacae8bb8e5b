"""Messages to many.

Broadcasts with their audience as it stood at the start, calls that many letters share, the switch that stops
everything that is neither an alarm nor an answer, and our tags on the platform.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008_broadcasts"
down_revision = "0007_console"
branch_labels = None
depends_on = None

OF_A_BROADCAST = sa.text("plan LIKE 'broadcast:%'")


def upgrade() -> None:
    op.create_table(
        "broadcast_members",
        sa.Column(
            "broadcast_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("patient_code", sa.Text(), nullable=False),
        sa.Column("contact_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("verdict", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("broadcast_id", "patient_code", name=op.f("pk_broadcast_members")),
        comment="The audience as it stood when the broadcast began.",
    )
    op.create_table(
        "broadcasts",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("purpose", sa.Text(), server_default="", nullable=False),
        sa.Column("text", sa.Text(), server_default="", nullable=False),
        sa.Column("segment", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), server_default="draft", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("created_by", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_by", sa.Text(), server_default="", nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approved_hash", sa.Text(), server_default="", nullable=False),
        sa.Column("scheduled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_by", sa.Text(), server_default="", nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cursor", sa.Text(), server_default="", nullable=False),
        sa.Column("queued", sa.Integer(), server_default="0", nullable=False),
        sa.Column("canary", sa.Integer(), server_default="0", nullable=False),
        sa.Column("canary_passed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hold_out", sa.Integer(), server_default="0", nullable=False),
        sa.Column("pace", sa.Integer(), server_default="0", nullable=False),
        sa.Column("licence", sa.Text(), server_default="", nullable=False),
        sa.Column("licence_until", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_broadcasts")),
    )
    with op.batch_alter_table("broadcasts", schema=None) as batch_op:
        batch_op.create_index("ix_broadcasts_state", ["state"], unique=False)

    op.create_table(
        "mass_jobs",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("channel", sa.Text(), server_default="", nullable=False),
        sa.Column("account", sa.Text(), server_default="", nullable=False),
        sa.Column("plan", sa.Text(), server_default="", nullable=False),
        sa.Column("client_id", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), server_default="made", nullable=False),
        sa.Column("platform_id", sa.Text(), server_default="", nullable=False),
        sa.Column("status", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recipients", sa.Integer(), server_default="0", nullable=False),
        sa.Column("filtered", sa.Integer(), nullable=True),
        sa.Column("sent", sa.Integer(), nullable=True),
        sa.Column("errors", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mass_jobs")),
        comment="One call to a platform that many letters share.",
    )
    with op.batch_alter_table("mass_jobs", schema=None) as batch_op:
        batch_op.create_index("ix_mass_jobs_account_platform_id", ["account", "platform_id"], unique=False)
        batch_op.create_index("ix_mass_jobs_state", ["state"], unique=False)

    op.create_table(
        "platform_tags",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", "name", name=op.f("pk_platform_tags")),
    )
    op.create_table(
        "switches",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("is_on", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("by", sa.Text(), server_default="", nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_switches")),
    )
    op.create_table(
        "platform_taggings",
        sa.Column("contact_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contacts.id"], name=op.f("fk_platform_taggings_contact_id")
        ),
        sa.PrimaryKeyConstraint("contact_id", "name", name=op.f("pk_platform_taggings")),
        comment="Which users wear which tag on the platform, as far as we told it.",
    )
    op.create_index(
        "ix_letters_plan_state",
        "letters",
        ["plan", "state"],
        sqlite_where=OF_A_BROADCAST,
        postgresql_where=OF_A_BROADCAST,
    )


def downgrade() -> None:
    op.drop_index("ix_letters_plan_state", table_name="letters")

    op.drop_table("platform_taggings")
    op.drop_table("switches")
    op.drop_table("platform_tags")
    with op.batch_alter_table("mass_jobs", schema=None) as batch_op:
        batch_op.drop_index("ix_mass_jobs_state")
        batch_op.drop_index("ix_mass_jobs_account_platform_id")

    op.drop_table("mass_jobs")
    with op.batch_alter_table("broadcasts", schema=None) as batch_op:
        batch_op.drop_index("ix_broadcasts_state")

    op.drop_table("broadcasts")
    op.drop_table("broadcast_members")
