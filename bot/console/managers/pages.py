"""The managers' pages: figures with their definitions, charts, the people behind them, and the month on paper."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, Final

import sqlalchemy as sa
from aiohttp import web

from bot.console.managers import measures, paper
from bot.console.managers.measures.base import MOST_PEOPLE, Past, Section, Span
from bot.console.managers.measures.care import without_answer
from bot.console.managers.measures.growth import WITHIN, lost
from bot.console.managers.measures.service import written_to
from bot.console.pages import HEADERS, ZONE, shown, words_of
from bot.console.people import STAFF
from bot.console.spreadsheets import workbook_of
from bot.web.health import DATABASE
from bot.web.webhooks import CLOCK
from storage.queries import audit

SPANS: Final = {"7": "近7天", "30": "近30天", "90": "近90天", "365": "近一年"}
VIEWS: Final = {
    "overview": "总览",
    "satisfaction": "满意度",
    "response": "响应",
    "workload": "工作量",
    "follow_up": "随访",
    "complaints": "投诉",
    "campaigns": "活动效果",
    "retention": "留存",
}
OVERVIEW: Final = ("satisfaction", "response", "follow_up", "complaints")
# Marketing sees numbers, and people only where they are its own business: no alarms, no complaints.
MARKETING: Final = frozenset({"campaigns", "retention"})
SHEET: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
REMEMBERED: Final = timedelta(minutes=10)
SLOW: Final = frozenset({"retention"})  # counted over years of visits, and the same all day

routes = web.RouteTableDef()


class Remembered:
    """What took long to count, for a while."""

    def __init__(self) -> None:
        self.past = Past()
        self._kept: dict[tuple[str, date, int], tuple[datetime, Section]] = {}

    def get(self, key: str, span: Span) -> Section | None:
        """The section as it was counted a few minutes ago."""
        at, section = self._kept.get((key, span.first, span.days), (None, None))
        return section if at is not None and span.now - at < REMEMBERED else None

    def put(self, section: Section, span: Span) -> None:
        """Keep it, and let older ones go."""
        self._kept = {key: kept for key, kept in self._kept.items() if span.now - kept[0] < REMEMBERED}
        if section.key in SLOW:
            self._kept[section.key, span.first, span.days] = (span.now, section)


KEPT = web.AppKey("figures_kept", Remembered)


def _span(request: web.Request) -> tuple[str, Span]:
    """The days the address asks for: `days=30` until today, or `month=2026-11`."""
    now, zone = request.app[CLOCK].now(), request.app[ZONE]
    days = request.query.get("days", "30")
    days = days if days in SPANS else "30"
    today = now.astimezone(zone).date()
    past = request.app[KEPT].past
    return days, Span(today - timedelta(days=int(days) - 1), int(days), now, zone, past)


async def _sections(request: web.Request, keys: Sequence[str], span: Span) -> list[Section]:
    kept = request.app[KEPT]
    known = {key: section for key in keys if (section := kept.get(key, span)) is not None}
    missing = [key for key in keys if key not in known]

    def count(db: sa.Connection) -> list[Section]:
        return [measures.SECTIONS[key](db, span) for key in missing]

    if missing:
        for section in await request.app[DATABASE].read(count):
            kept.put(section, span)
            known[section.key] = section
    return [known[key] for key in keys]


def _sees_people(request: web.Request, section: str) -> bool:
    return request[STAFF].role != "marketing" or section in MARKETING


@routes.get("/console/figures")
async def figures(request: web.Request) -> web.Response:
    """The most important of everything, or everything of one matter."""
    days, span = _span(request)
    view = request.query.get("of", "overview")
    view = view if view in VIEWS else "overview"
    sections = await _sections(request, OVERVIEW if view == "overview" else (view,), span)
    return shown(
        request, "figures.html", days=days, spans=SPANS, view=view, views=VIEWS, sections=sections, span=span
    )


@routes.get("/console/figures/export")
async def export(request: web.Request) -> web.Response:
    """All figures of a span as a workbook. Exporting is written down."""
    days, span = _span(request)
    sections = await _sections(request, tuple(measures.SECTIONS), span)
    await _written_down(request, days)
    return _download(workbook_of(_sheets(request, sections)), SHEET, f"figures-{span.now:%Y%m%d}.xlsx")


@routes.get("/console/figures/month")
async def month(request: web.Request) -> web.Response:
    """A month's report, to look at, to print, and to take along."""
    span = _month(request)
    sections = await _sections(request, tuple(measures.SECTIONS), span)
    first = span.first
    return shown(
        request,
        "month.html",
        span=span,
        sections=sections,
        this=f"{first:%Y-%m}",
        before=f"{first - timedelta(days=1):%Y-%m}",
        after=f"{span.last + timedelta(days=1):%Y-%m}" if span.until <= span.now else "",
    )


@routes.get("/console/figures/month/{kind:pdf|xlsx}")
async def month_export(request: web.Request) -> web.Response:
    """The month's report as a file. Exporting is written down."""
    span, kind = _month(request), request.match_info["kind"]
    sections = await _sections(request, tuple(measures.SECTIONS), span)
    await _written_down(request, f"{span.first:%Y-%m} {kind}")
    name = f"report-{span.first:%Y-%m}.{kind}"
    if kind == "xlsx":
        return _download(workbook_of(_sheets(request, sections)), SHEET, name)
    say = words_of(request)
    hospital = await request.app[DATABASE].read(paper.hospital)
    title = f"{hospital} {span.first:%Y-%m} " + say("月报")
    made = say("制作于") + f" {span.now.astimezone(span.zone):%Y-%m-%d %H:%M} {request[STAFF].name}"
    return _download(paper.pdf(title, made, sections, say), "application/pdf", name)


def _month(request: web.Request) -> Span:
    """A whole month, or this one until today. Without a month in the address: the last whole one."""
    now, zone = request.app[CLOCK].now(), request.app[ZONE]
    today = now.astimezone(zone).date()
    wanted = request.query.get("month", "")
    if re.fullmatch(r"20\d\d-(?:0[1-9]|1[0-2])", wanted) and date.fromisoformat(f"{wanted}-01") <= today:
        first = date.fromisoformat(f"{wanted}-01")
    else:
        first = (today.replace(day=1) - timedelta(days=1)).replace(day=1)
    after = (first + timedelta(days=31)).replace(day=1)
    days = (min(after, today + timedelta(days=1)) - first).days
    return Span(first, days, now, zone, request.app[KEPT].past)


def _sheets(
    request: web.Request, sections: Sequence[Section]
) -> Mapping[str, tuple[Sequence[str], Sequence[Sequence[Any]]]]:
    """One sheet of figures, and one of each table."""
    say = words_of(request)
    figures_ = [
        [say(section.name), say(one.name), say(one.value), say(one.interval), say(one.definition)]
        for section in sections
        for one in section.figures
    ]
    head = [say(word) for word in ("类别", "指标", "数值", "样本与区间", "定义")]
    sheets: dict[str, tuple[Sequence[str], Sequence[Sequence[Any]]]] = {say("指标"): (head, figures_)}
    for section in sections:
        for table in section.tables:
            name = f"{say(section.name)} {say(table.title)}"
            sheets[name] = (
                [say(word) for word in table.head],
                [[say(cell) for cell in row] for row in table.body],
            )
    return sheets


def _download(body: bytes, content_type: str, name: str) -> web.Response:
    return web.Response(
        body=body,
        headers={
            **HEADERS,
            "Content-Type": content_type,
            "Content-Disposition": f'attachment; filename="{name}"',
        },
    )


async def _written_down(request: web.Request, what: str) -> None:
    name, now = request[STAFF].name, request.app[CLOCK].now()
    await request.app[DATABASE].write(lambda db: audit.append(db, name, "export", "figures", what, now))


@routes.get("/console/figures/{figure}")
async def figure(request: web.Request) -> web.Response:
    """One figure and the people behind it."""
    days, span = _span(request)
    key = request.match_info["figure"]
    view = measures.OF_SECTION.get(key)
    if view is None:
        raise web.HTTPNotFound
    (section,) = await _sections(request, (view,), span)
    found = next((one for one in section.figures if one.key == key), section.figures[0])
    about = found.name
    people: Sequence[Mapping[str, Any]] = found.people()
    if (listing := _listing(request, key, span)) is not None:
        people = await request.app[DATABASE].read(listing)
    if key == "workload":
        about = request.query.get("who", "")[:60]
    return shown(
        request,
        "figure.html",
        days=days,
        spans=SPANS,
        view=view,
        views=VIEWS,
        figure=found,
        about=about,
        people=people[:MOST_PEOPLE] if _sees_people(request, view) else [],
        all=len(people),
        hidden=not _sees_people(request, view),
    )


def _listing(
    request: web.Request, key: str, span: Span
) -> Callable[[sa.Connection], list[dict[str, Any]]] | None:
    """People who are only looked for when somebody asks."""
    if key == "workload":
        return partial(written_to, span=span, who=request.query.get("who", ""))
    if key in ("coverage", "replied"):
        return partial(without_answer, span=span, missed=key == "coverage")
    within = next((days for days in WITHIN if key == f"retention_{days}"), 365 if key == "churn" else None)
    if within is not None:
        return partial(lost, span=span, days=within, department=request.query.get("department", ""))
    return None
