"""Figures with their definitions and the people behind them; charts drawn here, as SVG."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from statistics import median
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from aiohttp import web

from bot.console import labels
from bot.console.pages import HEADERS, ZONE, shown
from bot.console.people import STAFF
from bot.console.tickets import workbook
from bot.domain.patient import Patient
from bot.web.health import DATABASE
from bot.web.webhooks import CLOCK
from storage.queries import audit
from storage.queries import console_figures as rows
from storage.rows import Row

SPANS: Final = {"7": "近7天", "30": "近30天", "90": "近90天", "365": "近一年"}
FEWEST: Final = 30  # answers: below that a share says nothing (safety.md §3)

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class Figure:
    """A number, what it means, and the rows it was counted from."""

    key: str
    name: str
    value: str
    definition: str
    group: str
    interval: str = ""
    rows: Sequence[Mapping[str, Any]] = field(default_factory=tuple)


def wilson(good: int, count: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson, 1927).

    >>> tuple(round(bound, 3) for bound in wilson(8, 10))
    (0.49, 0.943)
    """
    if count == 0:
        return 0.0, 1.0
    z, share = 1.96, good / count
    centre, spread = (
        share + z * z / (2 * count),
        z * math.sqrt((share * (1 - share) + z * z / (4 * count)) / count),
    )
    scale = 1 + z * z / count
    return (centre - spread) / scale, (centre + spread) / scale


def _share(good: int, count: int, fewest: int = 1) -> tuple[str, str]:
    if count < fewest:
        return "—", f"n={count}，太少不显示" if count else "没有数据"
    low, high = wilson(good, count)
    return f"{100 * good / count:.0f}%", f"n={count}，95%区间 {100 * low:.0f}–{100 * high:.0f}%"


def _row(at: datetime, who: str | None, text: str, path: str) -> dict[str, Any]:
    return {
        "at": at,
        "name": Patient("", who).masked_name if who else "未绑定用户",
        "text": text,
        "path": path,
    }


def _complaints(found: Sequence[Row], praised: int, overdue: int, zone: ZoneInfo) -> list[Figure]:
    def listed(chosen: Sequence[Row]) -> list[dict[str, Any]]:
        return [
            _row(
                one.at,
                one.patient_name,
                f"{one.number} {one.severity} {labels.TICKET_STATES.get(one.status, one.status)}",
                f"/console/tickets/{one.number}",
            )
            for one in chosen
        ]

    answered = [one for one in found if one.replied_at is not None]
    punctual = [one for one in answered if one.due and one.replied_at.astimezone(zone).date() <= one.due]
    judged = [one for one in found if one.status in ("accepted", "disputed", "reopened")]
    accepted = [one for one in judged if one.status == "accepted"]
    late = [one for one in answered if one not in punctual]
    on_time, on_time_interval = _share(len(punctual), len(answered))
    content, content_interval = _share(len(accepted), len(judged))
    return [
        Figure("complaints", "投诉", str(len(found)), "这段时间受理的投诉", "投诉", rows=listed(found)),
        Figure("overdue", "超期未答复", str(overdue), "现在已过答应日期、还没有答复的投诉", "投诉"),
        Figure(
            "on_time",
            "按时答复率",
            on_time,
            "首次答复不晚于应答复日的投诉 ÷ 已答复的投诉；下面列出不按时的",
            "投诉",
            on_time_interval,
            listed(late),
        ),
        Figure(
            "accepted",
            "处理满意率",
            content,
            "患者认可答复的投诉 ÷ 患者表过态的投诉；下面列出不认可的",
            "投诉",
            content_interval,
            listed([one for one in judged if one not in accepted]),
        ),
        Figure("praise", "表扬", str(praised), "这段时间收到的表扬", "投诉"),
    ]


def _alarms(found: Sequence[Row]) -> list[Figure]:
    waits = sorted(
        (one.acknowledged_at - one.at).total_seconds() / 60 for one in found if one.acknowledged_at
    )
    emergencies = [one for one in found if one.level == "E"]
    slow = [
        one
        for one in emergencies
        if one.acknowledged_at is None or one.acknowledged_at - one.at > timedelta(minutes=3)
    ]
    quick, quick_interval = _share(len(emergencies) - len(slow), len(emergencies))
    wrong, wrong_interval = _share(
        sum(one.disposition == "false" for one in found), sum(bool(one.disposition) for one in found)
    )

    def listed(chosen: Sequence[Row]) -> list[dict[str, Any]]:
        return [
            _row(
                one.at,
                one.patient_name,
                f"{one.level} {labels.concept(one.concept)} {one.acknowledged_by}",
                f"/console/conversations/{one.contact_id}",
            )
            for one in chosen
        ]

    return [
        Figure("alarms", "E/U 警报", str(len(found)), "这段时间的紧急与尽快警报", "响应", rows=listed(found)),
        Figure(
            "wait",
            "警报响应中位数",
            f"{median(waits):.1f} 分" if waits else "—",
            "从收到消息到护士认领",
            "响应",
            f"P95 {waits[min(len(waits) - 1, int(0.95 * len(waits)))]:.1f} 分" if waits else "没有数据",
        ),
        Figure(
            "quick",
            "E 级3分钟内响应",
            quick,
            "3分钟内有人认领的 E 级警报 ÷ 全部 E 级警报；下面列出慢的",
            "响应",
            quick_interval,
            listed(slow),
        ),
        Figure(
            "false",
            "误报率",
            wrong,
            "处置为误报的警报 ÷ 已处置的警报",
            "响应",
            wrong_interval,
            listed([one for one in found if one.disposition == "false"]),
        ),
    ]


def _service(db: sa.Connection, since: datetime, until: datetime, now: datetime) -> list[Figure]:
    promised = rows.promises(db, since, min(until, now))
    kept = [
        one
        for one in promised
        if one.done_at is not None and one.done_at <= one.due_at + timedelta(minutes=5)
    ]
    tried: Counter[str] = Counter()
    reached = 0
    for one in rows.calls(db, since, until):
        tried[one.by] += one.tries
        reached += one.tries if one.outcome in ("reached", "issue") else 0
    states = rows.follow_up(db, since, until)
    answered, asked = states.get("answered", 0), sum(states.values())
    scores = [
        int(score)
        for row in rows.answers(db, since, until)
        if str(score := (row.answers or {}).get("csat", "")).isdigit()
    ]
    keeping, keeping_interval = _share(len(kept), len(promised))
    reach, reach_interval = _share(reached, sum(tried.values()))
    reply, reply_interval = _share(answered, asked)
    liking, liking_interval = _share(sum(score >= 4 for score in scores), len(scores), FEWEST)
    return [
        Figure(
            "csat", "满意度", liking, "随访中打4–5分的 ÷ 全部打分；少于30份不显示", "体验", liking_interval
        ),
        Figure("follow_up", "随访回复率", reply, "回答了的随访 ÷ 发出的随访", "体验", reply_interval),
        Figure("reach", "电话接通率", reach, "打通的电话 ÷ 拨出的电话", "体验", reach_interval),
        Figure("promises", "承诺兑现率", keeping, "按时回电的承诺 ÷ 到期的承诺", "体验", keeping_interval),
    ]


def bars(counts: Mapping[date, int], first: date, days: int) -> dict[str, Any]:
    """Where the bars of a chart stand, for a drawing 720 × 160: by day, or by week over a long span."""
    step = 1 if days <= 31 else 7
    groups = [
        (start, sum(counts.get(start + timedelta(days=day), 0) for day in range(step)))
        for start in (first + timedelta(days=offset) for offset in range(0, days, step))
    ]
    most = max([1, *(count for _, count in groups)])
    width = 690 / len(groups)
    return {
        "most": most,
        "bars": [
            {
                "x": round(26 + place * width + width * 0.15, 1),
                "width": round(width * 0.7, 1),
                "height": round(120 * count / most, 1),
                "y": round(130 - 120 * count / most, 1),
                "label": f"{start:%m-%d}",
                "count": count,
                "tick": place % max(1, len(groups) // 8) == 0,
            }
            for place, (start, count) in enumerate(groups)
        ],
    }


@dataclass(frozen=True, slots=True)
class Report:
    """All figures of a span."""

    figures: Sequence[Figure]
    complaints: dict[str, Any]
    alarms: dict[str, Any]
    workload: Sequence[tuple[str, int]]


async def _report(request: web.Request) -> tuple[str, Report]:
    now, zone = request.app[CLOCK].now(), request.app[ZONE]
    days = request.query.get("days", "30")
    days = days if days in SPANS else "30"
    today = now.astimezone(zone).date()
    first = today - timedelta(days=int(days) - 1)
    since = datetime.combine(first, time(), zone)
    until = datetime.combine(today + timedelta(days=1), time(), zone)

    def read(db: sa.Connection) -> Report:
        complaints, alarms = rows.complaints(db, since, until), rows.alarms(db, since, until)
        figures = [
            *_service(db, since, until, now),
            *_alarms(alarms),
            *_complaints(complaints, rows.praise(db, since, until), rows.overdue(db, today), zone),
        ]
        work: Counter[str] = Counter(one.acknowledged_by for one in alarms if one.acknowledged_by)
        for one in rows.calls(db, since, until):
            work[one.by] += one.tries
        by_day = [Counter(one.at.astimezone(zone).date() for one in found) for found in (complaints, alarms)]
        return Report(
            figures,
            bars(by_day[0], first, int(days)),
            bars(by_day[1], first, int(days)),
            work.most_common(12),
        )

    return days, await request.app[DATABASE].read(read)


@routes.get("/console/figures")
async def figures(request: web.Request) -> web.Response:
    """Everything on one page."""
    days, report = await _report(request)
    return shown(request, "figures.html", days=days, spans=SPANS, report=report)


@routes.get("/console/figures/export")
async def export(request: web.Request) -> web.Response:
    """The same as a workbook. Exporting is written down."""
    days, report = await _report(request)
    name, now = request[STAFF].name, request.app[CLOCK].now()
    await request.app[DATABASE].write(lambda db: audit.append(db, name, "export", "figures", days, now))
    table = [[one.group, one.name, one.value, one.interval, one.definition] for one in report.figures]
    return web.Response(
        body=workbook(("类别", "指标", "数值", "样本与区间", "定义"), table),
        headers={
            **HEADERS,
            "Content-Type": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "Content-Disposition": f'attachment; filename="figures-{now:%Y%m%d}.xlsx"',
        },
    )


@routes.get("/console/figures/{figure}")
async def figure(request: web.Request) -> web.Response:
    """One figure and the people behind it."""
    days, report = await _report(request)
    found = next((one for one in report.figures if one.key == request.match_info["figure"]), None)
    if found is None:
        raise web.HTTPNotFound
    return shown(request, "figure.html", days=days, spans=SPANS, figure=found)
