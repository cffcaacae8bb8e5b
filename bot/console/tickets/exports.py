"""Tickets as spreadsheets: every one, and counted by department and by doctor."""

from __future__ import annotations

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa
from aiohttp import web

from bot.console import labels
from bot.console.pages import HEADERS, ZONE
from bot.console.people import STAFF, in_scope
from bot.console.spreadsheets import workbook_of
from bot.console.tickets.pages import harmless, narrowing_of, places, ticket_facts, today_of
from bot.web.health import DATABASE
from bot.web.webhooks import CLOCK
from storage.queries import audit
from storage.queries import console_tickets as ticket_rows
from storage.rows import Row

MOST: Final = 5_000
HEAD: Final = (
    "编号",
    "受理时间",
    "类别",
    "分级",
    "状态",
    "应答复日",
    "剩余工作日",
    "负责人",
    "科室",
    "医生",
    "内容",
    "原因归类",
    "原因分析",
    "整改措施",
    "暂停",
    "法律途径",
    "质控",
    "办结时间",
    "办结方式",
)
COUNTED: Final = ("件数", *labels.SEVERITIES, "未办结", "超期", "重新打开", "主要原因")
SHEETS: Final = {"all": "明细", "departments": "按科室", "doctors": "按医生"}
Table = tuple[Sequence[str], Sequence[Sequence[Any]]]

routes = web.RouteTableDef()


def comma_separated(head: Sequence[str], table: Sequence[Sequence[Any]]) -> bytes:
    """With a mark by which spreadsheets know that it is UTF-8."""
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(head)
    writer.writerows([harmless(cell) for cell in row] for row in table)
    return written.getvalue().encode("utf-8-sig")


def _tables(db: sa.Connection, rows: Sequence[Row], request: web.Request) -> Mapping[str, Table]:
    today, now, zone = today_of(request), request.app[CLOCK].now(), request.app[ZONE]
    departments, doctors = ticket_rows.departments_and_doctors(db)
    about = places(db, rows, zone)
    ids = [row.id for row in rows]
    added: dict[tuple[int, str], list[str]] = defaultdict(list)
    for entry in ticket_rows.entries(db, ids):
        added[entry.ticket_id, entry.kind].append(entry.text or "")
    reopened = {number for (number, kind), texts in added.items() if kind == "state" and _opened_again(texts)}
    whole, by_department, by_doctor = [], defaultdict(list), defaultdict(list)
    for row in rows:
        facts = ticket_facts(row, today, now)
        department, doctor = (
            departments.get(about[row.id][0], ""),
            doctors.get(about[row.id][1], ""),
        )
        facts |= {"reopened": row.id in reopened, "late": (facts["left"] or 0) < 0}
        by_department[department or "未归科室"].append(facts)
        by_doctor[f"{doctor or '未归医生'}（{department or '—'}）"].append(facts)
        closed = f"{row.closed_at.astimezone(zone):%Y-%m-%d %H:%M}" if row.closed_at else ""
        whole.append(
            [
                row.number,
                f"{row.at.astimezone(zone):%Y-%m-%d %H:%M}",
                facts["kind_name"],
                row.severity,
                facts["state"],
                row.due.isoformat() if row.due else "",
                "" if facts["left"] is None else facts["left"],
                row.owner,
                department,
                doctor,
                "，".join(str(value) for value in (row.account_given or {}).values() if value),
                labels.CAUSES.get(row.cause, ""),
                "；".join(added[row.id, "cause"]),
                "；".join(added[row.id, "action"]),
                "暂停中" if row.paused_at else "",
                facts["legal"],
                facts["quality"],
                closed,
                facts["closed_as"],
            ]
        )
    return {
        "all": (HEAD, whole),
        "departments": (("科室", *COUNTED), _counted(by_department)),
        "doctors": (("医生", *COUNTED), _counted(by_doctor)),
    }


def _opened_again(states: Sequence[str]) -> bool:
    return any(text.startswith("reopened") for text in states)


def _counted(groups: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[list[Any]]:
    """One row a group, the most complaints first."""
    table = []
    for name, members in groups.items():
        levels = Counter(one["level"] for one in members)
        causes = Counter(one["cause"] for one in members if one["cause"])
        commonest = causes.most_common(1)[0][0] if causes else ""
        table.append(
            [
                name,
                len(members),
                *(levels.get(level, 0) for level in labels.SEVERITIES),
                sum(one["status"] not in ticket_rows.DONE for one in members),
                sum(one["late"] for one in members),
                sum(one["reopened"] for one in members),
                labels.CAUSES.get(commonest, ""),
            ]
        )
    return sorted(table, key=lambda row: (-row[1], row[0]))


@routes.get("/console/tickets/export/{kind:csv|xlsx}")
async def export(request: web.Request) -> web.Response:
    """The list as it is narrowed by the address; a CSV of one sheet, a workbook of all. Exporting is written down."""
    kind, staff, now = request.match_info["kind"], request[STAFF], request.app[CLOCK].now()
    sheet = request.query.get("sheet", "all")
    if sheet not in SHEETS:
        raise web.HTTPNotFound

    def write(db: sa.Connection) -> Mapping[str, Table]:
        audit.append(db, staff.name, "export", f"tickets:{kind}", str(request.query_string), now)
        rows = ticket_rows.listed(db, narrowing_of(request), in_scope(staff), MOST)
        return _tables(db, rows, request)

    tables = await request.app[DATABASE].write(write)
    if kind == "csv":
        body, mime = comma_separated(*tables[sheet]), "text/csv; charset=utf-8"
    else:
        body = workbook_of({SHEETS[name]: table for name, table in tables.items()})
        mime = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    name = f"tickets-{sheet}-{now:%Y%m%d}.{kind}"
    return web.Response(
        body=body,
        headers={**HEADERS, "Content-Type": mime, "Content-Disposition": f'attachment; filename="{name}"'},
    )
