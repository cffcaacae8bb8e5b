"""The few statements SQLite and PostgreSQL spell differently."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from storage.rows import Row

INSERTS: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def insert(connection: sa.Connection, table: sa.Table) -> Any:
    """The dialect's own INSERT, which knows ON CONFLICT."""
    return INSERTS[connection.dialect.name](table)


def insert_new(
    connection: sa.Connection, table: sa.Table, values: Mapping[str, Any], unique: Iterable[str]
) -> int | None:
    """Insert a numbered row unless one with the same `unique` columns is there; its id, or None."""
    statement = (
        insert(connection, table)
        .values(**values)
        .on_conflict_do_nothing(index_elements=list(unique))
        .returning(table.c.id)
    )
    number: int | None = connection.execute(statement).scalar()
    return number


def upsert(
    connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]], keys: Iterable[str]
) -> None:
    """Insert rows, or update those whose key is there. All rows must have the same columns."""
    if not rows:
        return
    key_names = list(keys)
    statement = insert(connection, table)
    changes = {name: statement.excluded[name] for name in rows[0] if name not in key_names}
    if changes:
        statement = statement.on_conflict_do_update(index_elements=key_names, set_=changes)
    else:
        statement = statement.on_conflict_do_nothing(index_elements=key_names)
    connection.execute(statement, list(rows))


def lock_row(connection: sa.Connection, statement: sa.Select[Any]) -> Row | None:
    """Read one row that nobody else may change until this transaction ends.

    SQLite has one writer, so there the read alone is enough.
    """
    return connection.execute(statement.with_for_update()).first()


def lock_table(connection: sa.Connection, table: sa.Table) -> None:
    """Let nobody else write to a table until this transaction ends; reading goes on. SQLite has one writer."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text(f"LOCK TABLE {table.name} IN SHARE ROW EXCLUSIVE MODE"))


def lock_name(connection: sa.Connection, name: str) -> None:
    """Let nobody else past the same name until this transaction ends, for things that have no row yet."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(name, 0))))
