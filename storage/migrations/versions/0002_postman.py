"""What the postman keeps about a letter on its way.

The fingerprint of the receiver's address (to count what one receiver got without opening every address), the
routes that did not work, and how many parts of a long text went. What is due is now found in the order in which
it is sent: by priority, then by time.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002_postman"
down_revision = "0001_first_tables"
branch_labels = None
depends_on = None

QUEUED = sa.text("state = 'queued'")


def upgrade() -> None:
    op.add_column("letters", sa.Column("address_index", sa.Text(), server_default="", nullable=False))
    op.add_column("letters", sa.Column("tried", sa.Text(), server_default="", nullable=False))
    op.add_column("letters", sa.Column("parts_sent", sa.Integer(), server_default="0", nullable=False))
    op.drop_index("ix_letters_due", table_name="letters")
    op.create_index(
        "ix_letters_due",
        "letters",
        ["priority", "not_before", "id"],
        sqlite_where=QUEUED,
        postgresql_where=QUEUED,
    )
    op.create_index("ix_letters_address_index_sent_at", "letters", ["address_index", "sent_at"])


def downgrade() -> None:
    op.drop_index("ix_letters_address_index_sent_at", table_name="letters")
    op.drop_index("ix_letters_due", table_name="letters")
    op.create_index("ix_letters_due", "letters", ["not_before"], sqlite_where=QUEUED, postgresql_where=QUEUED)
    op.drop_column("letters", "parts_sent")
    op.drop_column("letters", "tried")
    op.drop_column("letters", "address_index")
