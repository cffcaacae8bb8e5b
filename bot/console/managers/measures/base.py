"""What every measure is made of: spans, figures, tables, and how numbers are put into words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from bot.console.managers.charts import Chart
from bot.console.managers.intervals import quantile, wilson
from bot.domain.patient import Patient
from storage.rows import Row

FEWEST: Final = 30  # answers: below that a share says nothing (safety.md §3)
MOST_PEOPLE: Final = 300  # behind a figure, on its page


T = TypeVar("T")
Question = Callable[[sa.Connection, datetime, datetime], Sequence[Row]]


class Past:
    """What happened on days gone by, which hardly changes any more: asked for every ten minutes at most."""

    AGE: Final = timedelta(minutes=10)

    def __init__(self) -> None:
        self._kept: dict[tuple[str, datetime, datetime], tuple[datetime, Sequence[Any]]] = {}

    def get(
        self,
        db: sa.Connection,
        question: Question,
        prepare: Callable[[Sequence[Row]], Sequence[T]],
        since: datetime,
        until: datetime,
        now: datetime,
    ) -> Sequence[T]:
        """What the question finds, prepared, as of a few minutes ago."""
        key = (question.__name__, since, until)
        if (known := self._kept.get(key)) is not None and now - known[0] < self.AGE:
            return known[1]
        found = prepare(question(db, since, until))
        self._kept = {one: kept for one, kept in self._kept.items() if now - kept[0] < self.AGE}
        self._kept[key] = (now, found)
        return found


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, on the hospital's clock, and how long somebody waited then."""

    day: date
    hour: int
    wait: float | None  # minutes; None: it has not ended
    row: Row


@dataclass(frozen=True, slots=True)
class Span:
    """What a report is about: whole days of the hospital, and the present."""

    first: date
    days: int
    now: datetime
    zone: ZoneInfo
    past: Past = field(default_factory=Past, compare=False)

    def found(
        self,
        db: sa.Connection,
        question: Question,
        prepare: Callable[[Sequence[Row]], Sequence[T]],
    ) -> Sequence[T]:
        """What the question finds in these days, prepared, in order of time; yesterday and today as they are now."""
        yesterday = datetime.combine(self.day(self.now) - timedelta(days=1), time(), self.zone)
        if yesterday <= self.since:
            return prepare(question(db, self.since, self.until))
        if yesterday >= self.until:
            return self.past.get(db, question, prepare, self.since, self.until, self.now)
        before = self.past.get(db, question, prepare, self.since, yesterday, self.now)
        return [*before, *prepare(question(db, yesterday, self.until))]

    def rows(self, db: sa.Connection, question: Question) -> Sequence[Row]:
        """The same, as it is."""
        return self.found(db, question, lambda rows: rows)

    def events(self, db: sa.Connection, question: Question, ends: str) -> Sequence[Event]:
        """The same, each with how long it took from `at` until the column `ends`."""
        return self.found(db, question, lambda rows: [self._event(row, getattr(row, ends)) for row in rows])

    def _event(self, row: Row, ended: datetime | None) -> Event:
        local = row.at.astimezone(self.zone)
        return Event(local.date(), local.hour, None if ended is None else minutes(row.at, ended), row)

    @property
    def since(self) -> datetime:
        """Its first moment."""
        return datetime.combine(self.first, time(), self.zone)

    @property
    def until(self) -> datetime:
        """The first moment after it."""
        return datetime.combine(self.first + timedelta(days=self.days), time(), self.zone)

    @property
    def last(self) -> date:
        """Its last day."""
        return self.first + timedelta(days=self.days - 1)

    def day(self, at: datetime) -> date:
        """The hospital's day of a moment."""
        return at.astimezone(self.zone).date()


@dataclass(frozen=True, slots=True)
class Figure:
    """A number, what it means, how sure it is, and the people it was counted from."""

    key: str
    name: str
    value: str
    definition: str
    interval: str = ""
    people: Callable[[], Sequence[Mapping[str, Any]]] = tuple  # made only when somebody looks


@dataclass(frozen=True, slots=True)
class Table:
    """Numbers side by side; the first cell of a row may lead to the people."""

    title: str
    head: Sequence[str]
    body: Sequence[Sequence[str]]
    paths: Sequence[str] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class Section:
    """All figures of one matter."""

    key: str
    name: str
    figures: Sequence[Figure]
    charts: Sequence[Chart] = field(default_factory=tuple)
    tables: Sequence[Table] = field(default_factory=tuple)


def share(good: int, count: int, fewest: int = 1) -> tuple[str, str]:
    """A share as people read it, and how sure it is."""
    if count < fewest:
        return "—", f"n={count}，太少不显示" if count else "没有数据"
    low, high = wilson(good, count)
    return f"{100 * good / count:.0f}%", f"n={count}，95%区间 {100 * low:.0f}–{100 * high:.0f}%"


def span_words(minutes: float) -> str:
    """So many minutes, as people say it."""
    if minutes < 60:
        return f"{minutes:.1f} 分"
    return f"{minutes / 60:.1f} 小时" if minutes < 48 * 60 else f"{minutes / 1440:.1f} 天"


def middle(values: Sequence[float], part: float) -> tuple[str, str]:
    """A quantile as people read it, and how sure it is. `values` in minutes."""
    if not values:
        return "—", "没有数据"
    value, low, high = quantile(sorted(values), part)
    return span_words(value), f"n={len(values)}，95%区间 {span_words(low)}–{span_words(high)}"


def person(at: datetime | date, who: str | None, text: str, path: str) -> dict[str, Any]:
    """One of the people behind a figure."""
    name = Patient("", who).masked_name if who else "未绑定用户"
    return {"at": at, "name": name, "text": text, "path": path}


def minutes(since: datetime, until: datetime) -> float:
    """So many minutes lie between them."""
    return (until - since).total_seconds() / 60


def patient_page(row: Row) -> str:
    """Where a row's patient is."""
    return f"/console/patients/{row.patient_code}" if row.patient_code else ""


def conversation_page(row: Row) -> str:
    """Where a row's conversation is."""
    return f"/console/conversations/{row.contact_id}"
