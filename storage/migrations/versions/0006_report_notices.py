"""A report remembers that its patient was told it is ready.

Without it the clock would look through every report of the hospital, every minute.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006_report_notices"
down_revision = "0005_plans"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("reports", sa.Column("announced_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_reports_unannounced",
        "reports",
        ["issued_at"],
        sqlite_where=sa.text("announced_at IS NULL"),
        postgresql_where=sa.text("announced_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_reports_unannounced", "reports")
    with op.batch_alter_table("reports") as batch:
        batch.drop_column("announced_at")
