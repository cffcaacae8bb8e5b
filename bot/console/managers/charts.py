"""Where the marks of a chart stand. The drawing itself is SVG, made by `chart.html`, with its numbers in a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from bot.console.managers.intervals import wilson

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 720, 170, 34, 140, 12
LINE: Final = 28  # height of a row of horizontal bars
NAMES: Final = 150  # width of their names


@dataclass(frozen=True, slots=True)
class Mark:
    """One bar, with its interval when it has one; everything in the drawing's units."""

    label: str
    words: str  # the number as people read it
    x: float
    y: float
    width: float
    height: float
    low: float | None = None  # where the interval begins and ends, along the bar
    high: float | None = None
    path: str = ""
    named: bool = True  # whether there is room for its label


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing."""

    title: str
    kind: str  # columns, rows
    height: int
    marks: Sequence[Mark] = field(default_factory=tuple)
    says: str = ""  # of columns: the whole, and the highest
    most: str = ""  # of columns: what the upper line stands for


def columns(title: str, counts: Mapping[date, int], first: date, days: int) -> Chart:
    """How many each day; each week when a span is long."""
    step = 1 if days <= 31 else 7
    groups = [
        (start, sum(counts.get(start + timedelta(days=day), 0) for day in range(step)))
        for start in (first + timedelta(days=offset) for offset in range(0, days, step))
    ]
    most = max([1, *(count for _, count in groups)])
    width, tall = (WIDTH - LEFT - 4) / len(groups), BOTTOM - TOP
    every = max(1, -(-len(groups) // 9))
    marks = [
        Mark(
            label=f"{start:%m-%d}",
            words=str(count),
            x=round(LEFT + place * width + width * 0.15, 1),
            y=round(BOTTOM - tall * count / most, 1),
            width=round(width * 0.7, 1),
            height=round(tall * count / most, 1),
            named=place % every == 0,
        )
        for place, (start, count) in enumerate(groups)
    ]
    total, peak = sum(count for _, count in groups), max(groups, key=lambda group: group[1])
    says = f"共{total}，最多的是{peak[0]:%m-%d}：{peak[1]}" if total else "没有数据"
    return Chart(title, "columns", HEIGHT, marks, says, str(most))


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many, and where the people are."""

    label: str
    good: int
    count: int
    path: str = ""

    @property
    def words(self) -> str:
        """As people read it."""
        if not self.count:
            return "—"
        low, high = wilson(self.good, self.count)
        return f"{100 * self.good / self.count:.0f}% ({100 * low:.0f}–{100 * high:.0f}%, {self.good}/{self.count})"


def shares(title: str, found: Sequence[Share]) -> Chart:
    """A row each, from 0 to 100 %, with the interval."""
    wide = WIDTH - NAMES - 170
    marks = []
    for place, one in enumerate(found):
        low, high = wilson(one.good, one.count)
        marks.append(
            Mark(
                label=one.label,
                words=one.words,
                x=NAMES,
                y=place * LINE + 7,
                width=round(wide * one.good / one.count, 1) if one.count else 0,
                height=LINE - 14,
                low=round(NAMES + wide * low, 1) if one.count else None,
                high=round(NAMES + wide * high, 1) if one.count else None,
                path=one.path,
            )
        )
    return Chart(title, "rows", max(1, len(found)) * LINE, marks)


def amounts(title: str, found: Sequence[tuple[str, int, str]]) -> Chart:
    """A row each, as long as its number is large: name, number, where the people are."""
    wide, most = WIDTH - NAMES - 170, max([1, *(number for _, number, _ in found)])
    marks = [
        Mark(
            label=name,
            words=f"{number}",
            x=NAMES,
            y=place * LINE + 7,
            width=round(wide * number / most, 1),
            height=LINE - 14,
            path=path,
        )
        for place, (name, number, path) in enumerate(found)
    ]
    return Chart(title, "rows", max(1, len(found)) * LINE, marks)
