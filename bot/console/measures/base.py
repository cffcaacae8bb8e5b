"""What every measure is made of: spans, figures, tables, and how numbers are put into words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from bot.console.charts import Chart
from bot.console.intervals import quantile, wilson
from bot.domain.patient import Patient
from storage.rows import Row

FEWEST: Final = 30  # answers: below that a share says nothing (safety.md §3)
FEWEST_OF_ONE: Final = 50  # … of one colleague, doctor or department


@dataclass(frozen=True, slots=True)
class Span:
    """What a report is about: whole days of the hospital, and the present."""

    first: date
    days: int
    now: datetime
    zone: ZoneInfo

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
    """A number, what it means, how sure it is, and the rows it was counted from."""

    key: str
    name: str
    value: str
    definition: str
    interval: str = ""
    rows: Sequence[Mapping[str, Any]] = field(default_factory=tuple)


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
