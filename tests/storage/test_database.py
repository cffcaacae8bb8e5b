"""Group commit: writes that arrive together share a commit, and one that fails fails alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from storage.database import Database
from storage.tables import facts


def put(key: str, value: str = "") -> Callable[[sa.Connection], str]:
    def write(connection: sa.Connection) -> str:
        connection.execute(facts.insert().values(key=key, value=value))
        return key

    return write


async def keys(database: Database) -> set[str]:
    return set(
        await database.read(lambda connection: connection.execute(sa.select(facts.c.key)).scalars().all())
    )


async def test_many_writes_at_once_all_happen(database: Database) -> None:
    wanted = {f"k{number}" for number in range(200)}
    done = await asyncio.gather(*(database.write(put(key)) for key in wanted))
    assert set(done) == wanted == await keys(database)


async def test_one_that_fails_fails_alone(database: Database) -> None:
    await database.write(put("taken"))
    results = await asyncio.gather(
        *(database.write(put(key)) for key in ("a", "taken", "b")),
        return_exceptions=True,
    )
    assert results[0] == "a"
    assert isinstance(results[1], sa.exc.IntegrityError)
    assert results[2] == "b"
    assert await keys(database) == {"a", "b", "taken"}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_caller_who_gives_up_does_not_undo_the_write(database: Database) -> None:
    task = asyncio.create_task(database.write(put("late")))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await database.write(put("after"))  # the one writer takes them in order
    assert await keys(database) == {"late", "after"}
