"""What plans hang on: an operation, a visit, a discharge, a birth, a chronic disease, an appointment, a day that is due.

An episode is read off the hospital's own rows, never stored: when the row moves, the episode has moved.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
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
# 复诊2026-12-20, 续方 2026-12-20: when a patient is to come again, or needs new medicines.
DUE: Final = re.compile(r"(复诊|续方|取药)\D{0,2}(\d{4}-\d{2}-\d{2})")
DUE_LABELS: Final = {"复诊": "revisit", "续方": "refill", "取药": "refill"}
# What the operation's own name says, where its family says too little.
NAMED_TRAITS: Final = {
    "bowel_prep": (frozenset({"endoscopy", "abdominal"}), re.compile("肠镜|结肠|直肠|肠息肉|肠道准备")),
    "injection": (frozenset({"cosmetic"}), re.compile("注射|玻尿酸|肉毒|填充|水光|溶脂|童颜针|少女针")),
}
REPORTED_WITHIN: Final = timedelta(days=60)  # a report so long after a health check belongs to it
COMES_AROUND: Final = (
    timedelta(days=14),
    timedelta(days=30),
)  # a visit so near the day is the one that was due
TAGS: Final = (*CHRONIC, "孕%周", *(f"{word}%" for word in DUE_LABELS))  # that plans hang on
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
    reported_on: date | None = None  # of a health check
    traits: frozenset[str] = frozenset()  # bowel_prep, injection; finding


def imported(
    db: sa.Connection, today: date, now: datetime, zone: ZoneInfo, patient: str | None = None
) -> Iterator[Episode]:
    """Every episode of the imported hospital that a plan may hang on."""
    traits = _named_traits(db, today, patient)
    for row in plans.procedures_since(db, today - LOOK_BACK, patient):
        yield _procedure(row, zone, traits.get(row.code, frozenset()))
    exams: dict[str, list[Row]] = defaultdict(list)
    for row in plans.exam_reports_since(db, midnight(today - VISITS_LOOK_BACK, zone), patient):
        exams[row.patient_code].append(row)
        yield _report(row, zone, today)
    for row in plans.visits_since(db, today - VISITS_LOOK_BACK, patient):
        yield _visit(row, exams.get(row.patient_code, ()), zone)
    yield from of_tags(db, now, zone, patient)
    for row in plans.born_since(db, today - CHILDHOOD, patient):
        if row.birth_date <= today:
            yield Episode(f"birth:{row.code}", "birth", row.code, "newborn", "done", row.birth_date)


def of_tags(
    db: sa.Connection,
    now: datetime,
    zone: ZoneInfo,
    patient: str | None = None,
    since: datetime | None = None,
) -> Iterator[Episode]:
    """What hangs on a tag; `since`: only on tags that were given after it."""
    for row in plans.tagged(db, [*CHRONIC, "孕%周"], patient, since):
        if episode := _tag(row, now, zone):
            yield episode
    yield from _due(db, now, zone, patient, since)


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
    told = {(row.patient_code, row.date) for row in plans.missed_visits(db, (now - MISSED_LOOK_BACK).date())}
    for row in rows:
        if row.status == "noshow" and (row.patient_code, row.start_at.astimezone(zone).date()) in told:
            continue  # the hospital's own visit says so, too, and one question is enough
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


def _named_traits(db: sa.Connection, today: date, patient: str | None) -> Mapping[str, frozenset[str]]:
    families = frozenset().union(*(of for of, _ in NAMED_TRAITS.values()))
    return {
        row.code: frozenset(
            trait
            for trait, (of, words) in NAMED_TRAITS.items()
            if row.family in of and words.search(row.name)
        )
        for row in plans.procedure_names(db, today - LOOK_BACK, families, patient)
    }


def _procedure(row: Row, zone: ZoneInfo, traits: frozenset[str]) -> Episode:
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
        traits=traits,
    )


def _visit(row: Row, exams: Sequence[Row], zone: ZoneInfo) -> Episode:
    status = {"booked": "planned"}.get(row.status, row.status or "done")
    reported_on, finding = _outcome(row.date, exams, zone) if row.kind == "exam" else (None, False)
    return Episode(
        f"visit:{row.code}",
        "visit",
        row.patient_code,
        row.kind,
        status,
        row.date,
        discharged_on=row.discharged_on,
        reported_on=reported_on,
        traits=frozenset({"finding"}) if finding else frozenset(),
    )


def _outcome(day: date, exams: Sequence[Row], zone: ZoneInfo) -> tuple[date | None, bool]:
    """When the report of a health check came out, and whether it found something.

    Where the hospital tells us of no report it counts as out on the day itself; one that is pending is not out.
    """
    own = [
        row
        for row in exams
        if row.issued_at is None or day <= row.issued_at.astimezone(zone).date() <= day + REPORTED_WITHIN
    ]
    ready = sorted(
        row.issued_at.astimezone(zone).date() for row in own if row.status == "ready" and row.issued_at
    )
    if ready:
        return ready[-1], any(row.flagged for row in own)
    return (None if own else day), False


def _report(row: Row, zone: ZoneInfo, today: date) -> Episode:
    """Of a health check. What threatens life is told by a clinician by phone; we ask whether that happened."""
    day = row.issued_at.astimezone(zone).date() if row.issued_at else today
    waits = row.status == "ready" and row.critical and row.contacted_at is None
    status = "done" if waits else "cancelled"
    return Episode(f"report:{row.code}", "report", row.patient_code, "critical", status, day)


def _due(
    db: sa.Connection, now: datetime, zone: ZoneInfo, patient: str | None, since: datetime | None
) -> Iterator[Episode]:
    """Days on which somebody is to come again; over when a visit near the day is arranged, or was made."""
    before, after = COMES_AROUND
    wanted = []
    for row in plans.tagged(db, [f"{word}%" for word in DUE_LABELS], patient, since):
        if found := DUE.fullmatch(row.tag):
            try:
                wanted.append((row, found[1], date.fromisoformat(found[2])))
            except ValueError:
                continue
    codes = sorted({row.patient_code for row, *_ in wanted})
    arranged: dict[str, list[date]] = defaultdict(list)
    for one in plans.arranged_visits(db, codes, now.astimezone(zone).date() - LOOK_BACK):
        arranged[one.patient_code].append(one.date)
    for one in plans.arranged_bookings(db, codes, now - LOOK_BACK):
        arranged[one.patient_code].append(one.start_at.astimezone(zone).date())
    for row, word, day in wanted:
        gone = row.until is not None and row.until <= now
        comes = word == "复诊" and any(
            day - before <= one <= day + after for one in arranged[row.patient_code]
        )
        status = "cancelled" if gone or comes else "planned"
        yield Episode(f"due:{row.tag}", "due", row.patient_code, DUE_LABELS[word], status, day)


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
