"""Telling a database that is away from a statement that is wrong."""

from __future__ import annotations

import sqlalchemy as sa

from storage.database import DatabaseUnavailable

AWAY = (sa.exc.DBAPIError, sa.exc.TimeoutError, DatabaseUnavailable, OSError, TimeoutError)
TO_BLAME = (sa.exc.DataError, sa.exc.IntegrityError, sa.exc.ProgrammingError)
# PostgreSQL's codes: waited for a lock in vain, serialization failure, deadlock.
CONTENDED = frozenset({"55P03", "40001", "40P01"})


def is_away(error: BaseException) -> bool:
    """Whether the database was away or busy, so that the same may succeed later."""
    return isinstance(error, AWAY) and not isinstance(error, TO_BLAME)


def is_contended(error: BaseException) -> bool:
    """Whether somebody else's lock was in the way; the database itself is there."""
    return isinstance(error, sa.exc.DBAPIError) and getattr(error.orig, "sqlstate", None) in CONTENDED
