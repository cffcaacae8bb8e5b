"""Every cell of a file held against its layout; what is wrong, by line and column."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from bot.hospital.importing.cells import LONGEST, BadCell
from bot.hospital.importing.layouts import Column, Layout, Values
from bot.hospital.importing.reading import Cells, LostDigits, Source, Unreadable

MOST_FAULTS = 100  # that are told at once
BATCH = 2000  # rows

# Which of these keys of that file the database knows.
Lookup = Callable[[str, Sequence[str]], Set[str]]


@dataclass(frozen=True, slots=True)
class Fault:
    """One refused cell; a row's fault has no column, a file's no line either."""

    file: str
    line: int | None
    column: str
    reason: str

    def __str__(self) -> str:
        """`FILE:LINE:COLUMN: reason`, as contract.md §4 writes it."""
        if self.line is None:
            return f"{self.file}:::{self.reason}"
        return f"{self.file}:{self.line}:{self.column}: {self.reason}"


@dataclass
class Keys:
    """The keys of the files read so far. None: the file is here, but its keys cannot be known."""

    files: dict[str, set[str] | None] = field(default_factory=dict)


class Checking:
    """One file on its way in. Rows come out in batches; faults gather, at most as many as are told."""

    def __init__(self, source: Source, zone: ZoneInfo, keys: Keys, lookup: Lookup) -> None:
        self.layout: Layout = source.layout
        self.faults: list[Fault] = []
        self.count = 0
        self._source = source
        self._zone = zone
        self._keys = keys
        self._lookup = lookup
        self._lines: dict[str | tuple[str, ...], int] = {}  # of each key
        self._references: list[tuple[int, Column, str]] = []  # not yet looked for
        self._plan: list[tuple[int, Column]] = []
        self._width = 0
        self._key_places: list[int] = []
        self._whole = False  # all keys can be known

    def batches(self, advance: Callable[[int], None]) -> Iterator[list[Values]]:
        """The rows that stood the check. With faults, the caller throws them away."""
        try:
            yield from self._batches(advance)
        except Unreadable as problem:
            if problem.line is None:
                self.faults.clear()
                self._plan = []
            self._fault(problem.line, "", problem.reason)
            self._whole = False
        places = {column.name: place for place, column in self._plan}
        # References are looked up later than cells are read; a header's faults are in order already.
        self.faults.sort(
            key=lambda fault: (fault.line or 0, fault.line != 1 and places.get(fault.column, -1))
        )
        known = {key for key in self._lines if isinstance(key, str)}
        self._keys.files[self.layout.name] = known if self._whole else None

    def _batches(self, advance: Callable[[int], None]) -> Iterator[list[Values]]:
        rows = self._source.rows(advance)
        _, header = next(rows, (1, []))
        self._read_header(header)
        batch: list[Values] = []
        for line, cells in rows:
            values = self._read_row(line, cells)
            self.count += 1
            if values is not None:
                batch.append(values)
            if len(batch) == BATCH:
                self._check_references()
                yield batch
                batch = []
            if len(self.faults) >= MOST_FAULTS:
                break
        self._check_references()
        yield batch

    def _read_header(self, header: Cells) -> None:
        if not header:
            raise Unreadable("no header row")
        columns = {column.name: column for column in self.layout.columns}
        seen: set[str] = set()
        for place, name in enumerate(header):
            if name not in columns:
                self._fault(1, name, "unknown column")
            elif name in seen:
                self._fault(1, name, "column given twice")
            else:
                self._plan.append((place, columns[name]))
            seen.add(name)
        for name in columns:
            if name not in seen:
                self._fault(1, name, "missing column")
        self._width = len(header)
        places = {column.name: place for place, column in self._plan}
        self._key_places = [places[name] for name in self.layout.key if name in places]
        self._whole = len(self._key_places) == len(self.layout.key)

    def _read_row(self, line: int, cells: Cells) -> Values | None:
        """One row in the table's words; None when a cell was refused."""
        before = len(self.faults)
        values: Values = {}
        if len(cells) == self._width:
            for place, column in self._plan:
                self._read_cell(line, column, cells[place], values)
            for name, reason in self.layout.complete(values):
                self._fault(line, name, reason)
            self._read_key(line, cells)
        else:
            self._fault(line, "", f"{len(cells)} cells, the header has {self._width}")
        return values if len(self.faults) == before else None

    def _read_cell(self, line: int, column: Column, cell: str, values: Values) -> None:
        if not cell or cell.isspace():
            if column.required:
                self._fault(line, column.name, "empty")
            else:
                values[column.target] = column.empty
            return
        try:
            if len(cell) > LONGEST:
                raise BadCell(f"over {LONGEST:,} characters")
            if cell.__class__ is LostDigits:
                raise BadCell("a number of more than 15 digits, which workbooks round: make the cell text")
            value = values[column.target] = column.read(cell, self._zone)
            if column.refers_to:
                self._references.append((line, column, value))
        except BadCell as problem:
            self._fault(line, column.name, str(problem))

    def _read_key(self, line: int, cells: Cells) -> None:
        """Remember the key, also of a row with faults: others that refer to it are not to blame."""
        if not self._whole:
            return
        parts = tuple(cells[place].strip(" \u3000") for place in self._key_places)
        if not all(parts):
            return
        key = parts[0] if len(parts) == 1 else parts
        first = self._lines.setdefault(key, line)
        if first != line:
            column = self.layout.key[0] if len(parts) == 1 else ""
            self._fault(line, column, f"the same key as line {first}")

    def _check_references(self) -> None:
        asked: dict[str, set[str]] = {}
        for _, column, code in self._references:
            asked.setdefault(column.refers_to, set()).add(code)
        absent = {file: self._absent(file, codes) for file, codes in asked.items()}
        for line, column, code in self._references:
            if code in absent[column.refers_to]:
                self._fault(line, column.name, f"not in {column.refers_to}.csv nor in the database")
        self._references.clear()

    def _absent(self, file: str, codes: Set[str]) -> Set[str]:
        here: Set[str] | None = self._keys.files.get(file, set())
        if here is None:
            return frozenset()  # that file could not be read: its own faults say so
        strange = codes - here
        return strange - self._lookup(file, sorted(strange)) if strange else strange

    def _fault(self, line: int | None, column: str, reason: str) -> None:
        self.faults.append(Fault(self.layout.file, line, column, reason))
