"""Letters: put in, claimed, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from storage.dialect import insert_new
from storage.tables import letters


def put_letter(connection: sa.Connection, values: Mapping[str, Any]) -> int | None:
    """Queue a letter, unless one with the same key was ever queued; its number, or None."""
    return insert_new(connection, letters, values, unique=("key",))
