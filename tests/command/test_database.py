"""`xiaohu db`, and what every command says when there is no database."""

from __future__ import annotations

import storage.migrate
from tests.postgres import Postgres
from tests.shell import Shell


def test_a_new_database_is_behind_until_it_is_upgraded(xiaohu: Shell) -> None:
    xiaohu.settings["XIAOHU_DATABASE_URL"] = f"sqlite:///{xiaohu.folder}/new.db"
    newest = storage.migrate.newest()
    assert xiaohu.refuses("db", "check") == [
        f"database at nothing, newest is {newest}: run `xiaohu db upgrade`"
    ]
    assert xiaohu.succeeds("db", "upgrade") == f"{newest}\n"
    assert xiaohu.succeeds("db", "check") == f"{newest}\n"


def test_a_database_that_cannot_be_reached_is_one_line(xiaohu: Shell, postgres_server: Postgres) -> None:
    folder = xiaohu.folder_of({})
    (folder / "text.db").write_text("This is no database, whatever it is called.")
    for address in (
        "postgresql://nobody:secret@127.0.0.1:9/nothing",
        postgres_server.url("nothing"),
        "sqlite:////proc/nowhere/xiaohu.db",
        f"sqlite:///{folder}/text.db",
    ):
        xiaohu.settings["XIAOHU_DATABASE_URL"] = address
        for words in (("show", "alerts"), ("import", str(folder)), ("db", "check")):
            (line,) = xiaohu.refuses(*words)
            assert line.startswith("Error: XIAOHU_DATABASE_URL: ")
            assert "secret" not in line
