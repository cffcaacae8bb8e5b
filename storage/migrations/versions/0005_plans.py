"""Plans over time.

Who follows which plan because of which episode, every contact the plan owes (a touch), and a ledger that says
why each of them went out or did not.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005_plans"
down_revision = "0004_binding_scope"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "plan_instances",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("patient_code", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("episode", sa.Text(), nullable=False),
        sa.Column("anchor_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("label", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), server_default="running", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("silent", sa.Integer(), server_default="0", nullable=False),
        sa.Column("moves", sa.Integer(), server_default="0", nullable=False),
        sa.Column("planned_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["patient_code"], ["patients.code"], name=op.f("fk_plan_instances_patient_code")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_instances")),
        sa.UniqueConstraint(
            "patient_code", "plan", "episode", name=op.f("uq_plan_instances_patient_code_plan_episode")
        ),
    )
    with op.batch_alter_table("plan_instances", schema=None) as batch_op:
        batch_op.create_index("ix_plan_instances_episode", ["episode"], unique=False)
        batch_op.create_index("ix_plan_instances_plan_state", ["plan", "state"], unique=False)
        batch_op.create_index(
            "ix_plan_instances_state_planned_until", ["state", "planned_until"], unique=False
        )

    op.create_table(
        "plan_decisions",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("instance_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("touch_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decision", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["instance_id"], ["plan_instances.id"], name=op.f("fk_plan_decisions_instance_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_decisions")),
    )
    with op.batch_alter_table("plan_decisions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_plan_decisions_instance_id"), ["instance_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_plan_decisions_touch_id"), ["touch_id"], unique=False)

    op.create_table(
        "touches",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("instance_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("patient_code", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), server_default="", nullable=False),
        sa.Column("occurrence", sa.Integer(), server_default="0", nullable=False),
        sa.Column("purpose", sa.Text(), server_default="", nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("questions", sa.Text(), server_default="", nullable=False),
        sa.Column("place", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("useful_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), server_default="planned", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("asks", sa.Integer(), server_default="0", nullable=False),
        sa.Column("unclear", sa.Integer(), server_default="0", nullable=False),
        sa.Column("contact_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answers", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name=op.f("fk_touches_contact_id")),
        sa.ForeignKeyConstraint(["instance_id"], ["plan_instances.id"], name=op.f("fk_touches_instance_id")),
        sa.ForeignKeyConstraint(["patient_code"], ["patients.code"], name=op.f("fk_touches_patient_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_touches")),
        sa.UniqueConstraint("key", name=op.f("uq_touches_key")),
    )
    with op.batch_alter_table("touches", schema=None) as batch_op:
        batch_op.create_index("ix_touches_contact_id_asked_at", ["contact_id", "asked_at"], unique=False)
        batch_op.create_index(
            "ix_touches_due",
            ["due_at", "id"],
            unique=False,
            sqlite_where=sa.text("state IN ('planned', 'asked')"),
            postgresql_where=sa.text("state IN ('planned', 'asked')"),
        )
        batch_op.create_index(batch_op.f("ix_touches_instance_id"), ["instance_id"], unique=False)
        batch_op.create_index("ix_touches_patient_code_asked_at", ["patient_code", "asked_at"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("touches", schema=None) as batch_op:
        batch_op.drop_index("ix_touches_patient_code_asked_at")
        batch_op.drop_index(batch_op.f("ix_touches_instance_id"))
        batch_op.drop_index(
            "ix_touches_due",
            sqlite_where=sa.text("state IN ('planned', 'asked')"),
            postgresql_where=sa.text("state IN ('planned', 'asked')"),
        )
        batch_op.drop_index("ix_touches_contact_id_asked_at")

    op.drop_table("touches")
    with op.batch_alter_table("plan_decisions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_plan_decisions_touch_id"))
        batch_op.drop_index(batch_op.f("ix_plan_decisions_instance_id"))

    op.drop_table("plan_decisions")
    with op.batch_alter_table("plan_instances", schema=None) as batch_op:
        batch_op.drop_index("ix_plan_instances_state_planned_until")
        batch_op.drop_index("ix_plan_instances_plan_state")
        batch_op.drop_index("ix_plan_instances_episode")

    op.drop_table("plan_instances")
