"""Bring a database to the newest tables, or say how far behind it is."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

MIGRATIONS = Path(__file__).parent / "migrations"


def configuration(connection: sa.Connection | None = None) -> Config:
    """Alembic's settings, without an ini file."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.set_main_option("file_template", "%%(rev)s")
    config.attributes["connection"] = connection
    return config


def upgrade(connection: sa.Connection) -> None:
    """Run every migration that has not run yet."""
    command.upgrade(configuration(connection), "head")


def newest() -> str:
    """The last migration there is."""
    return ScriptDirectory.from_config(configuration()).get_current_head() or ""


def current(connection: sa.Connection) -> str:
    """The last migration this database has seen; empty for a new one."""
    return MigrationContext.configure(connection).get_current_revision() or ""
