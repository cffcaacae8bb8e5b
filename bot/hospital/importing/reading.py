"""Rows of text out of CSV files and workbooks, each with the line it stands on."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

import python_calamine as calamine

from bot.hospital.importing.layouts import BY_NAME, Layout

Cells = list[str]
EXACT = 10**15  # a spreadsheet keeps fifteen digits of a number
LONGEST_FIELD = 50_000_000  # an unclosed quotation mark must not swallow memory without end


class LostDigits(str):
    """A number that the workbook itself no longer knows exactly."""


class Unreadable(Exception):
    """A whole file, or everything from a line on, cannot be read."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line


@dataclass(frozen=True, slots=True)
class Source:
    """One file's content, wherever it comes from. Reading it again begins anew."""

    layout: Layout
    size: int  # for the progress bar: bytes, or a guess of them
    rows: Callable[[Callable[[int], None]], Iterator[tuple[int, Cells]]]
    ragged: bool = True  # rows may have too many or too few cells


@dataclass(frozen=True, slots=True)
class Folder:
    """What a folder holds: sources in the order they refer to each other, and what belongs to nothing."""

    sources: tuple[Source, ...]
    twice: tuple[str, ...]  # files that stand here as CSV and in a workbook
    broken: tuple[str, ...]  # workbooks that are none
    strangers: tuple[str, ...]


def open_folder(folder: Path) -> Folder:
    """Look what is there, without reading rows yet."""
    found: list[Source] = []
    broken: list[str] = []
    strangers: list[str] = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith((".", "~$")) or not path.is_file():
            continue
        if path.suffix == ".csv" and path.stem in BY_NAME:
            found.append(csv_source(path))
        elif path.suffix == ".xlsx":
            try:
                inside, unknown = workbook_sources(path)
            except (calamine.CalamineError, OSError):
                broken.append(path.name)
                continue
            found += inside
            strangers += unknown
        else:
            strangers.append(path.name)
    names = [source.layout.name for source in found]
    order = list(BY_NAME)
    return Folder(
        sources=tuple(sorted(found, key=lambda source: order.index(source.layout.name))),
        twice=tuple(name for name in order if names.count(name) > 1),
        broken=tuple(broken),
        strangers=tuple(strangers),
    )


def csv_source(path: Path) -> Source:
    """A CSV file in UTF-8, with or without a byte order mark."""

    def rows(advance: Callable[[int], None]) -> Iterator[tuple[int, Cells]]:
        csv.field_size_limit(LONGEST_FIELD)
        try:
            # Only line feeds count: a carriage return inside a cell is no line to whoever looks it up.
            with path.open(encoding="utf-8-sig", newline="\n") as text:
                yield from _csv_rows(text, advance)
        except UnicodeDecodeError:
            raise Unreadable("not UTF-8") from None
        except OSError as error:
            raise Unreadable(f"cannot be read: {error.strerror}") from error

    return Source(BY_NAME[path.stem], path.stat().st_size, rows)


def _csv_rows(text: TextIO, advance: Callable[[int], None]) -> Iterator[tuple[int, Cells]]:
    reader = csv.reader(text, strict=True)
    before = 0
    while True:
        line = reader.line_num + 1  # a quoted cell may hold line breaks: the row is where it begins
        try:
            cells = next(reader)
        except StopIteration:
            advance(text.buffer.tell() - before)
            return
        except csv.Error as error:
            raise Unreadable(f"not CSV: {error}", line) from error
        if cells or line == 1:
            yield line, cells
        if line % 1000 == 0:
            here = text.buffer.tell()
            advance(here - before)
            before = here


def workbook_sources(path: Path) -> tuple[list[Source], list[str]]:
    """The sheets of a workbook that are called like our files, and the names of the others."""
    with calamine.load_workbook(path) as workbook:
        names = workbook.sheet_names
    if path.stem in BY_NAME and len(names) == 1:
        return [_sheet(path, names[0], BY_NAME[path.stem], path.stat().st_size)], []
    known = {name: BY_NAME[stem] for name in names if (stem := name.strip().removesuffix(".csv")) in BY_NAME}
    sources = [
        _sheet(path, name, layout, path.stat().st_size // len(names)) for name, layout in known.items()
    ]
    return sources, [f"{path.name}[{name}]" for name in names if name not in known]


def _sheet(path: Path, name: str, layout: Layout, size: int) -> Source:
    def rows(advance: Callable[[int], None]) -> Iterator[tuple[int, Cells]]:
        with calamine.load_workbook(path) as workbook:
            sheet = workbook.get_sheet_by_name(name)
            content: Sequence[Sequence[Any]] = sheet.to_python(skip_empty_area=False)
        width = 0
        for line, values in enumerate(content, 1):
            cells = [as_text(value) for value in values]
            while cells and not cells[-1]:
                cells.pop()
            if line == 1:
                width = len(cells)
                yield line, cells
            elif cells:
                yield line, cells + [""] * (width - len(cells))
        advance(size)

    return Source(layout, size, rows)


def as_text(value: Any) -> str:
    """What a workbook's cell says. It stores numbers and dates; the hospital typed phones and days."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float | int):
        if value == int(value):
            return str(int(value)) if abs(value) < EXACT else LostDigits(value)
        return format(Decimal(repr(value)), "f")
    if isinstance(value, datetime):
        nearest = value + timedelta(milliseconds=500)  # it stores fractions of days
        return nearest.replace(microsecond=0).isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(timedelta(seconds=round(value.total_seconds())))
    return ""
