"""`xiaohu` as an operator types it, in this process, on the test's own database."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from click.testing import CliRunner, Result

from bot.command import cli
from storage.database import open_database
from tests.secret import SECRET

T = TypeVar("T")


class Shell:
    """Call it with the words after `xiaohu`."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self.settings = {"XIAOHU_DATABASE_URL": url, "XIAOHU_SECRET_KEY": SECRET}

    def __call__(self, *words: str) -> Result:
        return CliRunner().invoke(cli, words, env=self.settings)

    def succeeds(self, *words: str) -> str:
        """What it prints; it must end well."""
        result = self(*words)
        assert result.exit_code == 0, result.stderr or result.exception
        return result.stdout

    def refuses(self, *words: str) -> list[str]:
        """The lines on standard error; it must exit with 1."""
        result = self(*words)
        assert result.exit_code == 1, (result.exit_code, result.stdout, result.stderr)
        return result.stderr.splitlines()

    def shows(self, what: str, *words: str) -> list[dict[str, Any]]:
        """The lines of `xiaohu show`."""
        return [json.loads(line) for line in self.succeeds("show", what, *words).splitlines()]

    def folder_of(self, files: Mapping[str, str | bytes], name: str = "hospital") -> Path:
        """A folder with these files in it."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        for file, content in files.items():
            (folder / file).write_bytes(content if isinstance(content, bytes) else content.encode())
        return folder

    def imports(self, **files: str) -> str:
        """Import these files; it must succeed."""
        folder = self.folder_of({f"{name}.csv": content for name, content in files.items()})
        return self.succeeds("import", str(folder))

    def refuses_import(self, **files: str | bytes) -> list[str]:
        """Import these files; what it refuses."""
        folder = self.folder_of({f"{name}.csv": content for name, content in files.items()})
        return self.refuses("import", str(folder))

    def ask(self, query: Callable[[sa.Connection], T]) -> T:
        """Look into the database, or arrange it."""

        async def once() -> T:
            database = open_database(self.url)
            try:
                return await database.write(query)
            finally:
                await database.close()

        return asyncio.run(once())
