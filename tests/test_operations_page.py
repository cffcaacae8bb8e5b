"""docs/operations.md says everything there is to say, and nothing that is not so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from bot.command import HOMES
from bot.hospital.importing.layouts import FACTS, LAYOUTS, Layout
from bot.settings import PREFIX, Settings

PAGE = (Path(__file__).parents[1] / "docs" / "operations.md").read_text("utf-8")


def names(struct: type[msgspec.Struct], prefix: str = PREFIX) -> Iterator[str]:
    """The environment variable of every setting."""
    for field in msgspec.structs.fields(struct):
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            yield from names(field.type, f"{prefix}{field.name.upper()}__")
        else:
            yield f"{prefix}{field.name.upper()}"


def test_every_setting_is_described_and_no_other() -> None:
    assert set(re.findall(r"XIAOHU_[A-Z_]+[A-Z]", PAGE)) == set(names(Settings))


@pytest.mark.parametrize("layout", LAYOUTS, ids=[layout.name for layout in LAYOUTS])
def test_every_file_and_column_is_described(layout: Layout) -> None:
    (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| {layout.file} |")]
    assert re.findall(r"`(\w+)`", row) == [column.name for column in layout.columns]


def test_every_fact_and_command_is_described() -> None:
    assert f"keys {', '.join(FACTS)} |" in PAGE
    for command in HOMES:
        assert f"`xiaohu {command}" in PAGE
