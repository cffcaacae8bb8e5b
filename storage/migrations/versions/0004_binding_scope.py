"""A patient may allow booking alone.

Whoever spoke for a parent could read the parent's reports as well; the parent can now agree to less.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004_binding_scope"
down_revision = "0003_refunds_owed"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("bindings") as batch_op:
        batch_op.add_column(sa.Column("scope", sa.Text(), server_default="all", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("bindings") as batch_op:
        batch_op.drop_column("scope")
