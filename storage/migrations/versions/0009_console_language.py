"""Screens in English.

Each colleague reads the console in Chinese or in English, and keeps what they chose.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009_console_language"
down_revision = "0008_broadcasts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.add_column(sa.Column("language", sa.Text(), server_default="zh", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.drop_column("language")
