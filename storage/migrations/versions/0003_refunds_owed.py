"""A refund knows how many of its points came back.

The points of a refunded purchase may be spent already. The ledger never falls below zero, so the rest
is owed and taken from the next points.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003_refunds_owed"
down_revision = "0002_postman"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("refunds") as batch_op:
        batch_op.add_column(sa.Column("recovered", sa.BigInteger(), server_default="0", nullable=False))
    op.execute("UPDATE refunds SET recovered = taken_back")


def downgrade() -> None:
    with op.batch_alter_table("refunds") as batch_op:
        batch_op.drop_column("recovered")
