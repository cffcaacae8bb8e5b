"""The few fixtures everyone shares. A test that asks for `database_url` runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

import storage.migrate
from bot.domain.clock import StoppedClock
from storage.database import Database, open_database
from storage.types import Seal
from tests import postgres
from tests.chat import Chat
from tests.secret import SECRET
from tests.shell import Shell

NOW = datetime(2026, 11, 18, 2, 0, tzinfo=UTC)  # Wednesday 10:00 in Shanghai


@pytest.fixture(scope="session", autouse=True)
def seal() -> None:
    Seal.use(SECRET)


def _migrate(url: str) -> None:
    async def run() -> None:
        database = open_database(url)
        await database.write(storage.migrate.upgrade)
        await database.close()

    asyncio.run(run())


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory, seal: None) -> Path:
    path = tmp_path_factory.mktemp("template") / "xiaohu.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Postgres]:
    with postgres.running() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres_server: postgres.Postgres, seal: None) -> str:
    url = postgres_server.create()
    _migrate(url)
    return url.rpartition("/")[2]


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A migrated, empty database of its own for every test."""
    if request.param == "sqlite":
        path = tmp_path / "xiaohu.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
    else:
        server = request.getfixturevalue("postgres_server")
        url = server.create(request.getfixturevalue("postgres_template"))
        yield url
        server.drop(url)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = open_database(database_url)
    yield database
    await database.close()


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock(NOW)


@pytest.fixture
def chat(database: Database, clock: StoppedClock) -> Chat:
    return Chat(database, clock)


@pytest.fixture
def xiaohu(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """The command line, in an empty folder of its own."""
    monkeypatch.chdir(tmp_path)
    return Shell(database_url, tmp_path)
