"""The desk.

A complaint's clock can stand still, others than we may settle it, its cause is counted and something is done about
it. Tags say of what kind they are and how we know. What a colleague did can be undone for a while, and answers at
hand are written in the console.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011_desk"
down_revision = "0010_texts_and_versions"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "desk_undos",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("user_name", sa.Text(), server_default="", nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("label", sa.Text(), server_default="", nullable=False),
        sa.Column("before", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_undos")),
    )
    with op.batch_alter_table("desk_undos", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_desk_undos_at"), ["at"], unique=False)

    op.create_table(
        "snippets",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), server_default="", nullable=False),
        sa.Column("kind", sa.Text(), server_default="answer", nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("changed_by", sa.Text(), server_default="", nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_snippets")),
        comment="Answers at hand that colleagues wrote, or that stand in for one of snippets.toml.",
    )
    op.create_table(
        "ticket_actions",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("ticket_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("author", sa.Text(), server_default="", nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("owner", sa.Text(), server_default="", nullable=False),
        sa.Column("due", sa.Date(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("effect", sa.LargeBinary(), nullable=True),
        sa.Column("check_on", sa.Date(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_actions_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_actions")),
        comment="Corrective actions: who does what by when, and whether it helped.",
    )
    with op.batch_alter_table("ticket_actions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ticket_actions_ticket_id"), ["ticket_id"], unique=False)

    with op.batch_alter_table("patient_tags", schema=None) as batch_op:
        batch_op.add_column(sa.Column("kind", sa.Text(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("evidence", sa.LargeBinary(), nullable=True))

    with op.batch_alter_table("snoozes", schema=None) as batch_op:
        batch_op.add_column(sa.Column("afterwards", sa.Text(), server_default="", nullable=False))

    with op.batch_alter_table("tickets", schema=None) as batch_op:
        batch_op.add_column(sa.Column("department_code", sa.Text(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("doctor_code", sa.Text(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("cause", sa.Text(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("legal", sa.Text(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("closed_as", sa.Text(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("quality", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("tickets", schema=None) as batch_op:
        batch_op.drop_column("quality")
        batch_op.drop_column("closed_as")
        batch_op.drop_column("closed_at")
        batch_op.drop_column("legal")
        batch_op.drop_column("paused_at")
        batch_op.drop_column("cause")
        batch_op.drop_column("doctor_code")
        batch_op.drop_column("department_code")

    with op.batch_alter_table("snoozes", schema=None) as batch_op:
        batch_op.drop_column("afterwards")

    with op.batch_alter_table("patient_tags", schema=None) as batch_op:
        batch_op.drop_column("evidence")
        batch_op.drop_column("kind")

    with op.batch_alter_table("ticket_actions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ticket_actions_ticket_id"))

    op.drop_table("ticket_actions")
    op.drop_table("snippets")
    with op.batch_alter_table("desk_undos", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_desk_undos_at"))

    op.drop_table("desk_undos")
