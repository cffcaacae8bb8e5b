"""One database, SQLite or PostgreSQL, behind two verbs: `read` and `write`.

Queries are plain functions of a SQLAlchemy Core connection, written once. On SQLite they run in one
writer thread, which puts everything that arrives together into one commit: durable (synchronous=FULL)
and still fast. On PostgreSQL the same functions run through asyncpg.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

T = TypeVar("T")
Query = Callable[[sa.Connection], T]

GROUP = 256  # writes in one commit at most
PATIENCE = 30.0  # seconds a write waits for another process's, such as a large import
CONFLICTS = frozenset({"40001", "40P01"})  # PostgreSQL: serialization failure, deadlock


class DatabaseUnavailable(Exception):
    """The database does not answer. Trying again later may help."""


class Database(Protocol):
    """What the house asks of a database. A query may run twice, so it acts on nothing but the rows."""

    dialect: str  # sqlite, postgresql

    async def read(self, query: Query[T]) -> T:
        """Run a query that changes nothing."""
        ...

    async def write(self, query: Query[T]) -> T:
        """Run a query in a transaction of its own; when this returns, it is on the disk."""
        ...

    async def close(self) -> None:
        """Finish what was begun and let go."""
        ...


def open_database(url: str) -> Database:
    """A database by its address: `sqlite:////path` or `postgresql://user:password@host/name`."""
    if url.startswith("sqlite:"):
        return SQLite(url)
    return PostgreSQL(url)


def on_own_connection(url: str, work: Query[T]) -> T:
    """Run work that begins and commits by itself, for what lasts too long for one transaction.

    On SQLite a transaction takes the writer's place with its first writing statement, which must
    therefore come before the first reading one.
    """
    if url.startswith("sqlite:"):
        engine = sqlite_engine(url, begin="BEGIN", temp_store="FILE")
        try:
            with engine.connect() as connection:
                return work(connection)
        finally:
            engine.dispose()
    return asyncio.run(_on_own_connection(url, work))


async def _on_own_connection(url: str, work: Query[T]) -> T:
    engine = create_async_engine(make_url(url).set(drivername="postgresql+asyncpg"))
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(work)
    finally:
        await engine.dispose()


def sqlite_engine(
    url: str, *, begin: str = "BEGIN IMMEDIATE", pool_size: int = 1, temp_store: str = "MEMORY"
) -> sa.Engine:
    """An engine that never upgrades a read to a write, which SQLite answers with 'locked' at once."""
    path = make_url(url).database
    if path and path != ":memory:":
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(
        url,
        connect_args={"check_same_thread": False, "timeout": PATIENCE, "isolation_level": None},
        poolclass=sa.pool.QueuePool,
        pool_size=pool_size,
        max_overflow=0,
    )

    @sa.event.listens_for(engine, "connect")
    def settle(connection: Any, _record: object) -> None:
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            f"temp_store={temp_store}",
            f"busy_timeout={int(PATIENCE * 1000)}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def start(connection: sa.Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


class SQLite:
    """The embedded database: one writer thread, a few readers."""

    dialect = "sqlite"

    def __init__(self, url: str) -> None:
        self._writes: queue.SimpleQueue[tuple[Query[Any], Future[Any]] | None] = queue.SimpleQueue()
        self._writer_engine = sqlite_engine(url)
        self._reader_engine = sqlite_engine(url, begin="BEGIN", pool_size=2)
        self._readers = ThreadPoolExecutor(2, thread_name_prefix="sqlite-read")
        self._writer = threading.Thread(target=self._write_all, name="sqlite-write", daemon=True)
        self._writer.start()

    async def read(self, query: Query[T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, query)

    def _read(self, query: Query[T]) -> T:
        with self._reader_engine.begin() as connection:
            return query(connection)

    async def write(self, query: Query[T]) -> T:
        done: Future[T] = Future()
        self._writes.put((query, done))
        # A caller that gives up does not undo the write: it must learn later what became of it.
        return await asyncio.shield(asyncio.wrap_future(done))

    async def close(self) -> None:
        self._writes.put(None)
        await asyncio.to_thread(self._writer.join)
        self._readers.shutdown()
        self._writer_engine.dispose()
        self._reader_engine.dispose()

    def _write_all(self) -> None:
        while (first := self._writes.get()) is not None:
            group = [first]
            closing = False
            while len(group) < GROUP:
                try:
                    following = self._writes.get_nowait()
                except queue.Empty:
                    break
                if following is None:
                    closing = True
                    break
                group.append(following)
            self._commit(group)
            if closing:
                return

    def _commit(self, group: list[tuple[Query[Any], Future[Any]]]) -> None:
        """All in one commit; when one of them fails, each on its own, so that it fails alone."""
        try:
            with self._writer_engine.begin() as connection:
                results = [query(connection) for query, _ in group]
        except Exception as error:
            if len(group) == 1:
                _settle([(group[0][1], None, error)])
            else:
                for item in group:
                    self._commit([item])
        else:
            _settle((done, result, None) for (_, done), result in zip(group, results, strict=True))


def _settle(outcomes: Iterable[tuple[Future[Any], Any, Exception | None]]) -> None:
    for done, result, error in outcomes:
        if done.cancelled():
            continue
        if error is None:
            done.set_result(result)
        else:
            done.set_exception(error)


class PostgreSQL:
    """The distributed engine: any number of processes on one database."""

    dialect = "postgresql"

    def __init__(self, url: str, pool_size: int = 8) -> None:
        self._engine: AsyncEngine = create_async_engine(
            make_url(url).set(drivername="postgresql+asyncpg"),
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_timeout=PATIENCE,
        )

    async def read(self, query: Query[T]) -> T:
        async with self._engine.connect() as connection:
            return await connection.run_sync(query)

    async def write(self, query: Query[T]) -> T:
        tries = 3
        while True:
            tries -= 1
            try:
                async with self._engine.begin() as connection:
                    return await connection.run_sync(query)
            except sa.exc.DBAPIError as error:
                if not tries or getattr(error.orig, "sqlstate", None) not in CONFLICTS:
                    raise

    async def close(self) -> None:
        await self._engine.dispose()
