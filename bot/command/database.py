"""`xiaohu db`: migrations."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import TypeVar

import click
import sqlalchemy as sa

import storage.migrate
from bot.settings import Settings, read_settings
from storage.database import open_database
from storage.types import Seal

T = TypeVar("T")


def in_database(
    query: Callable[[sa.Connection], T],
    settings: Settings | None = None,
    *,
    migrate: bool = True,
    reads_only: bool = False,
) -> T:
    """Run one query in a transaction, for commands that come and go; on the newest tables.

    Raises:
        click.ClickException: the database cannot be reached; click says so and exits with 1.
    """
    settings = settings or read_settings()
    Seal.use(settings.secret_key)

    async def once() -> T:
        try:
            database = open_database(settings.database_url)
            current = await database.read(storage.migrate.current)
        except (sa.exc.SQLAlchemyError, OSError) as error:
            reason = str(error).splitlines()[0]
            raise click.ClickException(f"XIAOHU_DATABASE_URL: {reason}") from error
        try:
            if migrate and current != storage.migrate.newest():
                await database.write(storage.migrate.upgrade)
            return await (database.read if reads_only else database.write)(query)
        finally:
            await database.close()

    return asyncio.run(once())


@click.group(help="Migrations.")
def db() -> None:
    """Bring the tables up to date, or look how far they are."""


@db.command(help="Run the migrations that have not run yet.")
def upgrade() -> None:
    """To the newest tables."""
    in_database(storage.migrate.upgrade, migrate=False)
    click.echo(storage.migrate.newest())


@db.command(help="Say whether the tables are the newest.")
def check() -> None:
    """Exit 1 when they are not."""
    current = in_database(storage.migrate.current, migrate=False)
    newest = storage.migrate.newest()
    if current != newest:
        click.echo(
            f"database at {current or 'nothing'}, newest is {newest}: run `xiaohu db upgrade`", err=True
        )
        sys.exit(1)
    click.echo(newest)


COMMANDS = (db,)
