"""What plans hang on: an operation, a visit, a discharge, a birth, a chronic disease, an appointment.

An episode is read off the hospital's own rows, never stored: when the row moves, the episode has moved.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from storage.queries import plans
from storage.rows import Row

FAMILIES: Final = frozenset(
    {"abdominal", "birth", "joint", "cataract", "dental", "tonsil", "cosmetic", "pci", "endoscopy", "dayga"}
)
CHRONIC: Final = ("糖尿病", "高血压", "慢阻肺", "卒中后")
PREGNANT: Final = re.compile(r"孕(\d{1,2})周")  # the tag says how far she was when it was given
WEEKS_OF_PREGNANCY: Final = 42
LOOK_BACK: Final = timedelta(days=400)  # the longest plan after an operation ends after a year
VISITS_LOOK_BACK: Final = timedelta(days=400)
CHILDHOOD: Final = timedelta(days=3 * 366)
REMINDED_AHEAD: Final = timedelta(days=3)  # how far ahead bookings are looked at
MISSED_LOOK_BACK: Final = timedelta(days=8)


@dataclass(frozen=True, slots=True)
class Episode:
    """One thing that happens, or happened, to one patient."""

    key: str  # procedure:OP1
    kind: str
    patient_code: str
    label: str  # family of the operation, kind of the visit, the tag, …
    status: str  # planned, done, cancelled, noshow, loss
    day: date
    at: datetime | None = None  # the exact moment, where one is known
    discharged_on: date | None = None
    since: datetime | None = None  # when it was arranged: nothing is due before


def imported(
    db: sa.Connection, today: date, now: datetime, zone: ZoneInfo, patient: str | None = None
) -> Iterator[Episode]:
    """Every episode of the imported hospital that a plan may hang on."""
    for row in plans.procedures_since(db, today - LOOK_BACK, patient):
        yield _procedure(row, zone)
    for row in plans.visits_since(db, today - VISITS_LOOK_BACK, patient):
        yield from _visit(row)
    for row in plans.tagged(db, [*CHRONIC, "孕%周"], patient):
        if episode := _tag(row, now, zone):
            yield episode
    for row in plans.born_since(db, today - CHILDHOOD, patient):
        if row.birth_date <= today:
            yield Episode(f"birth:{row.code}", "birth", row.code, "newborn", "done", row.birth_date)


def booked(
    db: sa.Connection,
    now: datetime,
    zone: ZoneInfo,
    patient: str | None = None,
    ahead: timedelta = REMINDED_AHEAD,
) -> Iterator[Episode]:
    """Bookings made here that come soon or were missed lately, and those that were given up or moved."""
    rows = [*plans.bookings_between(db, now - MISSED_LOOK_BACK, now + ahead, patient)]
    if patient is None:
        rows += plans.bookings_given_up(db)
    for row in rows:
        yield Episode(
            f"appointment:{row.id}",
            "appointment",
            row.patient_code,
            "",
            {"booked": "planned"}.get(row.status, row.status),
            row.start_at.astimezone(zone).date(),
            row.start_at,
            since=row.created_at,
        )


def _procedure(row: Row, zone: ZoneInfo) -> Episode:
    """An operation counts as done when its day has come, unless the hospital cancelled it."""
    return Episode(
        f"procedure:{row.code}",
        "procedure",
        row.patient_code,
        row.family,
        "cancelled" if row.status == "cancelled" else "done",
        row.date,
        datetime.combine(row.date, row.time, zone) if row.time else None,
        row.discharged_on,
    )


def _visit(row: Row) -> Iterator[Episode]:
    status = {"booked": "planned"}.get(row.status, row.status or "done")
    yield Episode(
        f"visit:{row.code}",
        "visit",
        row.patient_code,
        row.kind,
        status,
        row.date,
        discharged_on=row.discharged_on,
    )


def _tag(row: Row, now: datetime, zone: ZoneInfo) -> Episode | None:
    since = min(row.since or now, now)
    day = since.astimezone(zone).date()
    status = "cancelled" if row.until is not None and row.until <= now else "done"
    if found := PREGNANT.fullmatch(row.tag):
        weeks = int(found[1])
        if not 1 <= weeks <= WEEKS_OF_PREGNANCY:
            return None
        first_day = day - timedelta(weeks=weeks)
        return Episode(f"pregnancy:{row.patient_code}", "pregnancy", row.patient_code, "", status, first_day)
    if row.tag not in CHRONIC:
        return None
    return Episode(f"tag:{row.tag}", "tag", row.patient_code, row.tag, status, day)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Where a day begins on the hospital's clock."""
    return datetime.combine(day, time(), zone)
