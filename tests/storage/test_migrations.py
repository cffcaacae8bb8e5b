"""All migrations together make exactly the tables, on both databases; and a second run changes nothing."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

import storage.migrate
from storage.database import Database
from storage.tables import metadata


def differences(connection: sa.Connection) -> list[Any]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "target_metadata": metadata})
    return list(compare_metadata(context, metadata))


async def test_migrations_make_the_tables(database: Database) -> None:
    assert await database.read(storage.migrate.current) == storage.migrate.newest()
    assert await database.write(differences) == []


async def test_upgrading_again_changes_nothing(database: Database) -> None:
    await database.write(storage.migrate.upgrade)
    assert await database.write(differences) == []
