"""The few statements SQLite and PostgreSQL spell differently."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from storage.rows import Row

INSERTS: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def insert(connection: sa.Connection, table: sa.Table) -> Any:
    """The dialect's own INSERT, which knows ON CONFLICT."""
    return INSERTS[connection.dialect.name](table)


@cache
def _insert_new(dialect: str, table: sa.Table, unique: tuple[str, ...]) -> Any:
    """Built once: putting a statement together costs more than running it."""
    return INSERTS[dialect](table).on_conflict_do_nothing(index_elements=list(unique)).returning(table.c.id)


def insert_new(
    connection: sa.Connection, table: sa.Table, values: Mapping[str, Any], unique: tuple[str, ...]
) -> int | None:
    """Insert a numbered row unless one with the same `unique` columns is there; its id, or None."""
    statement = _insert_new(connection.dialect.name, table, unique)
    number: int | None = connection.execute(statement, dict(values)).scalar()
    return number


@cache
def _insert_all_new(dialect: str, table: sa.Table, unique: tuple[str, ...]) -> Any:
    names = [table.c[name] for name in unique]
    return (
        INSERTS[dialect](table)
        .on_conflict_do_nothing(index_elements=list(unique))
        .returning(table.c.id, *names)
    )


def insert_all_new(
    connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]], unique: tuple[str, ...]
) -> dict[tuple[Any, ...], int]:
    """Insert the numbered rows whose `unique` columns are not there yet; their ids by those columns.

    All rows must have the same columns.
    """
    statement = _insert_all_new(connection.dialect.name, table, unique)
    return {tuple(names): number for number, *names in connection.execute(statement, list(rows))}


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


def wait_for_locks(connection: sa.Connection, milliseconds: int) -> None:
    """Fail rather than wait longer than that for somebody's lock, until this transaction ends.

    SQLite has one writer, who waits for nobody in the middle of a transaction.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text(f"SET LOCAL lock_timeout = {milliseconds:d}"))
