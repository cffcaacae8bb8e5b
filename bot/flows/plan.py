"""What a plan is: an episode to hang on, and the contacts that are due around it. Pure values, no database.

A plan is one file in `bot/flows/`. Its steps are counted in the hospital's calendar ("day 3, 10:00", "month 1")
or as exact durations ("2 hours before"). A plan's version never changes once it was shipped: whoever began with
it keeps it, and a change is a new version.
"""

from __future__ import annotations

import calendar
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import IntEnum
from typing import Final
from zoneinfo import ZoneInfo

from bot.domain.letter import Purpose

JITTER: Final = timedelta(minutes=20)  # contacts of one hour do not all go out at once
EARLIEST = time(8)  # of a care contact
LATEST = time(20, 55)
MINUTE: Final = timedelta(minutes=1)
HORIZON: Final = timedelta(days=35)  # how far ahead the contacts of a repeating plan are written down
WEEK: Final = 7


class Risk(IntEnum):
    """How much silence worries us; the higher risk is asked first when a day has room for one contact."""

    HIGH = 0
    NORMAL = 1
    LOW = 2


@dataclass(frozen=True, slots=True)
class Repeat:
    """Again every so often, until day `until` (counted from the anchor; None: for ever)."""

    days: int = 0
    months: int = 0
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One contact.

    Calendar: `months` and `days` from the anchor's day, then the next `weekday` if one is wanted, at the clock
    time `at`. Exact: `after` the anchor's moment, rounded up to the minute. Negative is before.
    `useful`: how long after its time it is still worth sending; None: by the distance from the anchor.
    """

    id: str
    days: int = 0
    at: time | None = time(10)  # None: an exact duration
    months: int = 0
    after: timedelta = timedelta()
    weekday: int | None = None  # Monday is 0
    yearly_on: tuple[int, int] | None = None  # month and day: the next one, and every year again
    repeat: Repeat | None = None
    questions: tuple[str, ...] = ()  # keys of the question bank; none: nothing is asked
    text: str = ""  # a template of `plan/`, when it is not the first question's
    purpose: Purpose | None = None  # None: the plan's
    useful: timedelta | None = None
    jitter: bool = True
    crowded: bool = False  # on the day of an operation and before it, three contacts a day are allowed
    task: str = ""  # what a nurse has to do when it goes out


@dataclass(frozen=True, slots=True)
class Plan:
    """One protocol, one version."""

    id: str
    version: int
    risk: Risk
    episode: str  # kind of the episode it hangs on: procedure, visit, tag, appointment, birth, report
    steps: tuple[Step, ...]
    labels: frozenset[str] = frozenset()  # of the episodes it hangs on; empty: all of that kind
    traits: frozenset[str] = frozenset()  # which the episode must have, all of them
    statuses: frozenset[str] = frozenset({"planned", "done"})  # of the episode
    anchor: str = (
        "day"  # day, discharge (else day), discharged (never without), at (an exact moment), reported
    )
    signed_by: str = ""  # the clinician who signed it; unsigned plans run in test and demo only
    clinical: bool = True  # needs a signature
    purpose: Purpose = Purpose.CARE
    subject: str = "护士随访"  # what the platform's notice calls it; never anything of the illness
    minimum_level: int = 2  # how surely we must know the reader (safety.md §5.3)
    pregnancy: bool = False  # stops for ever when the pregnancy was lost
    ends_with_admission: bool = True  # a new stay in hospital ends it; otherwise it waits
    repeats_when_moved: bool = False  # a reminder: sent again, as 改期, when the date changes
    announces_cancelling: bool = False  # whoever was told of the time is told that it holds no more
    phone_when_silent: bool = False  # whoever does not answer is rung up, whatever the risk
    future_only: bool = False  # begins nothing for an episode that is over

    @property
    def signed(self) -> bool:
        """Whether it may run in a hospital."""
        return bool(self.signed_by) or not self.clinical

    @property
    def key(self) -> tuple[str, int]:
        return self.id, self.version

    def step(self, step_id: str) -> Step | None:
        """One step by its name."""
        return next((one for one in self.steps if one.id == step_id), None)


@dataclass(frozen=True, slots=True)
class Due:
    """One contact of one instance, with its time."""

    step: Step
    occurrence: int
    at: datetime
    useful_until: datetime
    order: int  # of the step in its plan


def touch_key(patient: str, plan: Plan, episode: str, step: str, occurrence: int) -> str:
    """The name of a contact: the same contact twice is one."""
    return f"{patient}/{plan.id}/{plan.version}/{episode}/{step}/{occurrence}"


def contacts(
    plan: Plan, anchor: datetime, zone: ZoneInfo, *, seed: str, until: datetime | None = None
) -> Iterator[Due]:
    """Every contact of a plan for one anchor; of repeating steps those due before `until`.

    `seed` (patient and episode) decides the jitter: the same contact always has the same time.
    """
    for order, step in enumerate(plan.steps):
        for occurrence, day in _days(step, anchor, zone, until):
            due = _moment(plan, step, anchor, day, zone, f"{seed}/{plan.id}/{step.id}/{occurrence}")
            if _too_early(plan, step, due, anchor):
                continue
            yield Due(step, occurrence, due, _useful_until(step, due, day, zone), order)


def _too_early(plan: Plan, step: Step, due: datetime, anchor: datetime) -> bool:
    """An evening's question about an operation that was later still: it would ask about what has not happened."""
    return not plan.future_only and step.at is not None and not (step.days or step.months) and due < anchor


def repeats(plan: Plan) -> bool:
    """Whether it has steps that come again and again."""
    return any(step.repeat for step in plan.steps)


def add_months(day: date, months: int) -> date:
    """The same day of a later month, or its last one: the 31st is kept, and comes back after a short month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def spread(key: str) -> timedelta:
    """Between 20 minutes early and 20 minutes late, always the same for the same key."""
    share = int.from_bytes(hashlib.blake2b(key.encode(), digest_size=4).digest()) / 0xFFFFFFFF
    return JITTER * (2 * share - 1)


def _days(step: Step, anchor: datetime, zone: ZoneInfo, until: datetime | None) -> Iterator[tuple[int, date]]:
    """The days a step falls on, with the number of the occurrence."""
    start = anchor.astimezone(zone).date()
    first = _on_weekday(add_months(start, step.months) + timedelta(days=step.days), step.weekday)
    if step.yearly_on is not None:
        first = _next_yearly(first, *step.yearly_on)
    if step.repeat is None:
        yield 0, first
        return
    last = until.astimezone(zone).date() if until else first
    if step.repeat.until is not None:
        last = min(last, start + timedelta(days=step.repeat.until))
    occurrence, day = 0, first
    while day <= last:
        yield occurrence, day
        occurrence += 1
        # Counted from the first one, never from the one before: a short or late one shifts nothing.
        day = add_months(first, step.repeat.months * occurrence) + timedelta(
            days=step.repeat.days * occurrence
        )


def _next_yearly(day: date, month: int, day_of_month: int) -> date:
    this_year = date(day.year, month, day_of_month)
    return this_year if this_year >= day else date(day.year + 1, month, day_of_month)


def _on_weekday(day: date, weekday: int | None) -> date:
    return day if weekday is None else day + timedelta(days=(weekday - day.weekday()) % WEEK)


def _moment(plan: Plan, step: Step, anchor: datetime, day: date, zone: ZoneInfo, key: str) -> datetime:
    if step.at is None:
        exact = anchor.astimezone(UTC) + step.after
        return exact + (MINUTE - timedelta(seconds=exact.second, microseconds=exact.microsecond)) % MINUTE
    due = datetime.combine(day, step.at, zone)
    if step.jitter:
        earliest, latest = datetime.combine(day, EARLIEST, zone), datetime.combine(day, LATEST, zone)
        due = min(max(due + spread(key), earliest), latest)
    return due.astimezone(UTC)


def _useful_until(step: Step, due: datetime, day: date, zone: ZoneInfo) -> datetime:
    """A question of the operation's evening is void the next morning; later ones keep a day or two."""
    if step.useful is not None:
        return due + step.useful
    if due.astimezone(zone).time() >= time(17) and step.days <= 1 and not step.months:
        return datetime.combine(day + timedelta(days=1), EARLIEST, zone).astimezone(UTC)
    return due + timedelta(days=1 if step.days <= WEEK and not step.months else 2)
