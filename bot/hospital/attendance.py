"""What became of a booking once its time is over: the patient came, or did not.

The hospital's visits tell. A visit of that day closes the booking as the visit ended; when the hospital's visits
of that day and of later ones are known and this patient's is not among them, the patient did not come. Without
word for a week the booking is closed in the patient's favour: nobody is asked why they stayed away on a guess.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from storage.queries import attendance
from storage.rows import Row

WITHOUT_WORD: Final = timedelta(days=7)
BATCH: Final = 500
CAME: Final = frozenset({"done", "loss", ""})


def settle(db: sa.Connection, now: datetime, zone: ZoneInfo) -> int:
    """Close the bookings of which the hospital's visits tell how they ended; how many."""
    today = now.astimezone(zone).date()
    tomorrow = datetime.combine(today + timedelta(days=1), datetime.min.time(), zone)
    closed = 0
    after = 0
    while rows := attendance.booked_until(db, tomorrow, after, BATCH):
        after = rows[-1].id
        ends = _ends(db, rows, now, zone)
        for status in ("done", "noshow"):
            numbers = [number for number, end in ends.items() if end == status]
            closed += attendance.close(db, numbers, status, now)
    return closed


def _ends(db: sa.Connection, rows: Sequence[Row], now: datetime, zone: ZoneInfo) -> Mapping[int, str]:
    days = {row.id: row.start_at.astimezone(zone).date() for row in rows}
    visits: dict[tuple[str, date], list[Row]] = defaultdict(list)
    patients = {row.patient_code for row in rows}
    for visit in attendance.visits_on(db, patients, min(days.values()), max(days.values())):
        visits[visit.patient_code, visit.date].append(visit)
    told = {(one.department_code, one.date) for one in attendance.told_days(db, min(days.values()))}
    latest = max((day for _, day in told), default=date.min)
    complete = {(department, day) for department, day in told if day < latest}
    return {
        row.id: _end(row, visits[row.patient_code, day], now, (row.department_code, day) in complete)
        for row in rows
        for day in (days[row.id],)
    }


def _end(row: Row, visits: Sequence[Row], now: datetime, complete: bool) -> str:
    """done, noshow, or empty while nobody can tell; `complete`: that department's day has been told of."""
    own = [one for one in visits if one.department_code in (None, row.department_code)]
    own = [one for one in own if one.doctor_code in (None, row.doctor_code)] or own
    if any(one.status in CAME for one in own):
        return "done"
    if any(one.status == "noshow" for one in own):
        return "noshow"
    if row.start_at > now:
        return ""
    if any(one.status in CAME for one in visits):  # sent on to another department
        return "done"
    if complete and not visits:
        return "noshow"
    return "done" if now - row.start_at > WITHOUT_WORD else ""
