"""What every table shares."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from storage.types import UtcDateTime

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite numbers rows by itself only in a column declared INTEGER.
BigId = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def row_id() -> sa.Column[int]:
    """The table's own number, given by the database."""
    return sa.Column("id", BigId, primary_key=True, autoincrement=True)


def moment(name: str, **options: Any) -> sa.Column[Any]:
    """A moment that must be known."""
    return sa.Column(name, UtcDateTime, nullable=False, **options)


def maybe_moment(name: str, **options: Any) -> sa.Column[Any]:
    """A moment that may not have come yet."""
    return sa.Column(name, UtcDateTime, nullable=True, **options)


def text(name: str, *, default: str = "", **options: Any) -> sa.Column[str]:
    """A plain text that may be empty but never missing."""
    return sa.Column(name, sa.Text, nullable=False, server_default=default, **options)
