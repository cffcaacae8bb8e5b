"""A folder into the database: everything is checked and laid beside the tables first, then taken in at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final
from uuid import uuid4
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from bot.hospital import attendance, points
from bot.hospital.importing.checking import MOST_FAULTS, Checking, Fault, Keys
from bot.hospital.importing.layouts import BY_NAME
from bot.hospital.importing.reading import Folder, open_folder
from storage.database import CONFLICTS
from storage.queries import audit, importing
from storage.queries import points as ledger

# Told how many bytes of which file were read.
Progress = Callable[[str, int], None]
TRIES: Final = 3  # of the transaction, when bookings and the import wait for each other


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an import came to. With faults, nothing was changed."""

    faults: Sequence[Fault]
    counts: Mapping[str, int]  # rows of each file
    strangers: Sequence[str]  # files and sheets that belong to nothing


def import_folder(
    connection: sa.Connection,
    folder: Path,
    *,
    zone: ZoneInfo,
    now: datetime,
    by: str,
    dry_run: bool = False,
    progress: Progress = lambda _file, _bytes: None,
) -> Outcome:
    """Import a folder on a connection of its own, which begins and commits more than once.

    Checking takes no lock; only the last step writes to the hospital's tables, all of it in one
    transaction as short as the database can make it. `by` goes into the audit chain.
    """
    content = open_folder(folder)
    faults = _faults_of(folder, content)
    importing.open_desk(connection)
    keys, counts = Keys(), dict[str, int]()
    for source in content.sources:
        if source.layout.name in content.twice:
            keys.files[source.layout.name] = None
            continue
        checking = Checking(source, zone, keys, partial(importing.known, connection))
        for batch in checking.batches(partial(progress, source.layout.file)):
            if not faults and not checking.faults and not dry_run:
                importing.put_down(connection, source.layout.name, batch)
        faults += checking.faults
        counts[source.layout.file] = checking.count
    connection.commit()
    if not faults and not dry_run:
        _take_in(connection, counts, now, zone, by)
    return Outcome(faults[:MOST_FAULTS], counts, content.strangers)


def _faults_of(folder: Path, content: Folder) -> list[Fault]:
    faults = [Fault(file, None, "", "not a workbook") for file in content.broken]
    faults += [
        Fault(BY_NAME[name].file, None, "", "given twice, as CSV and in a workbook") for name in content.twice
    ]
    if not content.sources and not faults:
        faults.append(Fault(folder.name, None, "", "no hospital data in this folder"))
    return faults


def _take_in(
    connection: sa.Connection, counts: Mapping[str, int], now: datetime, zone: ZoneInfo, by: str
) -> None:
    for tries_left in reversed(range(TRIES)):
        try:
            with connection.begin():
                importing.set_revision(connection, uuid4().hex)
                for name in (name for name in BY_NAME if BY_NAME[name].file in counts):
                    _take_in_file(connection, name, now)
                if BY_NAME["visits"].file in counts:
                    attendance.settle(connection, now, zone)
                said = ", ".join(f"{file} {count}" for file, count in counts.items())
                audit.append(connection, by, "import", "hospital data", said, now)
            return
        except sa.exc.DBAPIError as error:
            if not tries_left or getattr(error.orig, "sqlstate", None) not in CONFLICTS:
                raise


def _take_in_file(connection: sa.Connection, name: str, now: datetime) -> None:
    importing.take_in(connection, name, now)
    if name == "points":
        for patient_code in importing.who_owes(connection):
            ledger.lock_ledger(connection, patient_code)
            points.repay(connection, patient_code, now)
